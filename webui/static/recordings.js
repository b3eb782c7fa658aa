// The list of recordings: a choice searches at once, empty fields stay out of the address, one is played in its place
// in the list, several are ticked, and all is done without a mouse: / goes to the text, up and down go between rows,
// P plays, X ticks.

const form = document.querySelector("form.search");

form.addEventListener("formdata", event => {
  for (const [name, value] of [...event.formData.entries()]) if (!value) event.formData.delete(name);
});
form.addEventListener("change", event => {
  if (event.target.matches("[type=date]")) form.querySelector("[name=preset][value=dates]").checked = true;
  else if (event.target.matches("[type=radio], select")) form.requestSubmit();
});

const player = recording => {
  const row = document.getElementById("player").content.cloneNode(true).firstElementChild;
  const element = row.querySelector("branchline-player");
  for (const name of ["recording", "audio"])
    element.dataset[name] = element.dataset[name].replace("0".repeat(32), recording);
  return row;
};

const hear = button => {
  const row = button.closest("tr");
  const open = button.getAttribute("aria-expanded") === "true";
  button.setAttribute("aria-expanded", String(!open));
  if (open) return row.nextElementSibling.remove();
  row.after(player(button.dataset.hear));
  row.nextElementSibling.querySelector("branchline-player").toggle();
};

const all = document.querySelector("[data-all]");
const ticks = [...document.querySelectorAll("[form=many][name=recording]")];

const count = () => {
  const ticked = ticks.filter(tick => tick.checked).length;
  all.checked = ticked === ticks.length;
  all.indeterminate = ticked > 0 && !all.checked;
  document.querySelector("[data-chosen]").textContent = ticked || "";
};

if (all) {
  all.hidden = false;
  all.addEventListener("change", () => { for (const tick of ticks) tick.checked = all.checked; count(); });
  for (const tick of ticks) tick.addEventListener("change", count);
  count();
}

const go = (row, steps) => {
  const rows = [...document.querySelectorAll("tbody tr[data-key]")];
  rows[rows.indexOf(row) + steps]?.querySelector(".row").focus();
};

document.addEventListener("click", event => {
  const button = event.target.closest("[data-hear]");
  if (button) hear(button);
});

document.addEventListener("keydown", event => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.target.closest("input:not([type=checkbox]), select, textarea, branchline-player")) return;
  const row = event.target.closest("tr[data-key]");
  if (event.key === "/") form.querySelector("[name=text]").focus();
  else if (row && event.key === "ArrowDown") go(row, 1);
  else if (row && event.key === "ArrowUp") go(row, -1);
  else if (!row && event.key === "ArrowDown" && event.target === document.body) go(null, 1);
  else if (row && event.key.toLowerCase() === "p") row.querySelector("[data-hear]")?.click();
  else if (row && event.key.toLowerCase() === "x") row.querySelector("[name=recording]")?.click();
  else return;
  event.preventDefault();
});
