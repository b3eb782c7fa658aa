// The picture: nodes, ways and wires in an SVG. It draws what it is given, once, and again only what has changed;
// what a person does with it goes to `on` (select, move, wire, open, remove, menu).

import {GRID, HEAD, ICONS, IN_Y, ROW, WIDTH, cut, height, outY, snap, wirePath} from "./flows-shape.js";
import {isOpen, kindName, kinds, say, wayName, waySaid} from "./flows-words.js";

const SVG = "http://www.w3.org/2000/svg";
const NEAR = 4;                                   // pixels: less is a click
const SMALLEST = 0.1, READABLE = 0.7, LARGEST = 2, STEP = 1.2;
export {READABLE};
const SETTLES_MS = 500;                           // after the last arrow key, a node is where it shall be
const nobody = () => {};

export function svg(name, attributes = {}, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) if (value !== null) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

export class Canvas {
  constructor(root, on = {}) {
    this.root = root;
    this.on = {select: nobody, move: nobody, wire: nobody, open: nobody, remove: nobody, ...on};
    this.editable = false;
    this.nodes = new Map();
    this.drawn = new Map();                       // name -> {g, told}
    this.wires = new Map();                       // "name place" -> g
    this.chosen = new Set();
    this.wire = null;                             // the chosen one: [name, place]
    this.view = {x: 20, y: 20, k: 1};
    this.traffic = null;
    this.moved = new Map();
    this.world = svg("g", {class: "world"});
    this.wireLayer = svg("g", {class: "wires"});
    this.nodeLayer = svg("g", {class: "nodes"});
    this.topLayer = svg("g", {class: "over"});
    this.world.append(this.wireLayer, this.nodeLayer, this.topLayer);
    root.append(this.world);
    root.addEventListener("pointerdown", event => this.press(event));
    root.addEventListener("wheel", event => this.wheel(event), {passive: false});
    root.addEventListener("keydown", event => this.key(event));
    root.addEventListener("focusin", event => this.focused(event));
    root.addEventListener("dblclick", event => {
      const name = nameAt(event.target);
      if (name) this.on.open(name);
    });
    for (const button of root.parentElement.querySelectorAll("[data-zoom]"))
      button.addEventListener("click", () => this.zoomBy(button.dataset.zoom));
    this.look();
  }

  // --- drawing ---

  show(picture, marks = new Map()) {
    this.first = picture.start;
    this.nodes = new Map(picture.nodes.map(node => [node.name, node]));
    for (const [name, {x, y}] of this.moved) if (this.nodes.has(name)) Object.assign(this.nodes.get(name), {x, y});
    const wrong = new Map();
    for (const {node, keys, text} of picture.mistakes ?? []) {
      if (!wrong.has(node)) wrong.set(node, []);
      wrong.get(node).push({keys, text});
    }
    for (const [name, {g}] of this.drawn) if (!this.nodes.has(name)) {
      g.remove();
      this.drawn.delete(name);
      this.chosen.delete(name);
    }
    for (const node of this.nodes.values()) this.drawNode(node, wrong.get(node.name) ?? [], marks.get(node.name) ?? "");
    this.inReadingOrder();
    this.drawWires();
    this.showChosen();
  }

  drawNode(node, wrong, mark) {
    const told = JSON.stringify([node.name, node.kind, node.about, node.ways, wrong, mark, node.name === this.first]);
    const known = this.drawn.get(node.name);
    if (known?.told === told) {
      known.g.setAttribute("transform", `translate(${node.x},${node.y})`);
      return;
    }
    const g = known?.g ?? svg("g", {class: "flow-node", tabindex: "0", role: "button"});
    const parts = [
      svg("rect", {class: "body", width: WIDTH, height: height(node), rx: 9}),
      svg("path", {class: "band", d: `M9 0H${WIDTH - 9}a9 9 0 0 1 9 9V32H0V9A9 9 0 0 1 9 0z`}),
      svg("path", {class: "glyph", d: ICONS[node.kind] ?? ICONS.flow, transform: "translate(9,6) scale(.83)"}),
      text("name", 36, 21, cut(node.name, 21)),
      text("about", 12, 47, cut(`${kindName(node.kind)}${node.about ? ` · ${node.about}` : ""}`, 31)),
      svg("circle", {class: "in", cx: 0, cy: IN_Y, r: 5})];
    node.ways.forEach((way, place) => parts.push(this.drawWay(node, way, place, wrong)));
    if (node.name === this.first) parts.push(svg("path", {class: "first", d: `M-26 ${IN_Y - 8}h12v-5l10 13-10 13v-5h-12z`}));
    if (wrong.length) parts.push(svg("g", {class: "wrong-mark", transform: `translate(${WIDTH - 12},-4)`},
      svg("title", {}, wrong.map(one => one.text).join("\n")), svg("circle", {r: 10}), text("", 0, 5, String(wrong.length))));
    g.replaceChildren(...parts);
    g.setAttribute("transform", `translate(${node.x},${node.y})`);
    g.dataset.name = node.name;
    g.dataset.group = kinds.get(node.kind)?.group ?? "end";
    g.toggleAttribute("data-wrong", wrong.length > 0);
    if (mark) g.dataset.change = mark;
    else delete g.dataset.change;
    g.setAttribute("aria-label", this.sayNode(node, wrong, mark));
    if (!known) this.nodeLayer.append(g);
    this.drawn.set(node.name, {g, told});
    this.countNode(node);
  }

