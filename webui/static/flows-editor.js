// The editor's page: the box has the truth; each change is asked for there, and what comes back is drawn.

import {Canvas, READABLE} from "./flows-canvas.js";
import {Form} from "./flows-form.js";
import {ask} from "./flows-net.js";
import {palette} from "./flows-palette.js";
import {HEAD, WIDTH, height, snap} from "./flows-shape.js";
import {Text} from "./flows-text.js";
import {Trial} from "./flows-trial.js";
import {element, isOpen, say, script, waySaid} from "./flows-words.js";

const CLIPBOARD = "branchline-flow-copied";
const KEYS = [..."1234567890*#"];
const BESIDE = 84, BELOW = 40;
const urls = script.urls;
const by = id => document.getElementById(id);

let flow = null;
let waiting = Promise.resolve();                  // changes go one after the other
let busy = 0;
let heard = false;                                // of a change, while one from here was under way

const canvas = new Canvas(by("picture"), {
  select: names => form.show(flow, names, editable()),
  open: name => {
    canvas.choose([name]);
    form.focus();
  },
  move: moves => change(moves.map(move => ({do: "move", ...move})), say("moved", moves.map(move => move.name).join(", "))),
  wire, remove,
});
const form = new Form(by("form"), {
  edit: change, wire, remove, more,
  rename: (name, to) => change([{do: "rename", name, to}], say("renamed", name, to)).then(done => {
    if (done) choose([to]);
  }),
  duplicate: names => paste(names),
  start: name => change([{do: "set", keys: ["start"], value: name}], say("node_first")),
});
const text = new Text(by("text"), by("text-marks"), document.querySelector("[data-act=keep]"),
  (written, sha256) => send(urls.write, {text: written, sha256}, say("kept_text")));
const trial = new Trial(by("trial"), {
  ask: question => ask(urls.try, {...question, draft: flow.draft !== null}).catch(error => wrong(error.message)),
  light: (path, now) => canvas.light(path, now),
  closed: () => document.querySelector("[data-act=try]").focus(),
});

const editable = () => script.may_change && flow !== null && (flow.draft === null || flow.draft.mine);

// --- asking ---

function change(edits, said) {
  return send(urls.change, () => ({edits, sha256: flow.draft?.sha256 ?? ""}), said);
}

function send(url, body, said) {
  tell("");                                        // the same sentence twice is news twice
  busy += 1;
  const sent = waiting.then(async () => {
    try {
      const found = await ask(url, typeof body === "function" ? body() : body);
      if (found.gone) {
        location.assign(found.gone);
        return true;
      }
      take(found, flow);
      wrong("");
      tell(said);
      return true;
    } catch (error) {
      wrong(error.message);
      await load();
      return false;
    } finally {
      busy -= 1;
      if (heard && !busy) standing();
    }
  });
  waiting = sent;
  return sent;
}

async function load() {
  try {
    take(await ask(`${urls.flow}${script.number ? `?number=${script.number}` : ""}`));
  } catch (error) {
    wrong(error.message);
  }
}

// `before`: what was shown when this was asked for here; the text goes on from it.
function take(found, before = null) {
  flow = found;
  const may = editable();
  canvas.editable = may;
  canvas.show(flow);
  form.show(flow, [...canvas.chosen], may);
  text.show(flow, may, before);
  marks();
  for (const [act, on] of [["undo", flow.draft?.undo > 0], ["redo", flow.draft?.redo > 0], ["place", true],
    ["publish", flow.draft !== null]]) {
    const button = document.querySelector(`[data-act=${act}]`);
    if (button) button.disabled = !(may && on);
  }
  const drop = document.querySelector("[data-act=drop]");
  if (drop) drop.hidden = flow.draft === null;
  by("compare").hidden = flow.draft === null || flow.head === null;
  document.querySelector(".flow-palette").toggleAttribute("inert", !may);
  if (trial.open) trial.restart();
  theirs();
}

// --- what is said ---

function tell(said) {
  by("said").textContent = said ?? "";
}

function wrong(said) {
  const place = by("wrong");
  place.hidden = !said;
  place.querySelector("span").textContent = said ? `${say("refused")} ${said}` : "";
}

function marks() {
  const found = flow.mistakes;
  by("marks").replaceChildren(element("h2", {}, found.length ? say("mistakes", found.length) : say("in_order")),
    element("ol", {class: "flow-marks"}, ...found.map(one => element("li", {}, element("button", {type: "button", class: "quiet",
      onclick: () => {
        if (flow.nodes.some(node => node.name === one.node)) {
          choose([one.node]);
          form.focus();
        } else {
          tab("text");
          text.go(one.line);
        }
      }}, element("b", {}, one.node || (one.line ? say("line", one.line) : say("whole"))), ` ${one.text}`)))));
  by("marks").toggleAttribute("data-wrong", found.length > 0);
}

