// Small improvements; every page works without them.

const library = document.querySelector("script[data-library]").dataset.library;
document.body.classList.add("js-enabled", "govuk-frontend-supported");
import(library).then(({ initAll }) => initAll());

// A progress page reads itself again until the work is done, then follows where the server leads; a link somebody has
// just clicked goes first, for as long as its page may take to come.
let leftAt = -Infinity;
addEventListener("beforeunload", () => (leftAt = performance.now()));
addEventListener("pageshow", () => (leftAt = -Infinity)); // come back to as it was left

async function follow() {
  const shown = document.querySelector("[data-progress=running]");
  if (!shown) return;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const leaving = performance.now() - leftAt < 30_000;
    if (answer.redirected && !leaving) return location.assign(answer.url);
    if (answer.ok && !leaving) {
      const fresh = page.querySelector("[data-progress]");
      if (!fresh || fresh.dataset.progress !== "running") return location.reload();
      if (fresh.innerHTML !== shown.innerHTML) shown.innerHTML = fresh.innerHTML;
    }
  } catch {
    // No network just now: try again.
  }
  setTimeout(follow, 2000);
}
setTimeout(follow, 1000);

// Buttons that only make sense with a script: <button data-print hidden>Print</button>
for (const button of document.querySelectorAll("button[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}

// A sheet is typed in by keyboard: Enter goes on to the next field instead of sending a half-typed page.
for (const form of document.querySelectorAll("form[data-enter-goes-on]")) {
  form.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !event.target.matches("input")) return;
    event.preventDefault();
    const fields = [...form.querySelectorAll("input:not([type=hidden]), select, textarea, button")];
    fields[fields.indexOf(event.target) + 1]?.focus();
  });
}