  drawWay(node, way, place, wrong) {
    const open = isOpen(way);
    const bad = wrong.some(one => one.keys.length && way.keys.slice(0, one.keys.length).join("/") === one.keys.join("/"));
    const g = svg("g", {
      class: "way", "data-place": place, transform: `translate(0,${HEAD + ROW * place})`,
      "data-state": open ? "more" : way.to ? "wired" : way.required ? "lacks" : "free"},
    svg("title", {}, waySaid(way)),
    text("way-name", WIDTH - 14, 12, cut(wayName(way), 14)),
    text("way-count", 12, 12, ""),
    svg("circle", {class: "out", cx: WIDTH, cy: 8, r: 6}),
    svg("circle", {class: "grip", cx: WIDTH, cy: 8, r: 13}));
    g.toggleAttribute("data-bad", bad);
    return g;
  }

  sayNode(node, wrong, mark) {
    const parts = [say("node_is", node.name, kindName(node.kind), node.about)];
    if (node.name === this.first) parts.push(say("node_first"));
    const leads = node.ways.filter(way => way.to).map(way => `${waySaid(way)} ${way.to}`);
    if (leads.length) parts.push(say("node_leads", leads.join(", ")));
    if (wrong.length) parts.push(say("node_wrong"), ...wrong.map(one => one.text));
    if (mark) parts.push(say(`is_${mark === "added" ? "new" : mark}`));
    return parts.join("; ");
  }

  inReadingOrder() {
    const order = [...this.nodes.values()].sort((a, b) => Math.round(a.x / 150) - Math.round(b.x / 150) || a.y - b.y);
    const held = document.activeElement;
    let place = this.nodeLayer.firstChild, changed = false;
    for (const {name} of order) {
      const {g} = this.drawn.get(name);
      if (g === place) place = place.nextSibling;
      else {
        this.nodeLayer.insertBefore(g, place);
        changed = true;
      }
    }
    if (changed && held !== document.activeElement && this.root.contains(held)) held.focus({preventScroll: true});
  }

  drawWires(only = null) {
    const wanted = new Set();
    for (const node of this.nodes.values()) node.ways.forEach((way, place) => {
      const to = way.to && this.nodes.get(way.to);
      if (!to) return;
      const key = `${node.name} ${place}`;
      wanted.add(key);
      if (only && !only.has(node.name) && !only.has(way.to)) return;
      const below = Math.max(node.y + height(node), to.y + height(to));
      const d = wirePath(node.x + WIDTH, node.y + outY(place), to.x - 5, to.y + IN_Y, below);
      let g = this.wires.get(key);
      if (!g) {
        g = svg("g", {class: "wire", "data-from": node.name, "data-place": place},
          svg("path", {class: "hit"}), svg("path", {class: "line"}), svg("circle", {class: "end", r: 9}));
        this.wires.set(key, g);
        this.wireLayer.append(g);
      }
      g.dataset.to = way.to;
      for (const part of g.querySelectorAll("path")) if (part.getAttribute("d") !== d) part.setAttribute("d", d);
      g.lastChild.setAttribute("cx", to.x - 14);
      g.lastChild.setAttribute("cy", to.y + IN_Y);
    });
    for (const [key, g] of this.wires) if (!wanted.has(key)) {
      g.remove();
      this.wires.delete(key);
    }
    if (!only) this.countWires();
  }