// Somebody else's draft, or a change that was not made here.
function theirs() {
  const place = by("theirs"), [said, button] = [place.querySelector("span"), place.querySelector("button")];
  const other = script.may_change && flow.draft !== null && !flow.draft.mine;
  place.hidden = !other;
  if (!other) {
    if (text.behind) another(flow, flow.draft?.by || flow.head?.by || by("flow-standing")?.dataset.by || "");
    return;
  }
  said.textContent = say("draft_of", flow.draft.by);
  button.textContent = say("take_over");
  button.onclick = twice(button, say("sure_take"), () => send(urls.change, {edits: [], take: true}, say("reloaded")));
}

// The text that is being written was begun on another one: it is shown when he says so.
function another(found, person) {
  const place = by("theirs"), button = place.querySelector("button");
  place.hidden = false;
  place.querySelector("span").textContent = say("theirs", person);
  button.textContent = say("show_it");
  button.onblur = null;
  button.onclick = () => {
    text.area.value = text.picture.text;
    take(found);
  };
}

const isAs = (draft, head) => draft === (flow.draft?.sha256 ?? "") && head === (flow.head?.number ?? 0);

// What was told may be of a change before the last one from here: the box is asked before anybody is alarmed.
function standing() {
  const there = by("flow-standing");
  if (!there || !flow || script.number || there.dataset.draft === undefined) return;
  heard = busy > 0;
  if (heard || isAs(there.dataset.draft, Number(there.dataset.head))) return;
  waiting = waiting.then(async () => {
    const found = await ask(urls.flow).catch(() => null);
    if (found && !isAs(found.draft?.sha256 ?? "", found.head?.number ?? 0)) changed(found, there.dataset.by);
  });
}

function changed(found, person) {
  if (!text.changed && !canvas.moved.size) {
    take(found);
    tell(say("theirs", person));
    return;
  }
  another(found, person);
}

// --- changes ---

const nodeOf = name => flow.nodes.find(node => node.name === name);

function choose(names) {
  canvas.choose(names);
  if (names.length) canvas.intoView(names[0]);
}

function wireEdits(name, place, to) {
  const node = nodeOf(name), way = node.ways[place];
  if (!isOpen(way)) return [{do: "set", keys: ["nodes", name, ...way.keys], ...(to ? {value: to} : {gone: true})}];
  if (!to) return [];
  const used = new Set(node.ways.map(one => String(one.keys[1])));
  return moreEdits(node, way, way.keys[0] === "digits" ? KEYS.find(key => !used.has(key)) : "false", to);
}

function moreEdits(node, way, key, to) {
  if (way.keys[0] === "digits") return [{do: "set", keys: ["nodes", node.name, "digits", key], value: to}];
  const number = node.ways.filter(one => one.keys[0] === way.keys[0] && !isOpen(one)).length;
  return [{do: "set", keys: ["nodes", node.name, way.keys[0], number], value: {when: key, next: to}}];
}

function wire(name, place, to) {
  const said = waySaid(nodeOf(name).ways[place]);
  const edits = wireEdits(name, place, to);
  if (edits.length) change(edits, to ? say("wired", name, said, to) : say("unwired", name, said)).then(() => canvas.choose([name]));
}

function more(name, way, key, to) {
  change(moreEdits(nodeOf(name), way, key, to), say("wired", name, key, to));
}

function remove(names) {
  change(names.map(name => ({do: "remove", name})), say("deleted", names.join(", "))).then(done => {
    if (done) by("picture").focus({preventScroll: true});
  });
}

function freeName(like, taken) {
  if (!taken.has(like)) return like;
  const stem = like.replace(/-\d+$/, "").slice(0, 27);
  let number = 2;
  while (taken.has(`${stem}-${number}`)) number += 1;
  return `${stem}-${number}`;
}

// A place where no node is.
function freePlace(x, y) {
  const place = {x: snap(x), y: snap(y)};
  const hit = () => flow.nodes.find(node => Math.abs(node.x - place.x) < WIDTH + 20
    && place.y < node.y + height(node) + 20 && node.y < place.y + HEAD + 70);
  for (let found = hit(); found; found = hit()) place.y = snap(found.y + height(found) + BELOW);
  return place;
}

// At a place, or to the right of the one that is chosen, and wired to it where it leads nowhere yet.
function put(kind, at) {
  if (!editable()) return;
  const name = freeName(kind, new Set(flow.nodes.map(node => node.name)));
  const from = !at && canvas.chosen.size === 1 ? nodeOf([...canvas.chosen][0]) : null;
  const middle = canvas.middle();
  const {x, y} = at ? {x: snap(at.x - 20), y: snap(at.y - 20)}
    : from ? freePlace(from.x + WIDTH + BESIDE, from.y) : freePlace(middle.x, middle.y);
  const edits = [{do: "add", name, kind}, {do: "move", name, x, y}];
  const free = from?.ways.findIndex(way => !way.to && way.required) ?? -1;
  if (free >= 0) edits.push(...wireEdits(from.name, free, name));
  change(edits, say("added", name)).then(done => {
    if (!done) return;
    choose([name]);
    canvas.focus(name);
  });
}

