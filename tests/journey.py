"""A journey through the site in Chromium: one browser for each person, every page looked at and all work counted."""

import os
import re
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path

from playwright.sync_api import Page

from tests import browser
from tests.processes import Process, Site

PASSWORD = "three words put together"


class Person:
    """Someone at a screen: follows links, fills in fields, presses buttons."""

    def __init__(self, journey: "Journey", page: Page):
        self.journey, self.page = journey, page
        self.followed: set[str] = set()
        self.work = {"loads": 0, "clicks": 0, "keys": 0}
        self.fields: set[tuple[str, str]] = set()
        page.on("load", lambda _: self._count("loads"))

    @property
    def text(self) -> str:
        """What the page says."""
        return self.page.locator("main").inner_text()

    def go(self, path: str) -> "Person":
        """Type an address."""
        answer = self.page.goto(path if path.startswith("http") else self.journey.site.url + path)
        assert answer is not None and answer.status == 200, (path, answer and answer.status)
        return self._arrived()

    def follow(self, words: str | re.Pattern, within: str = "body") -> "Person":
        """Click the link (or link drawn as a button) with these words in its name."""
        link = self.page.locator(within).get_by_role("link", name=words)
        return self._click(link.or_(self.page.locator(within).locator("a[role=button]", has_text=words)))

    def menu(self, entry: str) -> "Person":
        """Click an entry of the menu."""
        return self._click(self.page.get_by_role("navigation", name="Menu").get_by_role("link", name=entry, exact=True))

    def type(self, **fields: str) -> "Person":
        """Click into each field and fill it in."""
        for name, value in fields.items():
            field = self.page.locator(f"main [name={name}]")
            self._tap(field)
            field.fill(value)
            self._filled(name)
        return self

    def attach(self, name: str, file: str, content: bytes) -> "Person":
        """Choose a file of that name from the machine."""
        self.page.locator(f"main [name={name}]").set_input_files(
            {"name": file, "mimeType": "application/octet-stream", "buffer": content}
        )
        self._count("clicks", 2)  # one opens the machine's own list, one picks from it
        self._filled(name)
        return self

    def search(self, words: str) -> "Person":
        """Into the search box, key by key, and then the key that sends a form."""
        self._tap(self.page.get_by_role("searchbox"))
        self.page.keyboard.type(words)
        self._count("keys", len(words) + 1)
        with self.page.expect_navigation():
            self.page.keyboard.press("Enter")
        return self._arrived()

    def day(self, name: str, value: date) -> "Person":
        """The three inputs of a date."""
        return self.type(**{f"{name}_{part}": str(getattr(value, part)) for part in ("day", "month", "year")})

    def choose(self, **fields: str | re.Pattern) -> "Person":
        """Tick the radio button or checkbox, or choose the option, with these words."""
        for name, words in fields.items():
            field = self.page.locator(f"main [name={name}]")
            if field.first.evaluate("field => field.tagName") == "SELECT":
                option = field.locator("option", has_text=words).first
                field.select_option(value=option.get_attribute("value"))
                self._count("clicks", 2)  # one opens the list, one picks from it
            else:
                ids = field.evaluate_all("all => all.map(field => field.id)")
                labels = self.page.locator(", ".join(f'label[for="{each}"]' for each in ids))
                self._tap(labels.filter(has_text=words).first)
            self._filled(name)
        return self

    def press(self, button: str | re.Pattern, *, refused: str = "") -> "Person":
        """Press a button; its page may have an error summary only when a refusal is expected, with those words."""
        self._click(self.page.locator("main").get_by_role("button", name=button))
        summary = self.page.locator(".govuk-error-summary, .hubs-banner--problem")
        said = summary.first.inner_text() if summary.count() else ""
        assert refused in said if refused else not said, said
        return self

    def sign_out(self) -> "Person":
        """The button in the header."""
        return self._click(self.page.get_by_role("banner").get_by_role("button", name="Sign out"))

    def _click(self, target) -> "Person":
        with self.page.expect_navigation():
            self._tap(target.first)
        return self._arrived()

    def _tap(self, target) -> None:
        target.click()
        self._count("clicks")

    def _filled(self, name: str) -> None:
        self.fields.add((browser.kind(self.page.url), name))

    def _count(self, what: str, times: int = 1) -> None:
        self.work[what] += times

    def _arrived(self) -> "Person":
        """The first time on each kind of page, and each time it has an error summary: look at it at every width."""
        page = self.page
        state = "error" if page.locator(".govuk-error-summary").count() else ""
        kind = (browser.kind(page.url), page.title(), state)
        if kind not in self.journey.seen:
            self.journey.seen.add(kind)
            if not self.journey.java_script:
                assert (kind, browser.plain_faults(page)) == (kind, [])
                return self
            browser.axe_clean(page, axe_at=browser.AXE_AT)
            self._no_dead_ends()
        return self

    def _no_dead_ends(self) -> None:
        """Every link of the page leads this person to a page."""
        for url in self.page.eval_on_selector_all("a[href^='/']", "all => all.map(link => link.href)"):
            if (kind := browser.kind(url)) not in self.followed:
                self.followed.add(kind)
                status = self.page.request.get(url).status
                assert status == 200, f"{self.page.url} leads to {url}, which answers {status}"

    def start_counting(self) -> None:
        """From here on."""
        self.work, self.fields = dict.fromkeys(self.work, 0), set()

    def counted(self, name: str) -> int:
        """clicks, keys, loads or fields since then."""
        return len(self.fields) if name == "fields" else self.work[name]


