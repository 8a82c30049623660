// Small improvements; every page works without them.

const library = document.querySelector("script[data-library]").dataset.library;
document.body.classList.add("js-enabled", "govuk-frontend-supported");
import(library).then(({ initAll }) => initAll());

// A progress page reads itself again until the work is done, then follows where the server leads.
async function follow() {
  const shown = document.querySelector("[data-progress=running]");
  if (!shown) return;
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (answer.redirected) return location.assign(answer.url);
    if (answer.ok) {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
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
