// Questions to the box. What it refuses is thrown as a Refusal, with what it says.

import {say} from "./flows-words.js";

export class Refusal extends Error {}

export async function ask(url, body) {
  const headers = {"Accept": "application/json"};
  if (body !== undefined) Object.assign(headers, {
    "Content-Type": "application/json", "X-CSRFToken": document.getElementById("token").value});
  let answer;
  try {
    answer = await fetch(url, {
      method: body === undefined ? "GET" : "POST", headers, cache: "no-store",
      body: body === undefined ? undefined : JSON.stringify(body)});
  } catch {
    throw new Refusal(say("lost"));
  }
  if (answer.status === 401) throw new Refusal(say("signed_out"));
  const isJson = answer.headers.get("Content-Type")?.startsWith("application/json");
  if (answer.ok && isJson) return answer.json();
  throw new Refusal(isJson ? (await answer.json()).wrong : (await answer.text()).trim());
}
