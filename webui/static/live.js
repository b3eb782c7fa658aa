// A live page: fragments from the server's event stream go where their id is; running times go on by the box's clock.

import {morph} from "./morph.js";

const AGAIN_MS = 5000;
const AGAIN_QUIETLY_MS = 60000;                   // of a page where somebody may be writing: it is not loaded again
const serverTime = Number(document.querySelector("meta[name=server-time]").content);
let offset = serverTime - Date.now() / 1000;      // box minus browser, seconds

function duration(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const two = number => String(number).padStart(2, "0");
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

function tick() {
  const now = Date.now() / 1000 + offset;
  for (const time of document.querySelectorAll("time.running")) {
    const text = duration(now - Number(time.dataset.since));
    if (time.textContent !== text) time.textContent = text;
  }
  for (const time of document.querySelectorAll("time.remaining")) {
    const text = duration(Number(time.dataset.until) - now);
    if (time.textContent !== text) time.textContent = text;
  }
}

function show(name, html) {
  const holder = document.createElement("template");
  holder.innerHTML = html;
  const fresh = holder.content.firstElementChild;
  const shown = document.getElementById(name);
  if (shown) morph(shown, fresh);
  else for (const place of document.querySelectorAll("[data-into]"))
    if (name.startsWith(place.dataset.into)) place.append(fresh);
}

// Of a long fragment the server sends new lines, and which ones of those that the page has stay.
function whole(old, said) {
  if (typeof said === "string") return said;
  const lines = old.split("\n");
  return said.map(one => typeof one === "string" ? one : lines.slice(one[0], one[0] + one[1]).join("\n")).join("\n");
}

function listen(url) {
  const texts = new Map();                        // of this connection: another one begins with all of it
  const mark = document.getElementById("live");
  const address = new URL(url, location.href);
  address.searchParams.set("lines", "1");         // and not whole texts
  const source = new EventSource(address);
  source.addEventListener("open", () => { texts.clear(); if (mark) mark.dataset.now = "live"; });
  source.addEventListener("message", event => {
    const {now, fragments} = JSON.parse(event.data);
    offset = now - Date.now() / 1000;
    for (const [name, said] of Object.entries(fragments)) {
      texts.set(name, whole(texts.get(name), said));
      show(name, texts.get(name));
    }
    tick();
    if (document.querySelector("[data-ended]")) {
      source.close();
      mark?.remove();
    }
  });
  source.addEventListener("error", () => {
    if (mark) mark.dataset.now = "lost";
    if (source.readyState !== EventSource.CLOSED) return;
    setTimeout(mark ? comeBack : () => listen(url), mark ? AGAIN_MS : AGAIN_QUIETLY_MS);
  });
}

// The stream was refused: the session has ended, or too many pages are live. Loading the page again tells which,
// but only when the server is there to load it from.
async function comeBack() {
  try {
    await fetch("/healthz", {cache: "no-store"});
    location.reload();
  } catch {
    setTimeout(comeBack, AGAIN_MS);
  }
}

setInterval(tick, 250);
tick();
if (document.body.dataset.events) listen(document.body.dataset.events);
