// The sentence of a rule follows what is chosen in its form.

const form = document.getElementById("rule");
const WAIT_MS = 250;
let waiting = 0, asked = 0;

async function say() {
  const mine = ++asked;
  const answer = await fetch(form.dataset.sentence, {method: "POST", body: new FormData(form), headers: {"X-Requested-With": "fetch"}});
  if (!answer.ok || mine !== asked) return;
  const holder = document.createElement("template");
  holder.innerHTML = await answer.text();
  const [place, fresh] = [document.getElementById("sentence"), holder.content.firstElementChild];
  place.className = fresh.className;
  place.textContent = fresh.textContent;
}

form.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(say, WAIT_MS);
});
