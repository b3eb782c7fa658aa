// The box does something, or starts anew and is away: this page is looked for until it says something else.
const LOOK_MS = 3000, WAIT_MS = 10000;
const words = (page) => page.querySelector("main")?.textContent;

async function look() {
  try {
    const answer = await fetch(location.href, { cache: "no-store", signal: AbortSignal.timeout(WAIT_MS) });
    const text = await answer.text();
    if (answer.ok && words(new DOMParser().parseFromString(text, "text/html")) !== words(document)) {
      location.reload();
      return;
    }
  } catch {
    // Not there yet.
  }
  setTimeout(look, LOOK_MS);
}

setTimeout(look, LOOK_MS);
