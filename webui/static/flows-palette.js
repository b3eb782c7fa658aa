// Kinds of nodes to put in: dragged onto the picture, or put beside what is chosen by a click or Enter.

import {ICONS} from "./flows-shape.js";
import {element, say, script} from "./flows-words.js";
import {svg} from "./flows-canvas.js";

const NEAR = 4;

export function palette(holder, canvas, put) {
  for (const [group, name] of script.words.groups) {
    const there = script.kinds.filter(kind => kind.group === group)
      .sort((a, b) => (script.words.order[a.kind] ?? 99) - (script.words.order[b.kind] ?? 99));
    if (!there.length) continue;
    holder.append(element("h2", {}, name), element("ul", {"data-group": group}, ...there.map(kind => {
      const button = element("button", {type: "button", "data-put": kind.kind, title: kind.about},
        glyph(kind.kind), element("span", {}, kind.words), element("small", {}, kind.about));
      button.addEventListener("click", event => { if (event.detail === 0) put(kind.kind, null); });
      button.addEventListener("pointerdown", event => press(event, kind, canvas, put));
      return element("li", {}, button);
    })));
  }
}

export function glyph(kind) {
  return svg("svg", {class: "flow-glyph", viewBox: "0 0 24 24", "aria-hidden": "true"},
    svg("path", {d: ICONS[kind] ?? ICONS.flow}));
}

function press(event, kind, canvas, put) {
  if (event.button) return;
  let ghost = null;
  const moved = now => {
    if (!ghost && Math.hypot(now.clientX - event.clientX, now.clientY - event.clientY) >= NEAR) {
      ghost = element("div", {class: "flow-ghost", popover: "manual"}, glyph(kind.kind), kind.words);
      document.body.append(ghost);
      ghost.showPopover();
    }
    if (ghost) ghost.style.translate = `${now.clientX + 6}px ${now.clientY + 6}px`;
  };
  const ended = now => {
    removeEventListener("pointermove", moved);
    removeEventListener("pointerup", ended);
    removeEventListener("pointercancel", ended);
    const dropped = ghost !== null;
    ghost?.remove();
    if (!dropped && now.type === "pointerup") put(kind.kind, null);
    else if (dropped && canvas.inside(now)) put(kind.kind, canvas.at(now));
  };
  addEventListener("pointermove", moved);
  addEventListener("pointerup", ended);
  addEventListener("pointercancel", ended);
}