def can_be_written(database_url: str) -> bool:
    """False while somebody holds SQLite's one lock for writing."""
    path = database_url.removeprefix("sqlite:///")
    if path == database_url:
        return True
    with closing(sqlite3.connect(path, timeout=0)) as line:
        try:
            line.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
    return True


class Journey:
    """The site, the folder with its e-mails, and everybody who has joined; their browsers may do without JavaScript."""

    def __init__(self, site: Site, new_page, mail: Path, worker: Process | None = None, *, java_script: bool = True):
        self.site, self.new_page, self.mail, self.worker, self.java_script = site, new_page, mail, worker, java_script
        self.people: dict[str, Person] = {}
        self.seen: set[tuple[str, str, str]] = set()

    def __getitem__(self, who: str) -> Person:
        return self.people[who]

    def join(self, who: str, link: str) -> Person:
        """Open the link of an invitation and choose a password."""
        page = self.new_page(java_script_enabled=self.java_script)
        self.people[who] = Person(self, page)
        return self[who].go(link).type(password=PASSWORD, password_again=PASSWORD).press("Join and sign in")

    def invite(self, by: str, who: str, name: str, role: str = "", organisation: str = "") -> Person:
        """On the page for inviting: someone is invited by e-mail and takes the invitation up."""
        email = f"{who}@example.net"
        form = self[by].type(name=name, email=email)
        if role:
            form.choose(role=role, organisation=organisation)
        form.press("Send the invitation")
        return self.join(who, re.search(r"/join/[^\s]+", self.letter(email))[0])  # type: ignore[index]

    @contextmanager
    def nothing_works(self) -> Iterator[None]:
        """The job runner stands still meanwhile, and holds no lock of the database."""
        assert self.worker is not None
        os.killpg(self.worker.pid, signal.SIGSTOP)
        while not can_be_written(self.site.database_url):
            os.killpg(self.worker.pid, signal.SIGCONT)
            time.sleep(0.05)
            os.killpg(self.worker.pid, signal.SIGSTOP)
        yield
        os.killpg(self.worker.pid, signal.SIGCONT)

    def letter(self, to: str, words: str = "") -> str:
        """The newest e-mail to that address, once it is there."""
        anyone = next(iter(self.people.values()))
        for _ in range(300):
            newest_first = sorted(self.mail.glob("*"), key=lambda path: path.stat().st_mtime_ns, reverse=True)
            for text in (path.read_text() for path in newest_first):
                if f"To: {to}" in text and words in text:
                    return text
            anyone.page.wait_for_timeout(100)
        raise AssertionError(f"no e-mail came; {len(list(self.mail.glob('*')))} others did")
