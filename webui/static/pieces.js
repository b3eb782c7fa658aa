// A file or a text that is larger than a form goes in pieces before it; the form then names it by a word.

const PIECE = 48 * 1024;

async function sent(form, blob) {
  let word = "";
  for (let offset = 0; offset < blob.size; offset += PIECE) {
    const address = new URL(form.dataset.filePieces, location);
    address.search = new URLSearchParams({word, offset});
    const answer = await fetch(address, {
      method: "POST", body: blob.slice(offset, offset + PIECE), headers: {
        "X-CSRFToken": form.querySelector("[name=csrf_token]").value,
        "Content-Type": "application/octet-stream", "Accept": "application/json"}});
    const text = await answer.text();
    if (!answer.ok) throw new Error(text);
    word = text;
  }
  return word;
}

for (const form of document.querySelectorAll("[data-file-pieces]")) {
  const field = form.elements.file ?? form.elements.text;
  form.addEventListener("submit", async event => {
    const blob = form.elements.file ? field.files[0] : new Blob([field.value]);
    if (!blob || blob.size <= PIECE) return;
    event.preventDefault();
    const button = form.querySelector("button");
    button.disabled = true;
    try {
      form.elements.upload.value = await sent(form, blob);
      field.disabled = true;                      // it is there already
      form.submit();
    } catch (error) {
      form.querySelector("output").textContent = error.message;
      button.disabled = false;
    }
  });
  addEventListener("pageshow", () => {            // of who comes back
    form.elements.upload.value = "";
    field.disabled = form.querySelector("button").disabled = false;
  });
}
