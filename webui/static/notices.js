// Notices: an urgent one stands in mid-screen until it was read; a receipt is sent without leaving the page.

const place = document.getElementById("notice-bar");

function stand() {
  for (const urgent of place.querySelectorAll("dialog:not([open])")) urgent.showModal();
}

if (place) {
  stand();
  new MutationObserver(stand).observe(place, {childList: true, subtree: true, attributes: true, attributeFilter: ["open"]});
  place.addEventListener("cancel", event => event.preventDefault(), true);      // Escape is no receipt
  place.addEventListener("submit", async event => {
    event.preventDefault();
    const form = event.target;
    const answer = await fetch(form.action, {method: "POST", body: new FormData(form), headers: {"X-Requested-With": "fetch"}});
    if (answer.ok) form.closest("dialog, div").remove();
    else location.reload();
  });
}
