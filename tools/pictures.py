"""`make pictures`: the main pages of the sample pilot as small PNG files in docs/pictures, for the README."""

import re
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
    """A page as somebody sees it: a path, then the first link like each of `through`, where * is an id; `typed` into
    the first field of each label, and not saved."""

    name: str
    account: str  # the part before @example.org
    path: str
    width: int = DESK
    through: tuple[str, ...] = ()
    typed: tuple[tuple[str, str], ...] = ()


PICTURES = [
    Picture("advisor-home", "advisor", "/"),
    Picture("young-person", "advisor", "/people/", through=("/people/*/",)),
    Picture("session-phone", "volunteer", "/pantry/today/", PHONE, through=("/pantry/sessions/*/",)),
    Picture("session-tablet", "volunteer", "/pantry/today/", TABLET, through=("/pantry/sessions/*/",)),
    Picture("pantry-manager-home", "pantry.manager", "/"),
    Picture("manager-home", "manager", "/"),
    Picture("held-renewals", "manager", "/pantry/renewals/"),
    Picture("money", "finance", "/"),
    Picture("barriers", "manager", "/reviews/barriers/"),
    Picture("figures", "manager", "/reviews/figures/#funnel"),
    Picture(
        "meeting",
        "manager",
        "/reviews/",
        through=("/reviews/meetings/*/", "/reviews/meetings/*/work-through/"),
        typed=(("Discussed", "The bus goes once an hour on Thursdays."), ("Decision", "Offer a lift to the session")),
    ),
]


def follow(page, like: str) -> None:
    """Go where the first link of the page's content leads that is like this, with an id for the star."""
    links = page.eval_on_selector_all("main a[href]", "links => links.map(link => link.getAttribute('href'))")
    wanted = re.compile(re.escape(like).replace(r"\*", "[0-9a-f-]{36}"))
    found = next((link for link in links if wanted.fullmatch(link)), None)
    if found:
        page.goto(urljoin(page.url, found))


def take(browser, site_url: str, picture: Picture) -> str:
    """One picture; what it is and how large the file is."""
    width = picture.width
    context = browser.new_context(viewport={"width": width, "height": HEIGHTS[width]}, locale="en-GB")
    page = context.new_page()
    sign_in(page, site_url, f"{picture.account}@example.org")
    answer = page.goto(site_url + picture.path)
    for like in picture.through:
        follow(page, like)
    for label, words in picture.typed:
        page.get_by_label(label, exact=True).first.fill(words)
    path = TARGET / f"{picture.name}.png"
    page.screenshot(path=path)
    context.close()
    shrink(path)
    return f"{path.name}: {answer.status if answer else 0}, {path.stat().st_size // 1024} kB"


def shrink(path: Path) -> None:
    """At most 64 colours: plain pages stay sharp and files small."""
    with Image.open(path) as picture:
        picture.convert("RGB").quantize(64, dither=Image.Dither.NONE).save(path, optimize=True)


MAKE_PACKS = """
from pathlib import Path
from reviews.models import Audience, ReviewMeeting
from reviews.services import packs
from stockport_hubs.accounts.models import User
from stockport_hubs.core import clock
meeting = ReviewMeeting.objects.order_by("starts_at").last()
manager = User.objects.get(email="manager@example.org")
for audience in Audience.values if meeting else []:
    pack = packs.build(meeting=meeting, audience=audience, by=manager, now=clock.now)()
    Path({folder!r}, f"pack-{{audience}}.pdf").write_bytes(pack.pdf)
"""


def pack_pages(database_url: str, folder: Path) -> None:
    """The first page of each pack of the sample pilot's next meeting, when there is one."""
    if not shutil.which("pdftoppm"):
        print("No pack: pdftoppm is missing.")
        return
    manage(database_url, "shell", "--verbosity=0", "-c", MAKE_PACKS.format(folder=str(folder)), CLOCK=NOW)
    for pdf in sorted(folder.glob("pack-*.pdf")):
        target = TARGET / pdf.stem
        subprocess.run(["pdftoppm", "-png", "-r", "80", "-singlefile", str(pdf), str(target)], check=True)
        shrink(target.with_suffix(".png"))
        print(f"{target.name}.png: {target.with_suffix('.png').stat().st_size // 1024} kB")


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
