// A trial: the box goes through the flow with the keys that were clicked, from the beginning each time; what is new
// is listed, lit on the picture, and heard.

import {element, say, script, wayName} from "./flows-words.js";
import {heardAt} from "./flows-form.js";

const NOTHING = "-";
const SOURCES = new Set(["lookup", "authenticate"]);

// Why it came here, as the engine says it.
function byWay(by) {
  const [, what, which] = by.match(/^(digit|case) (.+)$/) ?? [];
  if (what) return wayName({keys: what === "digit" ? ["digits", which] : ["cases", Number(which) - 1]});
  return by === "begin" || by === "next" ? "" : script.words.way_names[by] ?? by;
}

export class Trial {
  // act: ask(question) -> answer, wrong(text), light(path, now)
  constructor(panel, act) {
    Object.assign(this, {panel, act, keys: [], typed: "", shown: 0, waiting: Promise.resolve()});
    this.steps = panel.querySelector("#steps");
    this.awaits = panel.querySelector("#awaits");
    this.keyed = panel.querySelector("#keyed");
    this.player = panel.querySelector("#player");
    this.aloud = panel.querySelector("#aloud");
    this.queue = [];
    this.player.addEventListener("ended", () => this.playNext());
    this.player.addEventListener("error", () => this.playNext());
    if (!script.audio) this.aloud.closest("label").hidden = true;
    for (const button of panel.querySelectorAll("[data-key]")) button.addEventListener("click", () => this.press(button.dataset.key));
    const acts = {restart: () => this.restart(), back: () => this.back(), silent: () => this.silent(), close: () => this.close()};
    for (const button of panel.querySelectorAll("[data-trial]")) button.addEventListener("click", acts[button.dataset.trial]);
    panel.addEventListener("keydown", event => this.key(event));
    for (const input of panel.querySelectorAll(".flow-caller input")) input.addEventListener("change", () => this.restart());
  }

  get open() {
    return !this.panel.hidden;
  }

  begin(picture) {
    this.panel.hidden = false;
    this.sources(picture);
    this.restart();
    this.panel.querySelector("[data-key='1']").focus();
  }

  close() {
    this.panel.hidden = true;
    this.hush();
    this.act.light([], "");
    this.act.closed();
  }

  sources(picture) {
    const holder = this.panel.querySelector("#answers");
    const names = [...new Set(picture.nodes.filter(node => SOURCES.has(node.kind)).map(node => node.values.source).filter(Boolean))];
    const known = new Map([...holder.querySelectorAll("textarea")].map(area => [area.dataset.source, area.value]));
    holder.replaceChildren(...names.map(name => {
      const area = element("textarea", {rows: 2, spellcheck: "false", "data-source": name, placeholder: '{"name": "Li"}'});
      area.value = known.get(name) ?? "";
      area.addEventListener("change", () => this.restart());
      return element("label", {}, say("answer_of", name), area);
    }));
  }

  question() {
    const field = name => this.panel.querySelector(`[name=${name}]`).value.trim();
    const answers = {};
    for (const area of this.panel.querySelectorAll("[data-source]"))
      if (area.value.trim()) answers[area.dataset.source] = area.value.split("\n").map(line => line.trim()).filter(Boolean);
    return {keys: this.keys, caller: field("caller"), called: field("called"), at: field("at"), answers};
  }

  restart() {
    this.keys = [];
    this.clear();
    return this.go();
  }

  back() {
    this.keys.pop();
    this.clear();
    return this.go(true);
  }

  clear() {
    this.typed = "";
    this.shown = 0;
    this.hush();
    this.steps.replaceChildren();
  }

  silent() {
    this.keys.push(this.typed || NOTHING);
    return this.go();
  }

  press(key) {
    if (this.state === "digits" && key !== "#") {
      this.typed += key;
      this.keyed.textContent = this.typed;
      return;
    }
    if (!this.state) return;
    this.keys.push(this.typed + key);
    this.go();
  }

  key(event) {
    if (event.target.matches("input, textarea, select") || event.ctrlKey || event.metaKey || event.altKey) return;
    if (/^[0-9*#]$/.test(event.key)) {
      event.preventDefault();
      this.press(event.key);
    } else if (event.key === "Escape") this.close();
    else if (event.key === "Enter" && this.typed && !event.target.matches("button:not([data-key])")) {
      event.preventDefault();
      this.silent();
    }
  }

  // One question after the other: what is clicked meanwhile is in the next.
  go(quietly = false) {
    this.typed = "";
    this.keyed.textContent = "";
    this.hush();
    this.waiting = this.waiting.then(async () => {
      const answer = await this.act.ask(this.question());
      if (answer) this.show(answer, quietly);
    });
    return this.waiting;
  }

  show(answer, quietly) {
    const fresh = answer.steps.slice(this.shown);
    const heard = [];
    for (const [place, step] of fresh.entries()) {
      this.steps.append(this.line(step, place));
      if (step.kind === "heard") heard.push(...step.prompts);
    }
    this.shown = answer.steps.length;
    this.steps.lastElementChild?.scrollIntoView({block: "nearest"});
    this.state = answer.awaits;
    this.awaits.textContent = answer.end || (answer.awaits ? say(`waits_${answer.awaits}`) : say("try_ended"));
    this.awaits.dataset.state = answer.end || !answer.awaits ? "end" : "waits";
    for (const button of this.panel.querySelectorAll("[data-key], [data-trial=silent]")) button.disabled = !answer.awaits;
    this.panel.querySelector("[data-trial=back]").disabled = !this.keys.length;
    this.act.light(answer.steps.filter(step => step.kind === "node").map(step => step.node), answer.node);
    this.variables(answer.steps);
    if (!quietly && this.aloud.checked && script.audio) {
      this.queue = heard;
      this.playNext();
    }
  }

  line(step, place) {
    const line = element("li", {"data-kind": step.kind, "data-place": Math.min(place, 20)});
    const at = element("time", {}, `${step.at_s.toFixed(1)} s`);
    if (step.kind === "node") line.append(at, element("b", {}, step.node), element("span", {}, byWay(step.text)));
    else if (step.kind === "heard") {
      line.append(at, element("span", {}, `${say("hears")}: ${(step.text || step.prompts.join(", ")).replace(/\[(\w+):([^\]]*)\]/g, "♪ $2")}`));
      const plain = step.prompts.filter(name => !name.includes(":"));
      if (script.audio && plain.length) line.append(element("button", {type: "button", class: "quiet", "aria-label": say("hear", plain.join(", ")),
        onclick: () => { this.queue = [...plain]; this.playNext(); }}, "▶"));
    } else if (step.kind === "pressed") line.append(at, element("span", {}, say(step.text.length > 1 ? "keyed" : "pressed", step.text)));
    else line.append(at, element("span", {}, step.kind === "end" ? say("try_ended") : step.text));
    return line;
  }

  variables(steps) {
    const found = new Map();
    for (const step of steps) {
      const match = step.kind === "told" && step.text.match(/^([a-z][a-z0-9_]{0,31}) = (.*)$/s);
      if (match) found.set(match[1], match[2]);
    }
    this.panel.querySelector("#variables").replaceChildren(...[...found].flatMap(([name, value]) =>
      [element("dt", {}, name), element("dd", {}, value || "“”")]));
  }

  playNext() {
    const name = this.queue.shift();
    if (!name) return;
    if (name.includes(":")) return this.playNext();               // tones and what is said: they are listed
    this.player.src = heardAt(name);
    this.player.play().catch(() => {});
  }

  hush() {
    this.queue = [];
    this.player.pause();
  }
}
