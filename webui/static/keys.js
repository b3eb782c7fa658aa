// Security keys: a form with data-key asks navigator.credentials and is sent with the answer. Its button is disabled
// until this script is there, so that nothing is sent without one.

const GET = "get";

async function answered(form) {
  const asked = JSON.parse(form.dataset.options);
  const credential = form.dataset.key === GET
    ? await navigator.credentials.get({publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(asked)})
    : await navigator.credentials.create({publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(asked)});
  return JSON.stringify(credential.toJSON());
}

for (const form of document.querySelectorAll("form[data-key]")) {
  const said = form.querySelector("[data-said]");
  const button = form.querySelector("button");
  button.disabled = !window.PublicKeyCredential?.parseRequestOptionsFromJSON;
  if (button.disabled) {
    said.textContent = said.dataset.cannot;
    said.hidden = false;
    continue;
  }
  form.addEventListener("submit", async event => {
    event.preventDefault();
    button.disabled = true;
    said.hidden = true;
    try {
      form.elements.answer.value = await answered(form);
      form.submit();
    } catch {                                     // nobody touched it, it is known already, or the person left
      said.textContent = said.dataset.said;
      said.hidden = false;
      button.disabled = false;
    }
  });
}
