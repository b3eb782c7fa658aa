// The sound of alerts: short tones made here, for who has switched them on in this browser.

const AGAIN_MS = 20000;                           // a critical one, until somebody sees to it
const TONES = {info: [660], warning: [660, 880], critical: [880, 660, 880, 660]};          // Hz
const TONE_S = 0.16;
const GAP_S = 0.06;
const LOUD = 0.25;                                // of full scale

const button = document.getElementById("alert-sound");
const person = button?.dataset.person;
// Alerts are numbered anew in another file of theirs.
const names = {on: `alert-sound-${person}`, heard: `alert-heard-${person}-${button?.dataset.box}`};
let audio = null;

const kept = name => { try { return localStorage.getItem(name); } catch { return null; } };
const keep = (name, value) => { try { localStorage.setItem(name, value); } catch { /* this page only */ } };
const isOn = () => kept(names.on) === "yes";

function show() {
  const now = !isOn() ? "off" : audio?.state === "running" ? "on" : "wait";
  button.dataset.now = now;
  button.setAttribute("aria-pressed", String(now === "on"));
  button.title = button.dataset[now];
  button.setAttribute("aria-label", button.dataset[now]);
}

async function open() {
  audio ??= new AudioContext();
  audio.onstatechange = show;
  if (audio.state !== "running") audio.resume().catch(() => {});                 // waits for a click
  show();
}

function play(severity) {
  let at = audio.currentTime + 0.02;
  for (const hz of TONES[severity] ?? TONES.info) {
    const [tone, level] = [audio.createOscillator(), audio.createGain()];
    tone.frequency.value = hz;
    level.gain.setValueAtTime(0, at);
    level.gain.linearRampToValueAtTime(LOUD, at + 0.01);
    level.gain.setValueAtTime(LOUD, at + TONE_S - 0.02);
    level.gain.linearRampToValueAtTime(0, at + TONE_S);
    tone.connect(level).connect(audio.destination);
    tone.start(at);
    tone.stop(at + TONE_S);
    at += TONE_S + GAP_S;
  }
  button.dataset.played = String(Number(button.dataset.played ?? 0) + 1);
}

const standing = () => JSON.parse(document.getElementById("alert-tones")?.dataset.heard ?? "[]");

function listen(again) {
  if (!isOn() || audio?.state !== "running") return;
  const heard = Number(kept(names.heard) ?? 0);
  const fresh = standing().filter(([number, severity, seen]) => number > heard || (again && severity === "critical" && !seen));
  if (!fresh.length) return;
  keep(names.heard, Math.max(heard, ...fresh.map(([number]) => number)));
  const order = Object.keys(TONES);
  play(fresh.map(([, severity]) => severity).sort((one, other) => order.indexOf(other) - order.indexOf(one))[0]);
}

if (button) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const waits = isOn() && audio?.state !== "running";
    keep(names.on, isOn() && !waits ? "no" : "yes");
    if (!isOn()) return show();
    keep(names.heard, Math.max(0, ...standing().map(([number]) => number)));
    await open();
    await audio.resume();
    show();
    play("info");                                 // so it sounds
  });
  addEventListener("pointerdown", event => { if (!button.contains(event.target) && isOn() && audio && audio.state !== "running") audio.resume().then(show); });
  if (isOn()) open();
  show();
  const place = document.getElementById("alert-tones");
  if (place) new MutationObserver(() => listen(false)).observe(place, {attributes: true});
  setInterval(() => listen(true), AGAIN_MS);
  listen(false);
}
