"""Chromium for tests and pictures: how it is started, and what every page must pass."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from tests.servers import prepare

WIDTHS = (360, 768, 1280)
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
# Contrast takes most of the time; no colour changes between tablet and desk, so it is measured on phone and desk.
AXE_BETWEEN = AXE_OPTIONS | {"rules": {"target-size": {"enabled": True}, "color-contrast": {"enabled": False}}}
SAMPLE_PASSWORD = "sample-pilot-2026"
# Every link of an error summary must land on something that can be typed into, chosen or pressed.
DEAD_SUMMARY_LINKS = """() => [...document.querySelectorAll('.govuk-error-summary a')].filter(link => {
    const target = document.getElementById(decodeURIComponent(link.hash.slice(1)));
    return !target || !target.matches('input, select, textarea, button, a[href]');
}).map(link => link.hash || link.href)"""


# Of rows that differ in nothing but words, ids and addresses axe looks at the first: 50 cost as much as 5.
MARK_ALIKE = r"""() => {
    const seen = new Set();
    for (const row of document.querySelectorAll('main tbody tr, main li')) {
        const shape = row.outerHTML.replace(/>[^<]+</g, '>.<').replace(/ (?!class|type|role)[a-z-]+="[^"]*"/g, '');
        row.toggleAttribute('data-alike', seen.size === seen.add(row.parentElement.className + shape).size);
    }
}"""
AXE = "options => axe.run({exclude: ['[data-alike]']}, options).then(found => found.violations)"


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


def plain_faults(page: Page, widths: tuple[int, ...] = WIDTHS) -> list[str]:
    """What is wrong with the page as it stands, as far as one sees without axe: sideways scrolling, headings, dead
    error-summary links. Works where the page's own scripts are off."""
    faults = [f"dead error-summary link {link}" for link in page.evaluate(DEAD_SUMMARY_LINKS)]
    headings = page.locator("h1").count()
    if headings != 1:
        faults.append(f"{headings} level-one headings")
    size = page.viewport_size
    for width in widths:
        page.set_viewport_size({"width": width, "height": 800})
        if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
            faults.append(f"{width}: scrolls sideways")
    if size:
        page.set_viewport_size(size)
    return faults


def page_faults(page: Page, widths: tuple[int, ...] = WIDTHS) -> list[str]:
    """The same, and what axe finds at each width."""
    faults = plain_faults(page, widths)
    size = page.viewport_size
    page.evaluate(Axe().axe_script)  # once for all widths
    page.evaluate(MARK_ALIKE)
    for width in widths:
        page.set_viewport_size({"width": width, "height": 800})
        between = min(widths) < width < max(widths)
        for violation in page.evaluate(AXE, AXE_BETWEEN if between else AXE_OPTIONS):
            node = violation["nodes"][0]
            faults.append(f"{width}: {violation['id']} × {len(violation['nodes'])}: {node['html'][:200]}")
    if size:
        page.set_viewport_size(size)
    return faults


def axe_clean(page: Page, widths: tuple[int, ...] = WIDTHS) -> None:
    """The page has none of those faults at any width."""
    assert (kind(page.url), page_faults(page, widths)) == (kind(page.url), [])


def sign_in(page: Page, site_url: str, email: str, password: str = SAMPLE_PASSWORD) -> None:
    """Through the sign-in page, as anyone would."""
    page.goto(f"{site_url}/accounts/login/")
    page.fill("input[name=login]", email)
    page.fill("input[name=password]", password)
    page.locator("form:has(input[name=password]) [type=submit]").first.click()
    page.wait_for_url(lambda url: "/accounts/login/" not in url)
