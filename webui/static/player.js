// <branchline-player>: one recording, its two voices as lanes, marks where something happened. Nothing of its audio
// is fetched before somebody plays it: who does is written down. Click or arrow keys seek, space plays.
// A recording that is still being made plays as far as it was when last looked at, and is looked at again.

const SVG = "http://www.w3.org/2000/svg";
const LANE = 50;                                  // height of a lane in the drawing's units
const FULL = 255;                                 // the loudest peak
const STEP_S = 5;
const LOOK_AGAIN_MS = 4000;
const SPEEDS = [0.75, 1, 1.25, 1.5, 1.75, 2];
const SIDES = ["caller", "agent"];                // left, right
const LEFT_OF_SILENCE_S = 0.4;                    // at both of its ends
const TYPES = {opus: 'audio/ogg; codecs="opus"', flac: "audio/flac", wav: "audio/wav"};

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

const button = (className, text, act) => {
  const element = part("button", className, text);
  element.type = "button";
  element.addEventListener("click", act);
  return element;
};

const choice = (label, options, chosen, act) => {
  const element = part("select", "quiet");
  element.setAttribute("aria-label", label);
  element.title = label;
  element.append(...options.map(([value, text]) => new Option(text, value, false, value === chosen)));
  element.addEventListener("change", act);
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
    this.silences = [];
    this.marks = [];
    this.audio = new Audio();
    this.audio.preload = "none";
    this.build();
    for (const name of ["play", "pause", "timeupdate", "seeked", "ended", "loadedmetadata"])
      this.audio.addEventListener(name, () => this.paint());
    this.audio.addEventListener("play", () => this.follow());
    this.audio.addEventListener("pause", () => this.tell());
    this.audio.addEventListener("ended", () => this.look(true));
    this.audio.addEventListener("error", () => this.otherwise());
    this.ready = this.look(false);
  }

  disconnectedCallback() {
    clearTimeout(this.again);
    this.audio.pause();
  }

  build() {
    const words = this.dataset;
    this.button = button("button play", "", () => this.toggle());
    this.time = part("output", "position");
    this.note = part("span", "note");
    this.skips = button("quiet skips", words.skip, () => this.skip());
    this.skips.setAttribute("aria-pressed", "false");
    this.skips.hidden = true;
    this.sides = choice(words.sides, [["both", words.both], ["caller", words.callerOnly], ["agent", words.agentOnly]],
      "both", () => this.route());
    this.speed = choice(words.speed, SPEEDS.map(speed => [String(speed), `${speed}×`]), "1", () => this.pace());
    this.download = part("a", "quiet", words.download);
    this.download.href = this.url({download: ""});
    const bar = part("div", "controls");
    bar.append(this.button, this.time, this.note, part("span", "space"), this.skips, this.sides, this.speed);
    if (words.download) bar.append(this.download);
    this.wave = drawing("svg", {
      viewBox: `0 0 1 ${2 * LANE}`, preserveAspectRatio: "none", role: "slider", tabindex: "0",
      "aria-label": words.position, "aria-valuemin": "0"});
    this.wave.addEventListener("pointerdown", event => this.drag(event));
    this.wave.addEventListener("pointermove", event => { if (event.buttons & 1) this.drag(event); });
    this.wave.addEventListener("pointerup", () => this.tell());
    this.wave.addEventListener("keydown", event => this.key(event));
    const names = part("div", "names");
    names.append(part("span", "caller", words.caller), part("span", "agent", words.agent));
    const lanes = part("div", "lanes");
    lanes.append(names, this.wave);
    this.list = part("ol", "marks");
    this.list.setAttribute("aria-label", words.marks);
    this.append(lanes, bar, this.list);
    this.paint();
  }

  url(changes) {
    const url = new URL(this.dataset.audio, location);
    for (const [key, value] of Object.entries(changes)) url.searchParams.set(key, value);
    return url.pathname + url.search;
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
    const grown = found.ticks !== this.ticks || found.finished !== this.finished;
    const first = this.ticks === undefined;
    const notes = [];
    if (!found.finished) notes.push(this.dataset.going);
    if (found.gap_s) notes.push(this.dataset.gap.replace("{}", found.gap_s.toFixed(1)));
    if (found.gone) notes.push(found.gone);
    this.note.textContent = notes.join(" · ");
    this.button.disabled = Boolean(found.gone);
    this.download.hidden = Boolean(found.gone);
    if (!found.finished) this.again = setTimeout(() => this.look(false), LOOK_AGAIN_MS);
    if (!grown || (!goOn && !this.audio.paused)) return;
    const longer = found.duration_s > this.duration + 0.05;
    Object.assign(this, {ticks: found.ticks, finished: found.finished, duration: found.duration_s});
    this.silences = found.silences;
    this.marks = found.marks;
    this.form = found.finished && this.audio.canPlayType(TYPES[found.format] ?? "") ? "stored" : "wav";
    this.draw(found.caller, found.agent);
    this.name();
    if (this.audio.src) this.load();
    if (first) this.begin();
    if (goOn && longer) this.audio.play();
    this.paint();
  }

  load() {
    const at = this.audio.currentTime;
    this.audio.src = this.finished ? this.url({form: this.form}) : this.url({form: "wav", ticks: this.ticks});
    this.pace();
    if (at) this.audio.currentTime = at;
  }

  begin() {
    const asked = /^#(?:t=)?(\d+(?:\.\d+)?)$/.exec(location.hash);
    if (asked && document.querySelector("branchline-player") === this) this.seek(Number(asked[1]));
  }

  // A player that says it can and then cannot gets what every one can.
  otherwise() {
    if (this.form !== "stored") return this.fail();
    const at = this.audio.currentTime;
    this.form = "wav";
    this.load();
    if (at) this.audio.currentTime = at;
    this.audio.play();
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
    this.wave.replaceChildren(clip, ...this.pauses(), drawing("line", {class: "axis", x1: 0, x2: bins, y1: LANE, y2: LANE}));
    for (const [name, peaks, middle] of [["caller", caller, LANE / 2], ["agent", agent, 1.5 * LANE]]) {
      const path = peaks.map((peak, bin) => {
        const half = Math.max(0.6, Math.sqrt(peak / FULL) * (LANE / 2 - 3));
        return `M${bin + 0.15} ${(middle - half).toFixed(1)}h0.7v${(2 * half).toFixed(1)}h-0.7z`;
      }).join("");
      this.wave.append(
        drawing("path", {class: name, d: path}),
        drawing("path", {class: `${name} played`, d: path, "clip-path": `url(#${this.clip})`}));
    }
    for (const mark of this.marks) {
      const x = this.across(mark.at);
      const line = drawing("line", {class: "mark", "data-kind": mark.kind, x1: x, x2: x, y1: 0, y2: 2 * LANE});
      const title = drawing("title");
      title.textContent = `${clock(mark.at)} ${mark.title}`;
      line.append(title);
      this.wave.append(line);
    }
    this.wave.append(this.head);
  }

  // Where the recording was silent on purpose.
  pauses() {
    return this.marks.filter(mark => mark.kind === "paused").map(mark => {
      const end = this.marks.find(one => one.kind === "resumed" && one.at >= mark.at)?.at ?? this.duration;
      return drawing("rect", {class: "pause", x: this.across(mark.at), y: 0,
        width: this.across(end) - this.across(mark.at), height: 2 * LANE});
    });
  }

  across(seconds) {
    return this.duration ? seconds / this.duration * this.bins : 0;
  }

  name() {
    this.skips.hidden = !this.silences.length;
    this.list.replaceChildren(...this.marks.map(mark => {
      const item = part("li", "");
      const jump = button("quiet", "", () => this.hear(mark.at));
      const key = part("span", "key");
      key.dataset.kind = mark.kind;
      jump.append(key, part("time", "", clock(mark.at)), ` ${mark.title}`);
      item.append(jump);
      return item;
    }));
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
    const x = this.across(at);
    this.played.setAttribute("width", x);
    this.head.setAttribute("x1", x);
    this.head.setAttribute("x2", x);
  }

  follow() {
    if (this.skipping) this.pass();
    this.paint();
    if (!this.audio.paused && this.isConnected) requestAnimationFrame(() => this.follow());
  }

  pass() {
    const at = this.audio.currentTime;
    const silence = this.silences.find(([begin, end]) => begin + LEFT_OF_SILENCE_S <= at && at < end - LEFT_OF_SILENCE_S);
    if (silence && !this.audio.seeking) this.audio.currentTime = silence[1] - LEFT_OF_SILENCE_S;
  }

  async toggle() {
    await this.ready;
    if (this.audio.paused) this.hear();
    else this.audio.pause();
  }

  hear(seconds) {
    if (this.button.disabled) return;
    if (!this.audio.src) this.load();
    if (seconds !== undefined) this.seek(seconds);
    this.audio.play().catch(() => {});            // said by its error event
  }

  skip() {
    this.skipping = !this.skipping;
    this.skips.setAttribute("aria-pressed", String(this.skipping));
  }

  pace() {
    this.audio.playbackRate = Number(this.speed.value);
  }

  faster(steps) {
    const next = SPEEDS.indexOf(Number(this.speed.value)) + steps;
    this.speed.value = String(SPEEDS[Math.min(Math.max(next, 0), SPEEDS.length - 1)]);
    this.pace();
  }

  // One side goes to both ears.
  route() {
    const wanted = SIDES.indexOf(this.sides.value);
    if (!this.ways) {
      const context = new AudioContext();
      const splitter = context.createChannelSplitter(2);
      const merger = context.createChannelMerger(2);
      context.createMediaElementSource(this.audio).connect(splitter);
      merger.connect(context.destination);
      this.ways = [[0, 0], [0, 1], [1, 0], [1, 1]].map(([from, to]) => {
        const gain = context.createGain();
        splitter.connect(gain, from);
        gain.connect(merger, 0, to);
        return {from, to, gain: gain.gain};
      });
      context.resume();
    }
    for (const {from, to, gain} of this.ways) gain.value = Number(wanted < 0 ? from === to : from === wanted);
  }

  seek(seconds) {
    this.audio.currentTime = Math.min(Math.max(seconds, 0), this.duration);
    this.paint();
  }

  // The address says the place, so that it can be given to others.
  tell() {
    if ("place" in this.dataset && !this.audio.ended)
      history.replaceState(null, "", `#t=${Math.floor(this.audio.currentTime)}`);
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
      "<": () => this.faster(-1), ">": () => this.faster(1), s: () => this.skip(),
    };
    if (!acts[event.key]) return;
    event.preventDefault();
    acts[event.key]();
  }
}

customElements.define("branchline-player", Player);
