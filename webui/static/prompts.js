// Prompts: a sound with its waveform and the two ends of the part that stays, buttons that play, files on their way.

import {readable} from "./prompts-decode.js";

const SVG = "http://www.w3.org/2000/svg";
const HIGH = 100;                                 // of the drawing, in its own units
const FULL = 255;                                 // the loudest peak
const PIECE = 48 * 1024;
const NAME_MOST = 80;                             // of a file's name, that is shown
const STEPS_MS = {ArrowLeft: -10, ArrowRight: 10, ArrowDown: -10, ArrowUp: 10, PageDown: -500, PageUp: 500};
const SHIFTED = 10;                               // as far with the shift key

const drawing = (name, attributes = {}) => {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
};

const part = (name, className, text = "") => {
  const element = document.createElement(name);
  element.className = className;
  element.textContent = text;
  return element;
};

const seconds = ms => `${(ms / 1000).toFixed(2)} s`;

// One sound at a time on a page.
let heard = null;

function hear(audio) {
  if (heard && heard !== audio) heard.pause();
  heard = audio;
  return audio.play();
}

class Sound extends HTMLElement {
  static observedAttributes = ["data-stamp"];

  connectedCallback() {
    if (this.audio) return;
    this.audio = new Audio();
    this.audio.preload = "none";
    this.lengthMs = 0;
    this.build();
    for (const name of ["play", "pause", "timeupdate", "ended"]) this.audio.addEventListener(name, () => this.paint());
    this.audio.addEventListener("error", () => { this.note.textContent = this.dataset.gone; });
    this.look();
  }

  disconnectedCallback() {
    this.audio?.pause();
  }

  attributeChangedCallback(_name, was, is) {
    if (this.audio && was !== is) this.look();
  }

  build() {
    this.button = part("button", "button play", "");
    this.button.type = "button";
    this.button.addEventListener("click", () => this.toggle());
    this.time = part("output", "position");
    this.note = part("span", "note");
    this.wave = drawing("svg", {class: "wave", viewBox: `0 0 1000 ${HIGH}`, preserveAspectRatio: "none", "aria-hidden": "true"});
    this.ends = ["first", "last"].map(which => {
      const end = part("button", `end ${which}`);
      end.type = "button";
      end.setAttribute("role", "slider");
      end.setAttribute("aria-label", this.dataset[which]);
      end.addEventListener("keydown", event => this.key(event, which));
      end.addEventListener("pointerdown", event => end.setPointerCapture(event.pointerId));
      end.addEventListener("pointermove", event => { if (event.buttons & 1) this.drag(event, which); });
      return end;
    });
    this.strip = part("div", "strip");
    this.strip.append(this.wave, ...this.ends);
    this.wave.addEventListener("pointerdown", event => this.jump(event));
    const bar = part("div", "controls");
    bar.append(this.button, this.time, this.note);
    this.append(this.strip, bar);
    for (const field of this.fields()) field?.addEventListener("input", () => this.paint());
    this.paint();
  }

  // The form's numbers are the truth: the handles show them.
  fields() {
    const form = document.getElementById(this.dataset.form);
    return form ? [form.elements.from_ms, form.elements.to_ms] : [null, null];
  }

  range() {
    const [first, last] = this.fields();
    const within = value => Math.min(Math.max(Number(value) || 0, 0), this.lengthMs);
    return first ? [within(first.value), last.value === "" ? this.lengthMs : within(last.value)] : [0, this.lengthMs];
  }

  async look() {
    this.audio.removeAttribute("src");
    try {
      const answer = await fetch(this.dataset.peaks, {cache: "no-store"});
      if (!answer.ok) throw new Error(answer.status);
      const found = await answer.json();
      const longer = found.length_ms !== this.lengthMs;
      this.lengthMs = found.length_ms;
      this.note.textContent = "";
      const [first, last] = this.fields();
      if (first && longer) {
        for (const field of [first, last]) field.max = this.lengthMs;
        first.value = 0;
        last.value = this.lengthMs;
      }
      this.draw(found.peaks);
    } catch {
      this.note.textContent = this.dataset.gone;
    }
  }

  draw(peaks) {
    const wide = 1000 / Math.max(peaks.length, 1);
    const d = peaks.map((peak, bin) => {
      const half = Math.max(0.5, Math.sqrt(peak / FULL) * (HIGH / 2 - 4));
      return `M${(bin * wide).toFixed(2)} ${(HIGH / 2 - half).toFixed(1)}h${(wide * 0.75).toFixed(2)}v${(2 * half).toFixed(1)}h-${(wide * 0.75).toFixed(2)}z`;
    }).join("");
    this.before = drawing("rect", {class: "cut-off", x: 0, y: 0, width: 0, height: HIGH});
    this.after = drawing("rect", {class: "cut-off", x: 1000, y: 0, width: 0, height: HIGH});
    this.head = drawing("line", {class: "head", x1: 0, x2: 0, y1: 0, y2: HIGH});
    this.wave.replaceChildren(drawing("path", {d}), this.before, this.after, this.head);
    this.paint();
  }

