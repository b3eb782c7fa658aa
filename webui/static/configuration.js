// The editor's line numbers beside its text; a mistake's link marks its line.

class Lines extends HTMLElement {
  connectedCallback() {
    this.area = this.querySelector("textarea");
    this.gutter = document.createElement("pre");
    this.gutter.setAttribute("aria-hidden", "true");
    this.prepend(this.gutter);
    this.area.addEventListener("input", () => this.count());
    this.area.addEventListener("scroll", () => { this.gutter.scrollTop = this.area.scrollTop; });
    this.area.addEventListener("keydown", event => this.key(event));
    this.count();
  }

  count() {
    const lines = this.area.value.split("\n").length;
    if (lines === this.lines) return;
    this.lines = lines;
    this.gutter.textContent = Array.from({length: lines}, (_, index) => index + 1).join("\n") + "\n\n";
    this.gutter.scrollTop = this.area.scrollTop;
  }

  // Tab leaves the field, as everywhere; a new line begins where the one before does.
  key(event) {
    if (event.key !== "Enter" || event.ctrlKey || event.metaKey || event.isComposing) return;
    const before = this.area.value.slice(0, this.area.selectionStart);
    const indent = before.slice(before.lastIndexOf("\n") + 1).match(/^ */)[0];
    if (!indent) return;
    event.preventDefault();
    document.execCommand("insertText", false, `\n${indent}`);      // so that it can be undone
  }

  show(line) {
    const lines = this.area.value.split("\n");
    const begin = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0);
    this.area.focus();
    this.area.setSelectionRange(begin, begin + (lines[line - 1] ?? "").length);
    const height = parseFloat(getComputedStyle(this.area).lineHeight);
    this.area.scrollTop = Math.max(0, (line - 6) * height);
    this.scrollIntoView({block: "nearest"});
  }
}

customElements.define("branchline-lines", Lines);
for (const link of document.querySelectorAll("[data-line]"))
  link.addEventListener("click", event => {
    event.preventDefault();
    document.querySelector("branchline-lines").show(Number(link.dataset.line));
  });
