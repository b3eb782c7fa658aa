// Make one element like another with as little change as possible: focus, scrolling and players stay as they are.
// Children with data-key are the same when their key is; an element with data-keep keeps its inside. What a person
// has opened stays open, what they left off to follow (data-left) stays so.

const PERSONS = new Set(["open", "data-left"]);

export function morph(from, to) {
  if (from.nodeType !== Node.ELEMENT_NODE) {
    if (from.nodeValue !== to.nodeValue) from.nodeValue = to.nodeValue;
    return;
  }
  for (const {name} of [...from.attributes])
    if (!to.hasAttribute(name) && !PERSONS.has(name)) from.removeAttribute(name);
  for (const {name, value} of to.attributes) if (from.getAttribute(name) !== value) from.setAttribute(name, value);
  if (from.hasAttribute("data-keep")) return;
  const spare = new Map();
  for (const child of from.childNodes) {
    const kind = kindOf(child);
    if (spare.has(kind)) spare.get(kind).push(child);
    else spare.set(kind, [child]);
  }
  const wanted = [...to.childNodes].map(child => {
    const same = spare.get(kindOf(child))?.shift();
    if (same) morph(same, child);
    return same ?? child;
  });
  for (const left of [...spare.values()].flat()) left.remove();
  let place = from.firstChild;
  for (const child of wanted) {
    if (child === place) place = place.nextSibling;
    else from.insertBefore(child, place);
  }
}

function kindOf(node) {
  return `${node.nodeName} ${node.dataset?.key ?? ""}`;
}
