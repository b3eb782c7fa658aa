// Judging a call beside its player: marks take the place that is heard now, a mark is heard again by a click,
// and all is done without a mouse: digits, Y, N, X answer, M marks, P plays, up and down go between items.

const TICKS_PER_S = 100;

const player = () => document.querySelector("branchline-player");

const clock = seconds => {
  const whole = Math.floor(seconds + 0.001);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
};

const mark = place => {
  const seconds = player().audio.currentTime;
  place.querySelector("input").value = Math.round(seconds * TICKS_PER_S);
  place.querySelector("output").textContent = clock(seconds);
};

const answer = (item, value) => {
  const choice = item.querySelector(`input[type=radio][value="${value}"]`);
  const list = item.querySelector("select");
  if (choice) {
    choice.checked = true;
    choice.focus();
  } else if (list && [...list.options].some(one => one.value === value)) {
    list.value = value;
  }
};

const go = (item, steps) => {
  const items = [...document.querySelectorAll("fieldset[data-item]")];
  const next = items[items.indexOf(item) + steps];
  next?.querySelector("input:checked, input, select")?.focus();
};

const ANSWERS = {y: "1", n: "0", x: "na"};

document.addEventListener("click", event => {
  const seek = event.target.closest("[data-seek]");
  if (seek) player().hear(Number(seek.dataset.seek));
  if (event.target.closest("[data-mark]")) mark(event.target.closest(".mark"));
});

document.addEventListener("keydown", event => {
  const item = event.target.closest("fieldset[data-item]");
  const writes = event.target.matches("input:not([type=radio]), textarea, select");
  if (!item || writes || event.ctrlKey || event.altKey || event.metaKey) return;
  const key = event.key.toLowerCase();
  if (/^[0-9]$/.test(key)) answer(item, key);
  else if (key in ANSWERS) answer(item, ANSWERS[key]);
  else if (key === "m") mark([...item.querySelectorAll(".mark")].at(-1));
  else if (key === "p") player().toggle();
  else if (key === "arrowdown") go(item, 1);
  else if (key === "arrowup") go(item, -1);
  else return;
  event.preventDefault();
});
