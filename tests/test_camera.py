"""Members' cards read with a camera: a Chromium whose camera sees the picture of a card."""

import re
from pathlib import Path

import pytest
import qrcode
from django.test import Client
from playwright.sync_api import expect

from pantry.services import cards
from stockport_hubs.core import clock
from tests.browser import FLAGS, axe_clean, collect_problems
from tests.hall_live import LiveHall, ready, unlock
from tests.servers import prepare

pytestmark = [pytest.mark.sqlite, pytest.mark.browser, pytest.mark.django_db(transaction=True)]
WIDTH, HEIGHT, SQUARE = 640, 480, 8
# The streams that were given, to see that they end; a browser that reads codes itself.
STREAMS = """() => { const all = navigator.mediaDevices, ask = all.getUserMedia.bind(all); window.streams = [];
    all.getUserMedia = async how => { const got = await ask(how); streams.push(got); return got; } }"""
CONTROLLED = """() => navigator.serviceWorker.controller ? true : new Promise(done =>
    navigator.serviceWorker.addEventListener('controllerchange', () => done(true), {once: true}))"""
FORGET = """() => import('/static/js/tablet/hall.js').then(({hall}) =>
    hall.open.members.forEach(each => each.card = ''))"""
OFF = "streams.length && streams.every(each => each.getTracks().every(track => track.readyState === 'ended'))"
OWN = """window.BarcodeDetector = class { static async getSupportedFormats() { return ['qr_code']; }
    async detect(video) { return video.videoWidth ? [{rawValue: 'https://example.org'}, {rawValue: '%s'}] : []; } }"""


def film(text: str, path: Path) -> Path:
    """One second of a card with the code of that text, as Y4M: what Chromium takes for a camera's picture."""
    code = qrcode.QRCode(border=4)
    code.add_data(text)
    code.make(fit=True)
    squares = code.get_matrix()
    grey = [bytearray(b"\xc8" * WIDTH) for _ in range(HEIGHT)]
    left, top = ((whole - len(squares) * SQUARE) // 2 for whole in (WIDTH, HEIGHT))
    for y, line in enumerate(squares):
        drawn = b"".join((b"\x10" if dark else b"\xeb") * SQUARE for dark in line)
        for n in range(SQUARE):
            grey[top + y * SQUARE + n][left : left + len(drawn)] = drawn
    frame = b"FRAME\n" + b"".join(grey) + b"\x80" * (WIDTH * HEIGHT // 2)
    path.write_bytes(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F10:1 Ip A1:1 C420jpeg\n".encode() + frame * 10)
    return path


@pytest.fixture
def camera(site, chromium, tmp_path):
    """A hall, the code of its member 7002, and visitors to the site before whose camera that card is held."""
    hall = LiveHall(3)
    code = cards.make(membership=hall.members[1], by=hall.pantry_manager, at=clock.now()).code
    seen = film(code, tmp_path / "card.y4m")
    more = ["--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={seen}"]
    more += ["--use-fake-ui-for-media-stream"]  # nobody is there to say that the camera is allowed
    browser = chromium.browser_type.launch(executable_path=prepare.chromium_path(), args=[*FLAGS, *more])

    def visit(of=browser):
        context = of.new_context(viewport={"width": 360, "height": 740})
        hall.put_cookie(context, site.url)
        page = context.new_page()
        page.set_default_timeout(15_000)
        return page

    yield hall, code, visit
    browser.close()


def test_a_card_before_the_camera_opens_its_member_on_the_tablet_also_without_a_network(site, camera):
    hall, _, visit = camera
    page = visit()
    problems = collect_problems(page)
    page.goto(f"{site.url}/tablet/")
    unlock(page, "Kit")
    ready(page)
    page.evaluate(CONTROLLED)
    page.evaluate(STREAMS)
    page.get_by_role("button", name="Scan a card").click()
    expect(page.get_by_role("heading", name="7002 Marisol")).to_be_visible()
    assert page.evaluate(OFF)
    page.context.set_offline(True)  # the reader of codes was kept when it was asked for
    page.reload()
    unlock(page, "Kit")
    page.get_by_role("button", name="Back to the list").click()
    page.get_by_role("button", name="Scan a card").click()
    expect(page.get_by_role("heading", name="7002 Marisol")).to_be_visible()
    page.get_by_role("button", name="Back to the list").click()
    page.evaluate(FORGET)
    page.get_by_role("button", name="Scan a card").click()
    expect(page.locator("#said")).to_have_text("No member on this list has this card. Ask for the name or the number.")
    axe_clean(page)
    assert page.get_by_role("button", name="Type it instead").is_visible()
    page.get_by_role("button", name="Lock").click()
    expect(page.get_by_role("heading", name="Locked")).to_be_visible()
    assert [each for each in problems if "net::ERR" not in each] == []


def test_a_session_page_reads_a_card_with_the_browsers_own_reader_and_says_why_it_cannot(site, camera, chromium):
    hall, code, visit = camera
    client = Client()
    client.force_login(hall.volunteer)
    signed_in = {"name": "sessionid", "value": client.cookies["sessionid"].value, "url": site.url}
    page = visit()
    page.context.add_cookies([signed_in])
    page.add_init_script(OWN % code)
    asked = []
    page.on("request", lambda request: asked.append(request.url.rpartition("/")[2]))
    page.goto(f"{site.url}/pantry/sessions/{hall.session.pk}/")
    assert page.locator(".hubs-row").count() == 3
    # Opened, shut and opened again before the camera is there: the first one does not shut the second.
    page.get_by_role("button", name="Scan a card").evaluate("each => { each.click(); each.click(); each.click(); }")
    expect(page.locator(".hubs-row")).to_have_count(1)
    expect(page.locator(".hubs-row__number")).to_have_text("7002")
    assert "camera.js" in asked and "decode.js" not in asked
    shut = visit(chromium)  # another browser, whose camera nobody allows
    shut.context.add_cookies([signed_in])
    shut.goto(f"{site.url}/pantry/sessions/{hall.session.pk}/")
    shut.get_by_role("button", name="Scan a card").click()
    expect(shut.locator("#camera [role=status]")).to_contain_text(re.compile("[Tt]ype what is on the card."))
    axe_clean(shut)
    shut.context.close()
