"""Chromium for tests and pictures: how it is started, and what every page must pass."""

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from tests.servers import prepare

WIDTHS = (360, 768, 1280)
AXE_AT = [360, 1280]  # for walks and journeys in `make test`; in `make proof ONLY=AX` at all of them
NARROWEST = 320  # a desk at 400 % zoom: nothing may scroll sideways there either
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
AXE_OPTIONS = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "rules": {"target-size": {"enabled": True}},  # off by default
    "resultTypes": ["violations"],
}
SAMPLE_PASSWORD = "sample-pilot-2026"
# In words: every link of an error summary must land on something that can be typed into, chosen or pressed.
AS_IT_STANDS = """() => {
    const dead = [...document.querySelectorAll('.govuk-error-summary a')].filter(link => {
        const target = document.getElementById(decodeURIComponent(link.hash.slice(1)));
        return !target || !target.matches('input, select, textarea, button, a[href]');
    });
    const headings = document.querySelectorAll('h1').length;
    const untold = document.querySelector('.govuk-error-summary') && !document.title.startsWith('Error: ');
    return [...dead.map(link => `dead error-summary link ${link.hash || link.href}`),
        ...(untold ? [`an error summary, and the title is ${document.title}`] : []),
        ...(headings === 1 ? [] : [`${headings} level-one headings`])];
}"""


# What axe's answer about an element hangs on, for each element of the page: what it stands in, its attributes, what
# they point to, whether it says something and can be seen, its colours, the size of its letters and how near a target
# is to the next one; and the order of headings and landmarks. Words and addresses make no difference.
PARTS = r"""() => {
    const ids = new Map(), chains = new Map(), all = [...document.body.querySelectorAll('*')];
    for (const part of all) if (part.id) ids.set(part.id, (ids.get(part.id) || 0) + 1);
    const kept = new Set(['class', 'type', 'role', 'scope', 'autocomplete', 'tabindex', 'lang', 'span', 'colspan']);
    const points = new Set(['for', 'aria-describedby', 'aria-labelledby', 'aria-controls', 'headers', 'list']);
    const attribute = ({name, value}) => name + '=' + (
        kept.has(name) || /^(true|false|)$/.test(value) ? value
        : points.has(name) ? value.split(' ').every(id => ids.has(id))
        : name === 'id' ? ids.get(value) : '.');
    const targets = new Map(all.filter(part => part.matches('a[href], button, input, select, textarea, summary'))
        .map(part => [part, part.getBoundingClientRect()]).filter(([, box]) => box.width && box.height));
    const crowded = (part, box) => [...targets].some(([other, its]) => other !== part
        && its.left < box.x + box.width / 2 + 24 && its.right > box.x + box.width / 2 - 24
        && its.top < box.y + box.height / 2 + 24 && its.bottom > box.y + box.height / 2 - 24);
    const key = part => {
        const name = part.tagName + [...part.attributes].filter(each => each.name !== 'data-alike')
            .map(attribute).sort().join();
        const around = chains.get(part.parentElement) || '';
        const chain = around + '>' + part.tagName + '.' + (part.getAttribute('class') || '');
        chains.set(part, chain);
        const style = getComputedStyle(part), size = parseFloat(style.fontSize), box = targets.get(part);
        return [chain, name, part.textContent.trim() ? 'says' : '', part.labels?.length,
            [...part.childNodes].some(each => each.nodeType === 3 && each.data.trim()) ? 'itself' : '',
            part.checkVisibility({visibilityProperty: true}), style.color, style.backgroundColor,
            size >= 24 || size >= 18.66 && style.fontWeight >= 700, part.scrollWidth > part.clientWidth,
            box && Math.min(box.width, box.height) < 24 && crowded(part, box)].join('|');
    };
    const names = what => [...document.querySelectorAll(what)].map(part => part.tagName);
    const page = [names('h1, h2, h3, h4, h5, h6').filter((name, n, all) => name !== all[n - 1]).join(),
        names('header, nav, main, footer, aside, [role=region]').join(), document.title ? 'title' : 'no title'];
    window.parts = all.map(part => [part, key(part)]);
    return [...new Set([...window.parts.map(([, key]) => key), ...page])];
}"""
# Axe looks at the first of those that are new, and leaves out what it has seen: 50 rows cost as much as one.
LEAVE_OUT = """fresh => {
    const left = new Set(fresh), needed = new Set();
    const need = part => { for (let each = part; each; each = each.parentElement) needed.add(each); };
    for (const [part, key] of window.parts) if (left.delete(key)) need(part);
    if (left.size) document.querySelectorAll('h1, h2, h3, h4, h5, h6, header, nav, main, footer, aside').forEach(need);
    for (const [part] of window.parts) {  // the topmost alone: axe asks of each element whether it is in any of them
        part.toggleAttribute('data-alike', !needed.has(part) && needed.has(part.parentElement));
    }
}"""
AXE = "options => axe.run({exclude: ['[data-alike]']}, options).then(found => found.violations)"


