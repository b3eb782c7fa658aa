// People and queues: all of a list chosen at once, arrow keys in the grid. All of it works without this script.

const STEPS = {ArrowUp: [0, -1], ArrowDown: [0, 1], Enter: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0]};

// --- a list of which some are chosen
const bulk = document.querySelector("#bulk");
if (bulk) {
  const all = bulk.querySelector("[data-all]");
  const boxes = [...bulk.querySelectorAll("[name=agent]")];
  const count = () => {
    const chosen = boxes.filter(box => box.checked).length;
    const told = bulk.querySelector("[data-chosen]");
    if (told) told.textContent = chosen ? `(${chosen})` : "";
    if (all) {
      all.checked = chosen === boxes.length;
      all.indeterminate = chosen > 0 && chosen < boxes.length;
    }
  };
  if (all) {
    all.hidden = false;
    all.addEventListener("change", () => { for (const box of boxes) box.checked = all.checked; count(); });
  }
  bulk.addEventListener("change", count);
  count();
}

// --- the grid
const grid = document.querySelector("#matrix");
if (grid) {
  const rows = [...grid.querySelectorAll("tbody tr")].map(row => [...row.querySelectorAll("input")]);
  const is = input => input.value.trim() || "0";
  const mark = input => {
    input.toggleAttribute("data-differs", is(input) !== (input.dataset.was || "0"));
    grid.querySelector("[data-changed]")?.replaceChildren(
      String(grid.querySelectorAll("[data-differs]").length || ""));
  };
  rows.forEach((row, y) => row.forEach((input, x) => {
    input.addEventListener("keydown", event => {
      const step = STEPS[event.key];
      if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      const there = rows[y + step[1]]?.[x + step[0]];
      if (there) { there.focus(); there.select(); }
    });
    input.addEventListener("focus", () => input.select());
    input.addEventListener("input", () => mark(input));
    mark(input);
  }));
  grid.addEventListener("submit", () => {        // a form has 64 KiB: what is as it was stays here
    for (const row of rows) for (const input of row) input.disabled = !input.hasAttribute("data-differs");
  });
  addEventListener("pageshow", () => { for (const row of rows) for (const input of row) input.disabled = false; });
}
