// What the page gives its script: words, kinds of nodes, addresses.

export const script = JSON.parse(document.getElementById("flow").dataset.script);
export const kinds = new Map(script.kinds.map(kind => [kind.kind, kind]));

export function say(key, ...values) {
  return String(script.words[key] ?? key).replace(/\{(\d)\}/g, (_, place) => values[place] ?? "");
}

export const kindName = kind => kinds.get(kind)?.words ?? kind;

export function wayName(way) {
  const [first, second] = way.keys;
  if (first === "digits") return second === "" ? "+" : String(second);
  if (first === "cases") return second === "" ? "+" : say("case", Number(second) + 1);
  return script.words.way_names[first] ?? String(first);
}

// As it is said of it aloud.
export function waySaid(way) {
  const [first, second] = way.keys;
  if (second === "") return say(first === "digits" ? "more_digits" : "more_cases");
  return first === "digits" ? say("key", second) : wayName(way);
}

export const isOpen = way => way.keys.at(-1) === "";          // one more may be written there

export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(key, value);
  }
  made.append(...children.filter(child => child !== null && child !== undefined && child !== ""));
  return made;
}