class Fine:
    """What axe has found nothing wrong with in this run: of `make test`, in any of its processes ($AXE_FINE)."""

    def __init__(self, path: str) -> None:
        self.path, self.read = Path(path) if path else None, 0
        self.known: set[bytes] = set()

    def without(self, parts: Iterable[str]) -> list[str]:
        """Those of the parts that nobody has looked at."""
        if self.path and self.path.exists():
            with self.path.open("rb") as file:
                file.seek(self.read)
                lines = file.read().rpartition(b"\n")[0]
            self.known.update(lines.split())
            self.read += len(lines) + 1 if lines else 0
        return [part for part in parts if _digest(part) not in self.known]

    def add(self, parts: Iterable[str]) -> None:
        """Axe has nothing against these."""
        digests = [_digest(part) for part in parts]
        self.known.update(digests)
        if self.path:
            with self.path.open("ab") as file:
                file.write(b"".join(each + b"\n" for each in digests))


def _digest(part: str) -> bytes:
    return hashlib.sha256(part.encode()).hexdigest()[:20].encode()


fine = Fine(os.environ.get("AXE_FINE", ""))


def kind(url: str) -> str:
    """The address with ids, query and fragment folded away."""
    return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "ID", re.sub(r"[?#].*", "", url))


@contextmanager
def chromium() -> Iterator[Browser]:
    """The machine's real Chromium ($CHROMIUM names another one)."""
    path = prepare.chromium_path()
    assert path, "no Chromium: install it or set CHROMIUM"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


def collect_problems(page: Page) -> list[str]:
    """A list that fills with console messages, script errors and failed requests of the page."""
    problems: list[str] = []

    def failed(request) -> None:
        if "ERR_ABORTED" not in (request.failure or ""):  # a download, or a page left while it was loading
            problems.append(f"request failed: {request.url} {request.failure}")

    page.on("console", lambda message: problems.append(f"console {message.type}: {message.text}"))
    page.on("pageerror", lambda error: problems.append(f"script error: {error}"))
    page.on("requestfailed", failed)
    return problems


def plain_faults(
    page: Page, widths: tuple[int, ...] = WIDTHS, more: Callable[[int], list[str]] = lambda width: []
) -> list[str]:
    """What is wrong with the page as it stands, as far as one sees without axe: sideways scrolling, headings, error
    summaries with dead links or a wrong title; and what `more` finds. Works where the page's own scripts are off."""
    page.wait_for_load_state()  # a click has its answer with the first bytes of the next page
    faults: list[str] = page.evaluate(AS_IT_STANDS)
    size = page.viewport_size
    for width in (NARROWEST, *widths):
        page.set_viewport_size({"width": width, "height": 800})
        if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
            faults.append(f"{width}: scrolls sideways")
        if width in widths:
            faults += [f"{width}: {fault}" for fault in more(width)]
    if size and page.viewport_size != size:
        page.set_viewport_size(size)
    return faults


def page_faults(page: Page, widths: tuple[int, ...] = WIDTHS, axe_at: Iterable[int] = ()) -> list[str]:
    """The same, and what axe finds at each width, or at `axe_at`, where it has not seen all of it in this run."""
    return plain_faults(page, widths, lambda width: _axe_faults(page) if width in (axe_at or widths) else [])


def _axe_faults(page: Page) -> list[str]:
    fresh = fine.without(page.evaluate(PARTS))
    if not fresh:
        return []
    if not page.evaluate("'axe' in window"):
        page.evaluate(Axe().axe_script)
    page.evaluate(LEAVE_OUT, fresh)
    violations = page.evaluate(AXE, AXE_OPTIONS)
    if not violations:
        fine.add(fresh)
    return [f"{each['id']} × {len(each['nodes'])}: {each['nodes'][0]['html'][:200]}" for each in violations]


def axe_clean(page: Page, widths: tuple[int, ...] = WIDTHS, axe_at: Iterable[int] = ()) -> None:
    """The page has none of those faults at any width."""
    assert (kind(page.url), page_faults(page, widths, axe_at)) == (kind(page.url), [])


def sign_in(page: Page, site_url: str, email: str, password: str = SAMPLE_PASSWORD) -> None:
    """Through the sign-in page, as anyone would."""
    page.goto(f"{site_url}/accounts/login/")
    page.fill("input[name=login]", email)
    page.fill("input[name=password]", password)
    page.locator("form:has(input[name=password]) [type=submit]").first.click()
    page.wait_for_url(lambda url: "/accounts/login/" not in url)
