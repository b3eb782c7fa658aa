// A bundle from this computer: sent in pieces before the form that installs it, with its progress.

const PIECE = 48 * 1024;

// Shown only to browsers that can: without this script the form has its other ways.
const offer = () => {
  for (const way of document.querySelectorAll("[data-upload]")) way.hidden = false;
};
offer();
new MutationObserver(offer).observe(document.querySelector("main"), {childList: true, subtree: true});

async function send(form, file) {
  const bar = form.querySelector("[data-upload] progress");
  const token = form.querySelector("[name=csrf_token]").value;
  bar.hidden = false;
  bar.max = file.size;
  for (let offset = 0; offset < file.size;) {
    const address = new URL(form.dataset.pieces, location);
    address.search = new URLSearchParams({name: file.name, offset, total: file.size});
    const answer = await fetch(address, {
      method: "POST", body: file.slice(offset, offset + PIECE),
      headers: {"X-CSRFToken": token, "Content-Type": "application/octet-stream", "Accept": "application/json"}});
    const text = await answer.text();
    if (!answer.ok) throw new Error(text);
    offset = bar.value = Number(text);
  }
}

document.addEventListener("submit", async event => {
  const form = event.target;
  if (!form.dataset.pieces || form.elements.from.value !== "upload") return;
  event.preventDefault();
  const [file] = form.elements.file.files;
  const said = form.querySelector("[data-upload] output");
  const button = form.querySelector("button");
  said.textContent = "";
  if (!file) return form.elements.file.click();
  button.disabled = true;
  try {
    await send(form, file);
    form.elements.upload.value = file.name;
    form.submit();
  } catch (error) {
    said.textContent = error.message;
    button.disabled = false;
  }
});
