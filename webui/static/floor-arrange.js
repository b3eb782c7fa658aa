// Tiles of the wall are dragged into another order; what comes of it is an address, as with the arrows.

const list = document.getElementById("order");
let dragged = null;

function go() {
  const address = new URL(list.dataset.address, location.href);
  address.searchParams.set("tiles", [...list.children].map(item => item.dataset.tile).join(","));
  location.replace(address);
}

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
  item.addEventListener("dragover", event => {
    if (!dragged) return;
    event.preventDefault();
    const tiles = [...list.children];
    if (item === dragged) return;
    if (tiles.indexOf(dragged) < tiles.indexOf(item)) item.after(dragged);
    else item.before(dragged);
  });
}
list.addEventListener("dragover", event => { if (dragged) event.preventDefault(); });
list.addEventListener("drop", event => {
  if (!dragged) return;
  event.preventDefault();
  go();
});