  paint() {
    const playing = !this.audio.paused && !this.audio.ended;
    const at = this.audio.currentTime * 1000;
    this.button.textContent = playing ? this.dataset.pause : this.dataset.play;
    this.button.dataset.state = playing ? "playing" : "still";
    this.time.textContent = `${seconds(Math.min(at, this.lengthMs))} / ${seconds(this.lengthMs)}`;
    const [first, last] = this.range();
    const editable = Boolean(this.fields()[0]);
    for (const [end, value] of [[this.ends[0], first], [this.ends[1], last]]) {
      end.hidden = !editable;
      end.setAttribute("aria-valuemin", "0");
      end.setAttribute("aria-valuemax", String(this.lengthMs));
      end.setAttribute("aria-valuenow", String(value));
      end.setAttribute("aria-valuetext", seconds(value));
      end.style.left = `${this.lengthMs ? value / this.lengthMs * 100 : 0}%`;
    }
    if (!this.head) return;
    const across = ms => this.lengthMs ? ms / this.lengthMs * 1000 : 0;
    this.before.setAttribute("width", across(first));
    this.after.setAttribute("x", across(last));
    this.after.setAttribute("width", Math.max(0, 1000 - across(last)));
    this.head.setAttribute("x1", across(at));
    this.head.setAttribute("x2", across(at));
  }

  follow() {
    const [, last] = this.range();
    if (this.audio.currentTime * 1000 >= last && last < this.lengthMs) this.audio.pause();
    this.paint();
    if (!this.audio.paused && this.isConnected) requestAnimationFrame(() => this.follow());
  }

  // What stays is what is heard.
  toggle() {
    if (!this.audio.paused) return this.audio.pause();
    if (!this.audio.src) this.audio.src = this.dataset.audio;
    const [first, last] = this.range();
    const at = this.audio.currentTime * 1000;
    if (this.audio.ended || at < first || at >= last - 20) this.audio.currentTime = first / 1000;
    hear(this.audio).then(() => this.follow()).catch(() => {});      // said by its error event
  }

  at(event) {
    const box = this.wave.getBoundingClientRect();
    return Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1) * this.lengthMs;
  }

  jump(event) {
    if (!this.audio.src) this.audio.src = this.dataset.audio;
    this.audio.currentTime = this.at(event) / 1000;
    this.paint();
  }

  drag(event, which) {
    this.move(which, Math.round(this.at(event) / 10) * 10);
  }

  move(which, ms) {
    const [first, last] = this.range();
    const [from, to] = this.fields();
    if (which === "first") from.value = Math.min(Math.max(ms, 0), last - 20);
    else to.value = Math.max(Math.min(ms, this.lengthMs), first + 20);
    this.paint();
  }

  key(event, which) {
    const [first, last] = this.range();
    const now = which === "first" ? first : last;
    let ms = null;
    if (event.key in STEPS_MS) ms = now + STEPS_MS[event.key] * (event.shiftKey ? SHIFTED : 1);
    if (event.key === "Home") ms = 0;
    if (event.key === "End") ms = this.lengthMs;
    if (event.key === " " || event.key === "Enter") this.toggle();
    else if (ms === null) return;
    else this.move(which, ms);
    event.preventDefault();
  }
}

customElements.define("branchline-sound", Sound);

// A link to a sound plays it here, again pressed it stops.
const sounds = new Map();

document.addEventListener("click", event => {
  const link = event.target.closest("a[data-sound]");
  if (!link) return;
  event.preventDefault();
  let audio = sounds.get(link.href);
  if (!audio) {
    audio = new Audio(link.href);
    sounds.set(link.href, audio);
    for (const name of ["play", "pause", "ended"])
      audio.addEventListener(name, () => { link.dataset.state = audio.paused ? "still" : "playing"; });
  }
  if (audio.paused) {
    audio.currentTime = 0;
    hear(audio).catch(() => { link.dataset.state = "failed"; });
  } else audio.pause();
});

// A file goes in pieces before the form that asks for it.
async function bring(form, file) {
  const bar = form.querySelector("progress");
  const upload = Array.from(crypto.getRandomValues(new Uint8Array(16)), one => one.toString(16).padStart(2, "0")).join("");
  bar.hidden = false;
  bar.max = file.size;
  bar.value = 0;
  for (let offset = 0; offset < file.size;) {
    const address = new URL(form.dataset.promptPieces, location);
    address.search = new URLSearchParams({upload, offset, total: file.size});
    const answer = await fetch(address, {
      method: "POST", body: file.slice(offset, offset + PIECE),
      headers: {"X-CSRFToken": form.elements.csrf_token.value, "Content-Type": "application/octet-stream", "Accept": "application/json"}});
    const text = await answer.text();
    if (!answer.ok) throw new Error(text);
    offset = bar.value = Number(text);
  }
  form.elements.upload.value = upload;
}

document.addEventListener("submit", async event => {
  const form = event.target;
  if (!form.dataset.promptPieces) return;
  event.preventDefault();
  const [file] = form.elements.file.files;
  const said = form.querySelector("output[role=alert]");
  const button = form.querySelector("button");
  said.textContent = "";
  if (!file) return form.elements.file.click();
  button.disabled = true;
  try {
    const {converting, long} = form.dataset, status = form.querySelector("[role=status]");
    const sent = await readable(file, () => { status.textContent = converting; }, long);
    if (sent === file) status.textContent = "";
    form.elements.converted.value = sent === file ? "" : file.name.slice(-NAME_MOST);
    await bring(form, sent);
    form.elements.file.disabled = true;           // it is there already
    form.submit();
  } catch (error) {
    said.textContent = error.message;
    form.querySelector("[role=status]").textContent = "";
    button.disabled = false;
  }
});