function paste(names) {
  const there = names.map(nodeOf).filter(Boolean), taken = new Set(flow.nodes.map(node => node.name));
  if (!there.length || !editable()) return;
  const called = new Map();
  for (const node of there) {
    called.set(node.name, freeName(node.name, taken));
    taken.add(called.get(node.name));
  }
  const edits = there.flatMap(node => [
    {do: "add", name: called.get(node.name), like: node.name},
    {do: "move", name: called.get(node.name), x: node.x + 40, y: node.y + 40}]);
  for (const node of there) for (const way of node.ways) if (called.has(way.to) && !isOpen(way))
    edits.push({do: "set", keys: ["nodes", called.get(node.name), ...way.keys], value: called.get(way.to)});
  change(edits, say("pasted", there.length)).then(done => {
    if (done) choose([...called.values()]);
  });
}

// The second click acts; who goes elsewhere after the first is asked again.
function twice(button, sure, act) {
  let plain = null;
  const rest = () => {
    if (plain !== null) button.textContent = plain;
    plain = null;
  };
  button.onblur = rest;
  return () => {
    if (plain !== null) {
      rest();
      return act();
    }
    plain = button.textContent;
    button.textContent = sure;
    button.focus();                               // not every browser does by a click
  };
}

// --- the page ---

async function tab(name) {
  if (name === "picture" && text.changed && !await text.send()) return;
  for (const one of ["picture", "text"]) {
    by(`tab-${one}`).setAttribute("aria-selected", String(one === name));
    by(`tab-${one}`).tabIndex = one === name ? 0 : -1;
    by(`as-${one}`).hidden = one !== name;
  }
  if (name === "text") text.number(true);
}

function keys(event) {
  const typing = event.target.closest("input, textarea, select");
  if (!(event.ctrlKey || event.metaKey) || event.altKey || typing || !editable()) return;
  const chosen = [...canvas.chosen];
  const acts = {
    z: () => event.shiftKey ? redo() : undo(), y: redo, d: () => paste(chosen),
    c: () => {
      if (!chosen.length) return null;
      sessionStorage.setItem(CLIPBOARD, JSON.stringify(chosen));
      return tell(say("copied", chosen.length));
    },
    v: () => paste(JSON.parse(sessionStorage.getItem(CLIPBOARD) ?? "[]")),
    a: () => canvas.choose(flow.nodes.map(node => node.name)),
  };
  const act = acts[event.key.toLowerCase()];
  if (!act || (event.key === "c" && String(getSelection()))) return;
  event.preventDefault();
  act();
}

const undo = () => { if (flow.draft?.undo) send(urls.step, {steps: 1}, say("undone")); };
const redo = () => { if (flow.draft?.redo) send(urls.step, {steps: -1}, say("redone")); };

function publish(event) {
  event.preventDefault();
  const comment = new FormData(by("publish")).get("comment").trim();
  send(urls.publish, () => ({comment, base: flow.head?.number ?? 0, sha256: flow.draft?.sha256 ?? ""}), "").then(done => {
    if (!done) return;
    by("publish").hidden = true;
    by("publish").reset();
    tell(say("is_published", flow.head.number));
  });
}

async function traffic(period) {
  if (!period) return canvas.count(null);
  try {
    const {nodes} = await ask(`${script.traffic}?period=${period}`);
    canvas.count(nodes);
    tell(Object.values(nodes).some(one => one.entered) ? "" : say("no_traffic"));
  } catch (error) {
    wrong(error.message);
  }
  return null;
}

const acts = {
  undo, redo,
  place: () => change([{do: "place"}], say("tidied")).then(() => canvas.fit()),
  try: () => trial.begin(flow),
  publish: async () => {
    if (text.changed && !await text.send()) return;
    by("publish").hidden = false;
    by("publish").querySelector("input").focus();
  },
  "not-yet": () => { by("publish").hidden = true; },
};
for (const [name, act] of Object.entries(acts)) document.querySelector(`[data-act=${name}]`)?.addEventListener("click", act);
const drop = document.querySelector("[data-act=drop]");
if (drop) drop.addEventListener("click", twice(drop, say("sure_discard"), () => send(urls.drop, () => ({take: !flow.draft?.mine}), say("reloaded"))));
by("publish").addEventListener("submit", publish);
by("period")?.addEventListener("change", event => traffic(event.target.value));
for (const one of ["picture", "text"]) {
  by(`tab-${one}`).addEventListener("click", () => tab(one));
  by(`tab-${one}`).addEventListener("keydown", event => {
    if (!["ArrowLeft", "ArrowRight"].includes(event.key)) return;
    const other = one === "picture" ? "text" : "picture";
    tab(other);
    by(`tab-${other}`).focus();
  });
}
addEventListener("keydown", keys);
addEventListener("beforeunload", event => { if (text.changed) event.preventDefault(); });
if (by("flow-standing")) new MutationObserver(standing).observe(by("flow-standing"), {attributes: true});

if (script.may_change) palette(document.querySelector(".flow-palette"), canvas, put);
else document.querySelector(".flow-palette").hidden = true;
await load();
canvas.fit(READABLE);
form.show(flow, [], editable());
