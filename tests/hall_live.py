"""A hall of today with its tablet in a real Chromium: members, two volunteers with PINs, and a profile on the disk that
outlives the browser, which can be killed at any moment."""

import re
import time
from datetime import timedelta
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Page, expect

from pantry.models import Membership, OpeningHours, Place
from pantry.services import tablets, volunteers
from stockport_hubs.accounts.models import User
from stockport_hubs.core import clock
from stockport_hubs.core.weeks import monday
from tests.browser import FLAGS
from tests.counter_scene import Counter
from tests.processes import Process
from tests.servers import prepare

PIN = "270418"
# Of 60, no three letters are those of another.
FIRST = "Quillon Marisol Bertwin Ysolde Tancred Fenella Ludovic Oriande Cassius Wilmot Perpetua Hesper".split()
SECOND = ["", "a", "ette", "ina", "iel"]


class LiveHall(Counter):
    """A pantry that is open all day today, an enrolled tablet, Kit and Lou who have PINs, and n members."""

    def __init__(self, n: int = 12):
        super().__init__()
        today, now = clock.today(), clock.now()
        OpeningHours.objects.update(weekday=today.weekday(), opens="00:00", closes="23:59")
        self.pantry.closes_on_bank_holidays = False
        self.pantry.save()
        self.session = self.open(today)
        self.tablet, self.secret = tablets.enrol(pantry=self.pantry, name="Blue tablet", by=self.pantry_manager, at=now)
        self.kit, self.lou = self.add("Kit"), self.add("Lou")
        self.members = self.crowd(n)

    def add(self, called: str) -> User:
        """A volunteer with a PIN."""
        now = clock.now()
        user, code = volunteers.add(pantry=self.pantry, called=called, by=self.pantry_manager, at=now)
        volunteers.set_pin(tablet=self.tablet, user=user, code=code, pin=PIN, at=now)
        return user

    def crowd(self, n: int) -> list[Membership]:
        """Members who all are paid for, numbered from 7001, in two statements."""
        today = clock.today()
        joined = today - timedelta(days=21)
        made = [
            Membership(
                operator=self.operator,
                number=7001 + i,
                preferred_name=FIRST[i % 12] + SECOND[i // 12 % 5] + (f" {i // 60}" if i >= 60 else ""),
                state=Membership.State.OPEN,
                joined_on=joined,
                first_week=monday(joined),
                agreement=self.agreement,
                created_at=clock.now(),
            )
            for i in range(n)
        ]
        Membership.objects.bulk_create(made)
        Place.objects.bulk_create(Place(membership=m, pantry=self.pantry, from_week=m.first_week) for m in made)
        return made

    def put_cookie(self, context: BrowserContext, url: str) -> None:
        """As enrolling on the tablet leaves it."""
        cookie = {"name": "tablet", "value": self.secret, "domain": "127.0.0.1", "path": "/tablet/"}
        context.add_cookies([{**cookie, "httpOnly": True, "sameSite": "Strict"}])  # type: ignore[list-item]


class Profile:
    """Chromium with a profile in a folder. `open()` gives its page; `kill()` is kill -9; the folder stays."""

    def __init__(self, chromium: Browser, folder: Path) -> None:
        self.kind, self.folder, self.process, self.starts = chromium.browser_type, folder, None, 0

    def open(self) -> Page:
        self.starts += 1
        port = self.folder / "DevToolsActivePort"
        port.unlink(missing_ok=True)
        path = prepare.chromium_path()
        assert path
        options = [f"--user-data-dir={self.folder}", "--remote-debugging-port=0", "about:blank"]
        log = self.folder.parent / f"chromium-{self.starts}.log"
        self.process = Process([path, *FLAGS, *options], log=log)
        self.process.wait_until(lambda: port.exists() and port.read_text().count("\n") > 0)
        self.browser = self.kind.connect_over_cdp(f"http://127.0.0.1:{port.read_text().split()[0]}")
        page = self.browser.contexts[0].new_page()
        page.set_viewport_size({"width": 360, "height": 740})
        page.set_default_timeout(15_000)
        return page

    def kill(self) -> None:
        """As a battery ends."""
        if self.process:
            self.process.kill()
            self.process = None

    def close(self) -> None:
        """As a person ends it: everything is written."""
        if self.process:
            self.browser.new_browser_cdp_session().send("Browser.close")
            self.process.process.wait(10)
            self.kill()

    def holds(self, *values: str) -> list[str]:
        """Which of the values lie in any file of the profile, ignoring case, as UTF-8 or UTF-16."""
        found = set()
        for path in self.folder.rglob("*"):
            if not path.is_file():
                continue
            whole = path.read_bytes().lower()
            wide = whole.replace(b"\0", b"")
            found |= {v for v in values if v.lower().encode() in whole or v.lower().encode() in wide}
        return sorted(found)


def unlock(page: Page, called: str, pin: str = PIN) -> None:
    """From the names, by keyboard."""
    page.get_by_role("button", name=called, exact=True).click()
    type_pin(page, pin)


def type_pin(page: Page, pin: str = PIN) -> None:
    page.keyboard.type(pin)
    expect(page.get_by_role("button", name="Lock")).to_be_visible(timeout=20_000)


def lock(page: Page) -> None:
    page.get_by_role("button", name="Lock").click()
    expect(page.get_by_role("heading", name="Locked")).to_be_visible()


def record(page: Page, number: int) -> None:
    """The usual ten."""
    page.fill("#find", str(number))
    page.click(f"[data-number='{number}']")
    page.get_by_role("button", name=re.compile("^Record the usual|^Usual 10, £.* paid")).click()
    expect(page.locator("#said")).to_contain_text(f"Saved on this device. {number}")


def counter(page: Page) -> tuple[int, int]:
    """(saved on this device, sent), as the line at the bottom says."""
    found = re.search(r"Saved on this device (\d+) · Sent (\d+)", page.locator("#bar").inner_text())
    assert found
    return int(found[1]), int(found[2])


def wait_sent(page: Page, n: int, seconds: float) -> float:
    """How long until n entries are sent; fails when it takes longer than that."""
    began = time.monotonic()
    expect(page.locator("#bar")).to_contain_text(f"Sent {n}", timeout=seconds * 1000)
    return time.monotonic() - began


def ready(page: Page) -> None:
    """The service worker has kept the page: from now on no network is needed to open it."""
    late = "new Promise((_, no) => setTimeout(no, 15000, 'the page is not kept'))"
    page.evaluate(f"Promise.race([navigator.serviceWorker.ready.then(() => true), {late}])")
