// Ladders: the filter hides rows that have not all of its words; a ladder that grows stays at its newest rung
// for who looks at that. Layers are switched by the style sheet alone.

const rowsOf = ladder => ladder.querySelectorAll("tbody tr");

function filter(ladder) {
  const words = ladder.querySelector("input[type=search]").value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const row of rowsOf(ladder)) {
    const text = words.length ? row.textContent.toLowerCase() : "";
    const hidden = !words.every(word => text.includes(word));
    if (row.hidden !== hidden) row.hidden = hidden;
  }
}

function follow(ladder) {
  const tail = ladder.querySelector(".tail");
  if (tail && tail.dataset.left === undefined) tail.scrollTop = tail.scrollHeight;
}

document.addEventListener("input", event => {
  const ladder = event.target.closest(".ladder");
  if (ladder && event.target.type === "search") filter(ladder);
});

document.addEventListener("scroll", event => {
  const tail = event.target;
  if (!tail.classList?.contains("tail")) return;
  if (tail.scrollTop + tail.clientHeight >= tail.scrollHeight - 40) delete tail.dataset.left;
  else tail.dataset.left = "";
}, {capture: true});

new MutationObserver(() => {
  for (const ladder of document.querySelectorAll(".ladder")) {
    if (ladder.querySelector("input[type=search]")) filter(ladder);
    follow(ladder);
  }
}).observe(document.getElementById("main"), {childList: true, subtree: true, attributeFilter: ["hidden"]});

for (const ladder of document.querySelectorAll(".ladder")) follow(ladder);