  showChosen() {
    for (const [name, {g}] of this.drawn) g.toggleAttribute("data-chosen", this.chosen.has(name));
    for (const [key, g] of this.wires)
      g.toggleAttribute("data-chosen", this.wire !== null && key === this.wire.join(" "));
  }

  choose(names, quietly = false) {
    this.chosen = new Set(names);
    this.wire = null;
    this.showChosen();
    if (!quietly) this.on.select([...this.chosen]);
  }

  focus(name) {
    const g = this.drawn.get(name)?.g;
    if (!g) return;
    this.intoView(name);
    g.focus({preventScroll: true});
  }

  // --- what callers did ---

  light(path, now) {
    const steps = new Set(path.slice(1).map((name, place) => `${path[place]} ${name}`));
    for (const [name, {g}] of this.drawn) {
      g.toggleAttribute("data-lit", path.includes(name));
      g.toggleAttribute("data-now", name === now);
    }
    for (const g of this.wires.values()) g.toggleAttribute("data-lit", steps.has(`${g.dataset.from} ${g.dataset.to}`));
    if (now) this.intoView(now);
  }

  count(traffic) {
    this.traffic = traffic;
    for (const node of this.nodes.values()) this.countNode(node);
    this.countWires();
  }

  countNode(node) {
    const g = this.drawn.get(node.name).g;
    g.querySelector(".counted")?.remove();
    const found = this.traffic?.[node.name];
    g.querySelectorAll(".way-count").forEach((label, place) => {
      const number = found?.ways[place] ?? 0;
      label.textContent = found?.entered && node.ways[place].to ? `${number} · ${Math.round(100 * number / found.entered)} %` : "";
    });
    if (!found) return;
    const label = String(found.entered), wide = 18 + 8 * label.length;
    g.append(svg("g", {class: "counted", transform: "translate(36,-13)"},
      svg("title", {}, `${say("entered", found.entered)}${found.hung_up ? `, ${say("left_here", found.hung_up)}` : ""}`),
      svg("rect", {width: wide, height: 20, rx: 10}), text("", wide / 2, 14.5, label)));
  }

  countWires() {
    const most = Math.max(1, ...Object.values(this.traffic ?? {}).flatMap(one => one.ways));
    for (const g of this.wires.values()) {
      const number = this.traffic?.[g.dataset.from]?.ways[g.dataset.place];
      const line = g.querySelector(".line");
      line.toggleAttribute("data-many", number !== undefined);
      line.style.setProperty("--many", number === undefined ? "" : 1 + 9 * Math.sqrt(number / most));
      g.toggleAttribute("data-idle", number === 0);
    }
  }

  // --- what is seen of it ---

  look() {
    const {x, y, k} = this.view;
    this.world.setAttribute("transform", `translate(${x},${y}) scale(${k})`);
  }

  // All of it, or not smaller than can be read, from its upper left corner.
  fit(least = SMALLEST) {
    const nodes = [...this.nodes.values()], box = this.root.getBoundingClientRect();
    if (!nodes.length || !box.width) return;
    const left = Math.min(...nodes.map(node => node.x)) - 60, top = Math.min(...nodes.map(node => node.y)) - 30;
    const right = Math.max(...nodes.map(node => node.x)) + WIDTH + 80;
    const low = Math.max(...nodes.map(node => node.y + height(node))) + 50;
    const k = Math.min(1, Math.max(least, Math.min((box.width - 16) / (right - left), (box.height - 16) / (low - top))));
    this.view = {k, x: Math.max(8, (box.width - k * (right - left)) / 2) - k * left, y: 8 - k * top};
    this.look();
  }

  zoomBy(how) {
    if (how === "fit") return this.fit();
    const box = this.root.getBoundingClientRect();
    this.zoom(how === "in" ? STEP : 1 / STEP, box.width / 2, box.height / 2);
  }

  zoom(by, x, y) {
    const k = Math.min(LARGEST, Math.max(SMALLEST, this.view.k * by)), real = k / this.view.k;
    this.view = {k, x: x - real * (x - this.view.x), y: y - real * (y - this.view.y)};
    this.look();
  }

  pan(dx, dy) {
    this.view.x += dx;
    this.view.y += dy;
    this.look();
  }

