// <branchline-player>: one recording, its two voices as lanes. Click or arrow keys seek, space plays.
// A recording that is still being made plays as far as it was when last looked at, and is looked at again.

const SVG = "http://www.w3.org/2000/svg";
const LANE = 50;                                  // height of a lane in the drawing's units
const STEP_S = 5;
const LOOK_AGAIN_MS = 4000;
const SPEEDS = [1, 1.5, 2, 0.75];

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

const clock = seconds => {
  const whole = Math.floor(seconds + 0.001);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
};

let count = 0;

class Player extends HTMLElement {
  connectedCallback() {
    if (this.audio) return;
    this.clip = `played-${count += 1}`;
    this.duration = 0;
    this.audio = new Audio();
    this.audio.preload = "metadata";
    this.build();
    for (const name of ["play", "pause", "timeupdate", "seeked", "ended", "loadedmetadata"])
      this.audio.addEventListener(name, () => this.paint());
    this.audio.addEventListener("play", () => this.follow());
    this.audio.addEventListener("ended", () => this.look(true));
    this.audio.addEventListener("error", () => this.fail());
    this.look(false);
  }

  disconnectedCallback() {
    clearTimeout(this.again);
    this.audio.pause();
  }

  build() {
    this.button = part("button", "button play");
    this.button.type = "button";
    this.button.addEventListener("click", () => this.toggle());
    this.time = part("output", "position");
    this.note = part("span", "note");
    this.speed = part("button", "quiet speed", "1×");
    this.speed.type = "button";
    this.speed.title = this.dataset.speed;
    this.speed.addEventListener("click", () => this.faster());
    const download = part("a", "quiet", this.dataset.download);
    download.href = `${this.dataset.audio}?download`;
    const bar = part("div", "controls");
    bar.append(this.button, this.time, this.note, part("span", "space"), this.speed, download);
    this.wave = drawing("svg", {
      viewBox: `0 0 1 ${2 * LANE}`, preserveAspectRatio: "none", role: "slider", tabindex: "0",
      "aria-label": this.dataset.position, "aria-valuemin": "0"});
    this.wave.addEventListener("pointerdown", event => this.drag(event));
    this.wave.addEventListener("pointermove", event => { if (event.buttons & 1) this.drag(event); });
    this.wave.addEventListener("keydown", event => this.key(event));
    const names = part("div", "names");
    names.append(part("span", "caller", this.dataset.caller), part("span", "agent", this.dataset.agent));
    const lanes = part("div", "lanes");
    lanes.append(names, this.wave);
    this.append(lanes, bar);
    this.paint();
  }

  async look(goOn) {
    clearTimeout(this.again);
    try {
      const answer = await fetch(this.dataset.recording, {cache: "no-store"});
      if (!answer.ok) throw new Error(answer.status);
      this.take(await answer.json(), goOn);
    } catch {
      this.fail();
    }
  }

  take(found, goOn) {
    const grown = found.ticks !== this.ticks;
    const notes = [];
    if (!found.finished) notes.push(this.dataset.going);
    if (found.gap_s) notes.push(this.dataset.gap.replace("{}", found.gap_s.toFixed(1)));
    this.note.textContent = notes.join(" · ");
    if (!found.finished) this.again = setTimeout(() => this.look(false), LOOK_AGAIN_MS);
    if (!grown || (!goOn && !this.audio.paused)) return;
    this.ticks = found.ticks;
    this.duration = found.duration_s;
    this.draw(found.caller, found.agent);
    const at = this.audio.currentTime;
    this.audio.src = `${this.dataset.audio}?ticks=${found.ticks}`;
    this.audio.playbackRate = this.rate ?? 1;
    if (at) this.audio.currentTime = at;
    if (goOn) this.audio.play();
    this.paint();
  }

  fail() {
    this.note.textContent = this.dataset.gone;
  }

  draw(caller, agent) {
    const bins = Math.max(caller.length, 1);
    const clip = drawing("clipPath", {id: this.clip});
    this.played = drawing("rect", {x: 0, y: 0, width: 0, height: 2 * LANE});
    clip.append(this.played);
    this.head = drawing("line", {class: "head", x1: 0, x2: 0, y1: 0, y2: 2 * LANE});
    this.wave.setAttribute("viewBox", `0 0 ${bins} ${2 * LANE}`);
    this.bins = bins;
    this.wave.replaceChildren(clip, drawing("line", {class: "axis", x1: 0, x2: bins, y1: LANE, y2: LANE}));
    for (const [name, peaks, middle] of [["caller", caller, LANE / 2], ["agent", agent, 1.5 * LANE]]) {
      const path = peaks.map((peak, bin) => {
        const half = Math.max(0.6, Math.sqrt(peak) * (LANE / 2 - 3));
        return `M${bin + 0.15} ${(middle - half).toFixed(1)}h0.7v${(2 * half).toFixed(1)}h-0.7z`;
      }).join("");
      this.wave.append(
        drawing("path", {class: name, d: path}),
        drawing("path", {class: `${name} played`, d: path, "clip-path": `url(#${this.clip})`}));
    }
    this.wave.append(this.head);
  }

  paint() {
    const at = Math.min(this.audio.currentTime, this.duration);
    const playing = !this.audio.paused && !this.audio.ended;
    this.button.textContent = playing ? this.dataset.pause : this.dataset.play;
    this.button.dataset.state = playing ? "playing" : "still";
    this.time.textContent = `${clock(at)} / ${clock(this.duration)}`;
    this.wave.setAttribute("aria-valuemax", this.duration.toFixed(1));
    this.wave.setAttribute("aria-valuenow", at.toFixed(1));
    this.wave.setAttribute("aria-valuetext", this.time.textContent);
    if (!this.head) return;
    const x = this.duration ? at / this.duration * this.bins : 0;
    this.played.setAttribute("width", x);
    this.head.setAttribute("x1", x);
    this.head.setAttribute("x2", x);
  }

  follow() {
    this.paint();
    if (!this.audio.paused && this.isConnected) requestAnimationFrame(() => this.follow());
  }

  toggle() {
    if (this.audio.paused) this.audio.play();
    else this.audio.pause();
  }

  faster() {
    this.rate = SPEEDS[(SPEEDS.indexOf(this.rate ?? 1) + 1) % SPEEDS.length];
    this.audio.playbackRate = this.rate;
    this.speed.textContent = `${this.rate}×`;
  }

  seek(seconds) {
    this.audio.currentTime = Math.min(Math.max(seconds, 0), this.duration);
    this.paint();
  }

  drag(event) {
    const box = this.wave.getBoundingClientRect();
    this.wave.setPointerCapture(event.pointerId);
    this.seek((event.clientX - box.left) / box.width * this.duration);
  }

  key(event) {
    const at = this.audio.currentTime;
    const acts = {
      ArrowRight: () => this.seek(at + STEP_S), ArrowLeft: () => this.seek(at - STEP_S),
      PageUp: () => this.seek(at + 6 * STEP_S), PageDown: () => this.seek(at - 6 * STEP_S),
      Home: () => this.seek(0), End: () => this.seek(this.duration), " ": () => this.toggle(), Enter: () => this.toggle(),
    };
    if (!acts[event.key]) return;
    event.preventDefault();
    acts[event.key]();
  }
}

customElements.define("branchline-player", Player);
