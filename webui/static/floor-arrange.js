// Tiles are dragged to another place, in their own list or, parts of the floor, in another column; what comes of it is
// an address, as with the arrows.

const lists = [...document.querySelectorAll("[data-order]")];
let dragged = null;

function go() {
  const address = new URL(document.querySelector("[data-address]").dataset.address, location.href);
  for (const list of lists)
    address.searchParams.set(list.dataset.order, [...list.children].map(item => item.dataset.tile).join(","));
  location.replace(address);
}

const fits = list => dragged && (list === dragged.parentElement
  || list.matches(".column") && dragged.parentElement.matches(".column"));

for (const list of lists) {
  for (const item of list.children) {
    item.draggable = true;
    item.addEventListener("dragstart", event => {
      dragged = item;
      event.dataTransfer.effectAllowed = "move";
      event.dataTransfer.setData("text/plain", item.dataset.tile);
      item.dataset.dragged = "";
    });
    item.addEventListener("dragend", () => {
      delete item.dataset.dragged;
      dragged = null;
    });
  }
  list.addEventListener("dragover", event => {
    if (!fits(list)) return;
    event.preventDefault();
    const over = event.target.closest("[data-tile]");
    if (over === dragged) return;
    if (!over) {
      if (dragged.parentElement !== list) list.append(dragged);
      return;
    }
    const tiles = [...list.children], from = tiles.indexOf(dragged);
    if (from >= 0 && from < tiles.indexOf(over)) over.after(dragged);
    else over.before(dragged);
  });
  list.addEventListener("drop", event => {
    if (!dragged) return;
    event.preventDefault();
    go();
  });
}