  intoView(name) {
    const node = this.nodes.get(name), box = this.root.getBoundingClientRect(), {x, y, k} = this.view;
    if (!node || !box.width) return;
    const left = x + k * (node.x - 30), right = x + k * (node.x + WIDTH + 20);
    const top = y + k * (node.y - 16), low = y + k * (node.y + height(node) + 16);
    const dx = left < 0 ? -left : right > box.width ? Math.max(box.width - right, -left) : 0;
    const dy = top < 0 ? -top : low > box.height ? Math.max(box.height - low, -top) : 0;
    if (dx || dy) this.pan(dx, dy);
  }

  at(event) {
    const box = this.root.getBoundingClientRect(), {x, y, k} = this.view;
    return {x: (event.clientX - box.left - x) / k, y: (event.clientY - box.top - y) / k};
  }

  middle() {
    const box = this.root.getBoundingClientRect();
    return this.at({clientX: box.left + box.width / 2 - WIDTH / 2, clientY: box.top + box.height / 3});
  }

  inside(event) {
    const box = this.root.getBoundingClientRect();
    return event.clientX > box.left && event.clientX < box.right && event.clientY > box.top && event.clientY < box.bottom;
  }

  wheel(event) {
    event.preventDefault();
    const box = this.root.getBoundingClientRect();
    if (event.ctrlKey || event.metaKey)
      this.zoom(Math.exp(-event.deltaY / 400), event.clientX - box.left, event.clientY - box.top);
    else if (event.shiftKey) this.pan(-event.deltaY, 0);
    else this.pan(-event.deltaX, -event.deltaY);
  }

  // --- the pointer ---

  press(event) {
    if (event.button > 1) return;
    const way = event.target.closest(".way"), end = event.target.closest(".end"), wire = event.target.closest(".wire");
    const name = nameAt(event.target);
    if (this.editable && way && event.target.matches(".grip, .out"))
      return this.drag(event, this.wiring(name, Number(way.dataset.place)));
    if (this.editable && end) return this.drag(event, this.wiring(wire.dataset.from, Number(wire.dataset.place), true));
    if (wire) {
      this.choose([]);
      this.wire = [wire.dataset.from, Number(wire.dataset.place)];
      this.showChosen();
      this.root.focus({preventScroll: true});
      event.preventDefault();
      return;
    }
    if (name && event.button === 0) return this.pressNode(event, name);
    if (event.shiftKey && event.button === 0) return this.drag(event, this.lasso(event));
    this.drag(event, {
      move: (_, dx, dy) => this.pan(dx, dy), end: (_, far) => { if (!far) this.choose([]); }});
  }

  pressNode(event, name) {
    if (event.shiftKey || event.ctrlKey) {
      const names = new Set(this.chosen);
      if (names.has(name)) names.delete(name);
      else names.add(name);
      this.choose(names);
    } else if (!this.chosen.has(name)) this.choose([name]);
    this.pointed = name;
    this.drawn.get(name).g.focus({preventScroll: true});
    this.pointed = null;
    if (!this.editable) return this.drag(event, {move: (_, dx, dy) => this.pan(dx, dy), end: nobody});
    const from = new Map([...this.chosen].map(one => [one, {x: this.nodes.get(one).x, y: this.nodes.get(one).y}]));
    const begun = this.at(event);
    this.drag(event, {
      move: moved => {
        const now = this.at(moved);
        for (const [one, place] of from)
          this.place(one, snap(place.x + now.x - begun.x), snap(place.y + now.y - begun.y));
        this.drawWires(new Set(from.keys()));
      },
      end: (_, far) => {
        if (far) this.settle();
        else if (!event.shiftKey && !event.ctrlKey) this.choose([name]);
      }});
  }

  place(name, x, y) {
    const node = this.nodes.get(name);
    Object.assign(node, {x, y});
    this.moved.set(name, {x, y});
    this.drawn.get(name).g.setAttribute("transform", `translate(${x},${y})`);
  }

  // What was moved is told once.
  settle() {
    clearTimeout(this.settling);
    const moves = [...this.moved].filter(([name]) => this.nodes.has(name)).map(([name, {x, y}]) => ({name, x, y}));
    this.moved.clear();
    if (moves.length) this.on.move(moves);
  }

