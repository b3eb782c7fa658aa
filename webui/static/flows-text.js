// The flow as text: numbers of lines, those with mistakes marked, kept in the draft as it is written.

import {element, say} from "./flows-words.js";

export class Text {
  constructor(area, marks, button, keep) {
    Object.assign(this, {area, marks, button, keep, picture: null, base: ""});
    this.gutter = area.parentElement.querySelector("pre");
    area.addEventListener("input", () => this.number());
    area.addEventListener("scroll", () => { this.gutter.scrollTop = area.scrollTop; });
    area.addEventListener("keydown", event => this.key(event));
    button?.addEventListener("click", () => this.send());
  }

  get changed() {
    return this.picture !== null && !this.area.readOnly && this.area.value !== this.picture.text;
  }

  // Whether what is being written was begun on another text than there is now.
  get behind() {
    return this.changed && this.base !== this.picture.sha256;
  }

  // `before`: the picture that somebody acted on here: what is being written goes on from what came of it.
  show(picture, editable, before = null) {
    const writing = this.changed, follows = before !== null && this.base === before.sha256;
    this.picture = picture;
    this.area.readOnly = !editable;
    if (!writing) this.area.value = picture.text;
    if (!writing || follows) this.base = picture.sha256;
    this.number(true);
    this.marks.replaceChildren(element("p", {class: picture.mistakes.length ? "flow-wrong" : "in-order"},
      picture.mistakes.length ? say("mistakes", picture.mistakes.length) : say("in_order")),
    element("ol", {class: "flow-marks"}, ...picture.mistakes.map(one => element("li", {}, element("button",
      {type: "button", class: "quiet", onclick: () => this.go(one.line)},
      element("b", {}, one.line ? say("line", one.line) : say("whole")), ` ${one.text}`)))));
  }

  number(anew = false) {
    const lines = this.area.value.split("\n").length;
    if (this.button) this.button.disabled = !this.changed;
    if (lines === this.lines && !anew) return;
    this.lines = lines;
    const wrong = new Map(this.picture?.mistakes.map(one => [one.line, one.text]));
    this.gutter.replaceChildren(...Array.from({length: lines}, (_, place) => element("span",
      {"data-wrong": wrong.has(place + 1), title: wrong.get(place + 1) ?? null}, `${place + 1}\n`)), "\n\n");
    this.gutter.scrollTop = this.area.scrollTop;
  }

  // Tab leaves the field, as everywhere; a new line begins where the one before does.
  key(event) {
    if ((event.ctrlKey || event.metaKey) && event.key === "s") {
      event.preventDefault();
      this.send();
    }
    if (event.key !== "Enter" || event.ctrlKey || event.metaKey || event.isComposing) return;
    const before = this.area.value.slice(0, this.area.selectionStart);
    const indent = before.slice(before.lastIndexOf("\n") + 1).match(/^ */)[0];
    if (!indent) return;
    event.preventDefault();
    document.execCommand("insertText", false, `\n${indent}`);      // so that it can be undone
  }

  send() {
    return this.changed ? this.keep(this.area.value, this.base) : Promise.resolve(true);
  }

  go(line) {
    const lines = this.area.value.split("\n");
    const begin = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0);
    this.area.focus();
    this.area.setSelectionRange(begin, begin + (lines[line - 1] ?? "").length);
    this.area.scrollTop = Math.max(0, (line - 6) * parseFloat(getComputedStyle(this.area).lineHeight));
  }
}
