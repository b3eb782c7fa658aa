// What is published, with how many callers went where.

import {Canvas} from "./flows-canvas.js";
import {Refusal, ask} from "./flows-net.js";
import {say, script} from "./flows-words.js";

const canvas = new Canvas(document.getElementById("picture"));
const period = document.getElementById("period"), said = document.getElementById("said");

async function look() {
  try {
    const {nodes} = await ask(`${script.traffic}?period=${period.value}`);
    canvas.count(nodes);
    said.textContent = Object.values(nodes).some(one => one.entered) ? "" : say("no_traffic");
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    said.textContent = error.message;
  }
}

period.addEventListener("change", look);
canvas.show({...script.flow, mistakes: []});
canvas.fit();
await look();
