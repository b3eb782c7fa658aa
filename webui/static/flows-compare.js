// Two versions on one picture: what is new, another one, and gone.

import {Canvas} from "./flows-canvas.js";
import {GRID, WIDTH, height} from "./flows-shape.js";
import {script} from "./flows-words.js";

const marks = new Map([...script.added.map(name => [name, "added"]), ...script.changed.map(name => [name, "changed"]),
  ...script.gone.map(name => [name, "gone"])]);
const there = new Set(script.new.nodes.map(node => node.name));
const gone = script.old.nodes.filter(node => script.gone.includes(node.name) && !there.has(node.name));
for (const node of gone) while (script.new.nodes.some(one => Math.abs(one.x - node.x) < WIDTH + 10
  && node.y < one.y + height(one) + 20 && one.y < node.y + height(node) + 20)) node.y += 2 * GRID;
const canvas = new Canvas(document.getElementById("picture"));
canvas.show({...script.new, mistakes: [], nodes: [...script.new.nodes, ...gone]}, marks);
canvas.fit();