  wiring(name, place, away = false) {
    const node = this.nodes.get(name), line = svg("path", {class: "line drawing"});
    const begun = {x: node.x + WIDTH, y: node.y + outY(place)};
    const old = away ? this.wires.get(`${name} ${place}`) : null;
    old?.toggleAttribute("data-away", true);
    this.topLayer.append(line);
    return {
      move: event => {
        const {x, y} = this.at(event);
        line.setAttribute("d", wirePath(begun.x, begun.y, x, y, Math.max(begun.y, y)));
        const target = this.under(event);
        for (const [one, {g}] of this.drawn) g.toggleAttribute("data-target", one === target);
      },
      end: (event, far) => {
        line.remove();
        old?.toggleAttribute("data-away", false);
        for (const {g} of this.drawn.values()) g.toggleAttribute("data-target", false);
        if (!far) return this.choose([name]);
        const target = this.under(event);
        if (target) this.on.wire(name, place, target);
        else if (away) this.on.wire(name, place, "");
      }};
  }

  under(event) {
    return nameAt(document.elementFromPoint(event.clientX, event.clientY));
  }

  lasso(event) {
    const begun = this.at(event), box = svg("rect", {class: "lasso"});
    this.topLayer.append(box);
    return {
      move: moved => {
        const now = this.at(moved);
        const x = Math.min(begun.x, now.x), y = Math.min(begun.y, now.y);
        const wide = Math.abs(begun.x - now.x), high = Math.abs(begun.y - now.y);
        for (const [key, value] of Object.entries({x, y, width: wide, height: high})) box.setAttribute(key, value);
        this.chosen = new Set([...this.nodes.values()].filter(node => node.x < x + wide && node.x + WIDTH > x
          && node.y < y + high && node.y + height(node) > y).map(node => node.name));
        this.showChosen();
      },
      end: () => {
        box.remove();
        this.on.select([...this.chosen]);
      }};
  }

  drag(event, {move, end}) {
    const begun = {x: event.clientX, y: event.clientY};
    let last = begun, far = false;
    event.preventDefault();
    if (!this.root.contains(document.activeElement)) this.root.focus({preventScroll: true});
    const moved = now => {
      if (now.pointerId !== event.pointerId) return;
      far ||= Math.hypot(now.clientX - begun.x, now.clientY - begun.y) >= NEAR;
      if (far) move(now, now.clientX - last.x, now.clientY - last.y);
      last = {x: now.clientX, y: now.clientY};
    };
    const ended = now => {
      if (now.pointerId !== event.pointerId) return;
      removeEventListener("pointermove", moved);
      removeEventListener("pointerup", ended);
      removeEventListener("pointercancel", ended);
      end(now, far);
    };
    addEventListener("pointermove", moved);
    addEventListener("pointerup", ended);
    addEventListener("pointercancel", ended);
  }

  // --- the keyboard ---

  focused(event) {
    const name = nameAt(event.target);
    if (!name || name === this.pointed) return;
    this.intoView(name);
    if (!this.chosen.has(name)) this.choose([name]);
  }

  key(event) {
    const name = nameAt(event.target);
    const way = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]}[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (way) {
      event.preventDefault();
      const by = event.shiftKey ? 5 * GRID : GRID;
      if (!name || !this.editable) return this.pan(-6 * by * way[0], -6 * by * way[1]);
      for (const one of this.chosen) {
        const node = this.nodes.get(one);
        this.place(one, snap(node.x + by * way[0]), snap(node.y + by * way[1]));
      }
      this.drawWires(new Set(this.chosen));
      this.intoView(name);
      clearTimeout(this.settling);
      this.settling = setTimeout(() => this.settle(), SETTLES_MS);
    } else if (event.key === "Enter" && name) {
      event.preventDefault();
      this.on.open(name);
    } else if ((event.key === "Delete" || event.key === "Backspace") && this.editable) {
      event.preventDefault();
      if (this.wire) this.on.wire(...this.wire, "");
      else if (this.chosen.size) this.on.remove([...this.chosen]);
    } else if (event.key === "+" || event.key === "=") this.zoomBy("in");
    else if (event.key === "-") this.zoomBy("out");
    else if (event.key === "0") this.zoomBy("fit");
    else if (event.key === "Escape") this.choose([]);
  }
}

function text(kind, x, y, said) {
  const made = svg("text", {x, y, ...(kind ? {class: kind} : {})});
  made.textContent = said;
  return made;
}

function nameAt(target) {
  return target?.closest?.(".flow-node")?.dataset.name ?? "";
}
