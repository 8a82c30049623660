"""`make pictures`: the main pages of the sample pilot as small PNG files in docs/pictures, for the README."""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urljoin

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
from PIL import Image  # noqa: E402

from tests.browser import chromium, sign_in  # noqa: E402
from tests.processes import Started, manage  # noqa: E402
from tests.servers import Databases  # noqa: E402

TARGET = ROOT / "docs" / "pictures"
NOW = "2026-11-18T10:30"  # always the same day, so that the same code gives the same pictures
PHONE, TABLET, DESK = 360, 768, 1280
HEIGHTS = {PHONE: 740, TABLET: 1000, DESK: 900}


class Picture(NamedTuple):
    """A page as somebody sees it: a path, then the first link that begins with each of `through`."""

    name: str
    account: str  # the part before @example.org; empty: nobody signed in
    path: str
    width: int = DESK
    through: tuple[str, ...] = ()


PICTURES = [
    Picture("sign-in", "", "/accounts/login/"),
    Picture("advisor-home", "advisor", "/"),
    Picture("young-person", "advisor", "/people/", through=("/people/",)),
    Picture("introductions", "advisor", "/introductions/"),
    Picture("volunteer-home-phone", "volunteer", "/", PHONE),
    Picture("session-phone", "volunteer", "/pantry/today/", PHONE, through=("/pantry/sessions/",)),
    Picture("session-tablet", "volunteer", "/pantry/today/", TABLET, through=("/pantry/sessions/",)),
    Picture("pantry-manager-home", "pantry.manager", "/"),
    Picture("manager-home", "manager", "/"),
    Picture("held-renewals", "manager", "/pantry/renewals/"),
    Picture("money", "finance", "/"),
    Picture("figures", "manager", "/reviews/figures/"),
]


def follow(page, beginning: str) -> None:
    """Go where the first link of the page's content leads that begins so and goes on with an id."""
    links = page.eval_on_selector_all("main a[href]", "links => links.map(link => link.getAttribute('href'))")
    found = next((link for link in links if link.startswith(beginning) and link.count("-") >= 4), None)
    if found:
        page.goto(urljoin(page.url, found))


def take(browser, site_url: str, picture: Picture) -> str:
    """One picture; what it is and how large the file is."""
    width = picture.width
    context = browser.new_context(viewport={"width": width, "height": HEIGHTS[width]}, locale="en-GB")
    page = context.new_page()
    if picture.account:
        sign_in(page, site_url, f"{picture.account}@example.org")
    answer = page.goto(site_url + picture.path)
    for beginning in picture.through:
        follow(page, beginning)
    path = TARGET / f"{picture.name}.png"
    page.screenshot(path=path)
    context.close()
    shrink(path)
    return f"{path.name}: {answer.status if answer else 0}, {path.stat().st_size // 1024} kB"


def shrink(path: Path) -> None:
    """At most 64 colours: plain pages stay sharp and files small."""
    with Image.open(path) as picture:
        picture.convert("RGB").quantize(64, dither=Image.Dither.NONE).save(path, optimize=True)


def pack_pages(database_url: str, folder: Path) -> None:
    """The first page of the packs of the sample pilot's last meeting, when there is one."""
    code = (
        "from reviews.models import ReviewMeeting\n"
        f"meeting = ReviewMeeting.objects.filter(starts_at__lte='{NOW}Z').order_by('starts_at').last()\n"
        "print(meeting.pk if meeting else '')"
    )
    meeting = manage(database_url, "shell", "--verbosity=0", "-c", code, CLOCK=NOW).strip().rpartition("\n")[2]
    if not meeting or not shutil.which("pdftoppm"):
        print("No pack: there is no meeting, or pdftoppm is missing.")
        return
    for audience in ("leaving-care", "stockport-homes"):
        pdf, name = folder / f"{audience}.pdf", TARGET / f"pack-{audience}"
        manage(
            database_url, "build_pack", "--meeting", meeting, "--audience", audience, "--output", str(pdf), CLOCK=NOW
        )
        subprocess.run(["pdftoppm", "-png", "-r", "80", "-singlefile", str(pdf), str(name)], check=True)
        shrink(name.with_suffix(".png"))
        print(f"{name.name}.png: {name.with_suffix('.png').stat().st_size // 1024} kB")


def main() -> int:
    """All of them."""
    TARGET.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        database_url = Databases(folder).fresh()
        manage(database_url, "load_sample_pilot", CLOCK=NOW)
        everything = Started(folder)
        try:
            site = everything.site(database_url, CLOCK=NOW)
            with chromium() as browser:
                for picture in PICTURES:
                    print(take(browser, site.url, picture), flush=True)
            pack_pages(database_url, folder)
        finally:
            everything.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
