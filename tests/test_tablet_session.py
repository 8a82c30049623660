"""A whole session on one tablet by two volunteers: forty collections, half of them without a network."""

import pytest
from playwright.sync_api import expect

from pantry import summary
from pantry.models import Collection, TabletEntry
from pantry.services import cards
from stockport_hubs.core import clock
from tests import factories
from tests.hall_live import PIN, LiveHall, counter, lock, record, unlock, wait_sent
from tests.test_tablet_app import arrive  # noqa: F401

pytestmark = [
    pytest.mark.slow,  # each step is in test_tablet_app.py as well
    pytest.mark.browser,
    pytest.mark.postgres,
    pytest.mark.django_db(transaction=True),
    pytest.mark.console("net::ERR"),
]
COUNT = """() => { window.touches = 0; window.pins = 0;
    addEventListener('pointerdown', () => { touches += 1 }, true);
    addEventListener('keydown', () => { if (document.getElementById('pin')) pins += 1; else touches += 1 }, true); }"""


def change(page, called: str) -> None:
    """Hand the tablet to somebody else who has unlocked it today."""
    lock(page)
    page.get_by_role("button", name="Somebody else").click()
    page.get_by_role("button", name=called, exact=True).click()
    page.keyboard.type(PIN)
    expect(page.get_by_role("button", name="Lock")).to_be_visible()


@pytest.mark.promise("H2")
def test_forty_collections_by_two_volunteers_agree_on_the_server_the_screen_and_the_summary(arrive, figures):  # noqa: F811
    hall = LiveHall(37)
    elsewhere = factories.pantry(hall.operator, name="Elsewhere Hall")
    guest = hall.join(pantry=elsewhere, on=clock.today())
    payer, owes = (hall.other(preferred_name=name, on=clock.today()) for name in ("Zebedee", "Xanthe"))
    code = cards.make(membership=hall.members[14], by=hall.pantry_manager, at=clock.now()).code
    page = arrive(hall)
    page.evaluate(COUNT)
    unlock(page, "Kit")
    change(page, "Lou")
    change(page, "Kit")
    for number in range(7001, 7014):
        record(page, number)
    page.get_by_role("button", name="Undo what was recorded for 7013").click()  # and once more, rightly
    record(page, 7013)
    page.click("[data-number='7014']")
    page.get_by_role("button", name="Another number").click()
    page.get_by_role("button", name="One more: Items").click()
    page.get_by_role("button", name="Record", exact=True).click()
    page.get_by_role("button", name="Larger household").click()
    page.fill("#find", code)
    expect(page.get_by_role("heading", name="7015")).to_be_visible()
    page.get_by_role("button", name="Record the usual 10").click()
    wait_sent(page, 17, 15)
    page.context.set_offline(True)
    for number in range(7016, 7025):
        record(page, number)
    page.get_by_role("button", name="Somebody who is not on the list").click()
    page.fill("#called", "Bo")
    page.get_by_role("button", name="Record this visitor").click()
    change(page, "Lou")
    for number in (*range(7025, 7038), guest.number, payer.number):
        record(page, number)
    page.fill("#find", str(owes.number))
    page.click(f"[data-number='{owes.number}']")
    page.get_by_role("button", name="not paid today").click()
    expect(page.locator("#said")).to_contain_text(f"Saved on this device. {owes.number}")
    page.locator("#bar").get_by_role("button", name="Saved on this device").click()
    page.get_by_role("button", name="Undo with a reason: 7037").click()
    page.get_by_role("button", name="Wrong member").click()
    assert counter(page)[1] == 17
    page.context.set_offline(False)
    wait_sent(page, 44, 30)
    record(page, 7037)
    wait_sent(page, 45, 15)
    came = summary.of(hall.session)
    counted = Collection.objects.counted().filter(session=hall.session)
    by = {name: counted.filter(recorded_by=user).count() for name, user in (("Kit", hall.kit), ("Lou", hall.lou))}
    assert (counted.count(), came.collections, by) == (40, 40, {"Kit": 24, "Lou": 16})
    assert (came.items, came.undone, came.visitors, came.of_other_pantries) == (401, 2, 1, 1)
    assert (came.paid, came.paid_pence > 0, came.not_paid, counter(page)) == (1, True, 1, (45, 45))
    assert set(TabletEntry.objects.values_list("outcome", flat=True)) == {"recorded"}
    touches, pins = page.evaluate("[touches, pins]")
    figures(f"40 recorded, 2 undone, 1 visitor: {touches} taps, four digits for each search, {pins} digits of PINs")
