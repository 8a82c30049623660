"""A hall's tablet as it is used: found and recorded in a few touches, locked and erased, without a network (C4, S2)."""

import random
import re
import time

import pytest
from playwright.sync_api import expect

from pantry.models import Band, Collection, TabletEntry, Visitor
from pantry.services import cards, running, tablets, volunteers
from referrals.services import directory
from stockport_hubs.core import clock
from tests.browser import axe_clean
from tests.hall_live import PIN, LiveHall, Profile, lock, ready, record, type_pin, unlock, wait_sent

pytestmark = [pytest.mark.sqlite, pytest.mark.browser, pytest.mark.django_db(transaction=True)]
NO_NETWORK = pytest.mark.console("net::ERR", "status of 4")


@pytest.fixture
def arrive(site, new_page):
    """`arrive(hall, width)`: the tablet's page with the names of who records."""

    def go(hall: LiveHall, width: int = 360, **options):
        page = new_page(width, **options)
        page.set_viewport_size({"width": width, "height": 740})
        hall.put_cookie(page.context, site.url)
        page.goto(f"{site.url}/tablet/")
        expect(page.get_by_role("heading", name="Who is recording?")).to_be_visible()
        return page

    return go


def heading(page) -> str:
    return page.locator("h1").inner_text().split("\n")[-1]


def entries(page) -> list[dict]:
    """What lies in the device's own store of entries."""
    return page.evaluate("""() => new Promise(done => { indexedDB.open('hall').onsuccess = event => {
        event.target.result.transaction('entries').objectStore('entries').getAll().onsuccess = got => {
            done(got.target.result); event.target.result.close(); } } })""")


def vaults(page) -> int:
    return page.evaluate("""() => new Promise(done => { indexedDB.open('hall').onsuccess = event => {
        event.target.result.transaction('kept').objectStore('kept').getAllKeys().onsuccess = got => {
            done(got.target.result.filter(name => name.startsWith('vault:')).length);
            event.target.result.close(); } } })""")


# -- the screens -------------------------------------------------------------------------------------------------------


@NO_NETWORK
def test_a_session_by_screens_each_of_them_accessible(arrive):
    """Names, PIN, list, member, another number with its warning, undo, visitor, number not on the list, sign-out."""
    hall = LiveHall(6)
    red = Band.objects.create(pantry=hall.pantry, name="red", items=4, position=1)
    Band.objects.create(pantry=hall.pantry, name="blue", items=6, position=2)
    payer = hall.other(preferred_name="Zebedee", on=clock.today())
    given = {"pantry": hall.pantry, "by": hall.pantry_manager, "at": clock.now()}
    code = cards.make(membership=hall.members[4], by=hall.pantry_manager, at=clock.now()).code
    running.write_note(text="Bring bags.", from_on=clock.today(), until_on=None, **given)
    running.put_down(on=clock.today(), opens=hall.session.opens, user=hall.lou, **given)
    page = arrive(hall)
    axe_clean(page)
    page.get_by_role("button", name="Kit").click()
    assert page.locator("#pin").evaluate("field => field === document.activeElement")
    for digit in "111111":
        page.get_by_role("button", name=digit, exact=True).click()
    expect(page.locator("#said")).to_contain_text("4 tries are left")
    axe_clean(page)
    type_pin(page)
    assert heading(page).startswith("Today’s list")
    axe_clean(page)
    assert page.locator(".tab-notes").inner_text().split("\n\n") == ["A note for today", "Bring bags."]
    assert page.get_by_text("Down for today: Lou.").is_visible()
    page.get_by_text("A note for today").click()
    page.fill("#find", "mar")
    expect(page.locator("#said")).to_have_text("1 found")
    page.keyboard.press("Enter")  # to the first that is found, and on to the member
    page.keyboard.press("Enter")
    assert heading(page).endswith("Marisol")
    axe_clean(page)
    page.get_by_role("button", name="Record the usual 10").click()
    expect(page.locator("#said")).to_have_text("Saved on this device. 7002 Marisol: 10 items, fruit and veg.")
    assert page.get_by_text("Bring bags.").is_hidden() and page.get_by_text("A note for today").is_visible()  # read
    wait_sent(page, 1, 10)
    page.get_by_role("button", name="Undo what was recorded for 7002 Marisol").click()
    expect(page.locator("#said")).to_contain_text("Undone for number 7002")
    wait_sent(page, 2, 10)
    assert Collection.objects.get().void_reason == "Recorded by mistake"
    page.click("[data-number='7003']")
    page.get_by_role("button", name="Another number").click()
    page.get_by_role("button", name="One more: red").click()
    expect(page.locator("#said")).to_have_text("red 5. 11 of 10 items: more than allowed")
    axe_clean(page)
    page.get_by_role("button", name="Record", exact=True).click()
    assert page.locator(".tab-warning").inner_text() == "5 red items are more than the 4 allowed."
    axe_clean(page)
    page.get_by_role("button", name="Larger household").click()
    page.click(f"[data-number='{payer.number}']")
    page.get_by_role("button", name="not paid today").click()
    page.fill("#find", code.lower())  # as a scanner types it
    expect(page.get_by_role("heading", name="7005 Tancred")).to_be_visible()
    page.get_by_role("button", name="Back to the list").click()
    page.get_by_role("button", name="Somebody who is not on the list").click()
    axe_clean(page)
    page.fill("#called", "Bo")
    page.get_by_role("button", name="Record this visitor").click()
    page.fill("#find", "99123")
    page.get_by_role("button", name="Record number 99123").click()
    page.get_by_role("button", name="Record the usual 10").click()
    page.get_by_role("button", name=re.compile("1 to look at")).click(timeout=15_000)
    expect(page.get_by_text("No member here has the number 99123")).to_be_visible()
    axe_clean(page)
    page.get_by_role("button", name="Sign out").click()
    axe_clean(page)
    page.get_by_role("button", name="Sign out and erase the list").click()
    expect(page.get_by_role("heading", name="Who is recording?")).to_be_visible()
    assert vaults(page) == 0
    kept = Collection.objects.counted().order_by("membership__number")
    taken = [(c.membership.number, c.paid_pence, {i.band_id: i.quantity for i in c.items.all()}) for c in kept]
    assert [number for number, *_ in taken] == sorted([7003, payer.number])
    assert dict((n, items) for n, _, items in taken)[7003][red.pk] == 5 and sum(pence for _, pence, _ in taken) == 0
    assert (Visitor.objects.get().called, TabletEntry.objects.to_sort_out().count()) == ("Bo", 1)


@NO_NETWORK
def test_a_first_pin_is_chosen_and_what_was_told_and_undone_has_its_screens(arrive):
    hall = LiveHall(2)
    given = {"by": hall.pantry_manager, "at": clock.now()}
    _, code = volunteers.add(pantry=hall.pantry, called="Max", **given)
    directory.add(name="Soup cards", kind="cooking", line="Six soups", where="By the till", **given)
    page = arrive(hall)
    page.get_by_role("button", name="Max").click()
    for title, digits in [("Starting code", code), ("Choose a PIN", PIN), ("The same PIN again", "480914")]:
        expect(page.get_by_role("heading", name=title)).to_be_visible()
        axe_clean(page)
        page.keyboard.type(digits)
    expect(page.locator("#said")).to_have_text("The two were not the same. Choose again.")
    page.keyboard.type(PIN)
    expect(page.get_by_role("heading", name="The same PIN again")).to_be_visible()
    type_pin(page)
    page.click("[data-number='7002']")
    page.get_by_role("button", name="Told them about…").click()
    axe_clean(page)
    page.get_by_role("button", name="Soup cards").click()
    record(page, 7001)
    page.locator("#bar").get_by_role("button", name="Saved on this device").click()
    page.get_by_role("button", name="Undo with a reason: 7001").click()
    expect(page.get_by_role("heading", name="Why is it undone?")).to_be_visible()
    axe_clean(page)
    page.get_by_role("button", name="Wrong member").click()
    page.locator("h1").click()  # a scanner then types into the box, whatever has the focus
    page.keyboard.type("7002")
    expect(page.locator("#find")).to_have_value("7002")
    wait_sent(page, 3, 10)
    assert set(TabletEntry.objects.values_list("recorded_by__name", "outcome")) == {("Max", "recorded")}


@NO_NETWORK
def test_what_is_in_the_way_or_worries_somebody_goes_from_the_device_and_is_not_read_back_there(arrive):
    page = arrive(LiveHall(2))
    unlock(page, "Kit")
    page.context.set_offline(True)
    page.click("[data-number='7002']")
    page.get_by_role("button", name="Something makes it hard to come").click()
    axe_clean(page)
    page.locator(".tab-do button").first.click()
    page.click("[data-number='7001']")
    page.get_by_role("button", name="Worried about someone?").click()
    axe_clean(page)
    page.get_by_role("button", name="Ask someone to ring me").click()
    page.click("[data-number='7001']")
    page.get_by_role("button", name="Would like to help here").click()
    expect(page.locator("#bar")).to_contain_text("Saved on this device 3 · Sent 0")
    page.get_by_role("button", name="Saved on this device").click()
    waits = [each["body"] for each in entries(page)]
    assert [set(body) for body in waits] == [{"closed"}, {"closed"}, {"member"}]  # not even the device can read them
    rows = [line.split(" ", 1)[1] for line in page.locator(".tab-entries li > :first-child").all_inner_texts()]
    assert rows == ["7001 Quillon would like to help · Kit", "Asked to be rung · Kit", "Noted · Kit"]
    page.context.set_offline(False)
    wait_sent(page, 3, 10)
    sent = list(TabletEntry.objects.order_by("received_at", "told_at").values_list("kind", "outcome"))
    assert sent == [("barrier", "recorded"), ("worry", "recorded"), ("wish", "recorded")]
    kept = [{name: each.get(name) for name in ("kind", "member", "number", "body")} for each in entries(page)]
    nothing = {"member": None, "number": None, "body": None}
    assert kept[:2] == [{"kind": "barrier", **nothing}, {"kind": "worry", **nothing}]


def test_a_device_that_cannot_save_says_so_and_saves_again_when_it_can(arrive):
    page = arrive(LiveHall(2))
    unlock(page, "Kit")
    page.evaluate("""() => { const add = IDBObjectStore.prototype.add;
        IDBObjectStore.prototype.add = () => { throw new Error('The disk is full'); };
        window.roomAgain = () => { IDBObjectStore.prototype.add = add; } }""")
    visit = ["Somebody who is not on the list", "Record this visitor"]
    for steps in (visit, ["Worried about someone?", "Ask someone to ring me"], ["Record the usual 10"]):
        if steps[0] == "Record the usual 10":
            page.click("[data-number='7001']")
        for name in steps:
            page.get_by_role("button", name=name).first.click()
        expect(page.get_by_role("heading", name="Not saved")).to_be_visible()
        assert "The disk is full. Write it on paper and tell the pantry manager." in page.inner_text(".tab-warning")
        page.get_by_role("button", name="Back to the list").click()
    page.evaluate("roomAgain()")
    for name in visit:
        page.get_by_role("button", name=name).click()
    wait_sent(page, 1, 10)


def test_of_two_thousand_members_a_hundred_are_drawn_and_all_are_found(arrive):
    page = arrive(LiveHall(2000))
    unlock(page, "Kit")
    assert page.locator(".tab-row").count() == 100
    page.get_by_role("button", name="Show 100 more of 2000").click()
    assert page.locator(".tab-row").count() == 200
    took = page.evaluate("""() => { const field = document.getElementById('find'), began = performance.now();
        for (const typed of ['h', 'he', 'hes']) { field.value = typed; field.dispatchEvent(new Event('input')); }
        return (performance.now() - began) / 3; }""")
    assert page.locator(".tab-row").count() == 100 and took < 250
    page.fill("#find", "8999")
    assert page.locator(".tab-row").count() == 1
    print(f"a letter typed among 2,000 members: {took:.0f} ms")


# -- locked and erased -------------------------------------------------------------------------------------------------


@NO_NETWORK
@pytest.mark.promise("S2")
def test_after_two_minutes_a_pin_and_back_to_the_same_member_and_what_was_not_recorded(arrive):
    page = arrive(LiveHall(3))
    page.clock.install()
    page.reload()
    unlock(page, "Kit")
    record(page, 7001)
    page.click("[data-number='7002']")
    page.get_by_role("button", name="Another number").click()
    for _ in range(3):
        page.get_by_role("button", name="One less: Items").click()
    page.clock.run_for(119_000)
    assert page.locator(".tab-total").inner_text() == "7 of 10 items"
    page.context.set_offline(True)
    page.clock.run_for(3_000)
    expect(page.get_by_role("heading", name="Locked")).to_be_visible()
    assert not re.search("Marisol|7002|Quillon", page.content())
    page.go_back()
    assert not re.search("Marisol|7002|Quillon", page.content())
    type_pin(page)
    assert (heading(page), page.locator(".tab-total").inner_text()) == ("Marisol", "7 of 10 items")
    lock(page)
    page.get_by_role("button", name="Somebody else").click()
    page.get_by_role("button", name="Lou").click()
    page.keyboard.type(PIN)
    expect(page.locator("#said")).to_contain_text("no network, and Lou has not unlocked this tablet")


@NO_NETWORK
@pytest.mark.promise("C4")
def test_twelve_hours_and_five_wrong_pins_erase_the_list_and_not_what_waits(arrive):
    page = arrive(LiveHall(3))
    page.clock.install()
    page.reload()
    unlock(page, "Kit")
    page.context.set_offline(True)
    record(page, 7001)
    lock(page)
    for left in (4, 3, 2, 1, 0):
        page.keyboard.type("111111")
        expect(page.locator("#said")).to_contain_text(f"{left} tr" if left else "erased from this tablet after 5 wrong")
    assert (heading(page), vaults(page), [e["number"] for e in entries(page)]) == ("Who is recording?", 0, [7001])
    page.context.set_offline(False)
    page.clock.run_for(5_000)
    unlock(page, "Kit")
    wait_sent(page, 1, 10)
    page.context.set_offline(True)
    record(page, 7002)
    lock(page)
    assert vaults(page) == 1
    page.clock.fast_forward(12 * 3600 * 1000)
    page.clock.run_for(31_000)
    expect(page.locator("#bar")).to_contain_text("Sent 0")  # what was sent went with the list
    assert (vaults(page), [(e["number"], "called" in e) for e in entries(page)]) == (0, [(7002, False)])


@NO_NETWORK
@pytest.mark.promise("C4")
def test_a_tablet_taken_out_of_use_erases_itself_and_what_waits_is_held(arrive):
    hall = LiveHall(3)
    page = arrive(hall)
    unlock(page, "Kit")
    page.context.set_offline(True)
    record(page, 7001)
    tablets.revoke(tablet=hall.tablet, by=hall.pantry_manager, at=clock.now())
    page.context.set_offline(False)
    expect(page.get_by_role("heading", name="Set up this tablet")).to_be_visible()
    assert vaults(page) == 0
    axe_clean(page)
    expect(page.locator("#bar")).to_contain_text(re.compile(r"1 · Sent 1|0 · Sent 0"), timeout=15_000)
    assert TabletEntry.objects.get().outcome == "held"


@pytest.mark.promise("C4")
def test_the_whole_profile_holds_no_name_of_a_member_and_nothing_forbidden(site, chromium, tmp_path, figures):
    hall = LiveHall(60)
    hall.council.name = "Borough of Plumbridge"
    hall.council.save()
    profile = Profile(chromium, tmp_path / "profile")
    profile.folder.mkdir()
    try:
        page = profile.open()
        hall.put_cookie(page.context, site.url)
        page.goto(f"{site.url}/tablet/")
        unlock(page, "Kit")
        ready(page)
        for number in (7002, 7005):
            record(page, number)
        page.fill("#find", "ysoldeina")
        expect(page.locator(".tab-row")).to_have_count(1)
        wait_sent(page, 2, 10)
        page.click("[data-number]")
        profile.close()
        names = [m.preferred_name for m in hall.members if len(m.preferred_name) > 6]
        people = [hall.advisor.name, hall.advisor.email, hall.council.name, hall.agreement.name, hall.manager.email]
        wanted = ["care leaver", "careleaver", "leaving care", *people, *names]
        assert len(wanted) > 50 and profile.holds(*wanted) == []
        assert profile.holds("fruit and veg", "Blue tablet") == ["Blue tablet", "fruit and veg"]  # the files are read
        page = profile.open()
        page.goto(f"{site.url}/tablet/")
        page.evaluate("""() => new Promise(done => { indexedDB.open('hall').onsuccess = event => {
            const opened = event.target.result.transaction('kept', 'readwrite', {durability: 'strict'});
            opened.objectStore('kept').put({ called: 'Marisol' + 'Ettelina' }, 'planted');
            opened.oncomplete = () => done(); } })""")
        profile.close()
        assert profile.holds("MarisolEttelina") == ["MarisolEttelina"]  # a planted name is found
        files = sum(path.is_file() for path in profile.folder.rglob("*"))
        figures(f"{files} files of the profile: 0 of {len(wanted)} values; the planted one found")
    finally:
        profile.kill()


# -- what does not eat the queue ---------------------------------------------------------------------------------------


@NO_NETWORK
def test_two_tabs_send_each_entry_once_and_see_each_others(arrive, site):
    hall = LiveHall(4)
    first = arrive(hall)
    unlock(first, "Kit")
    second = first.context.new_page()
    second.goto(f"{site.url}/tablet/")
    unlock(second, "Kit")
    first.context.set_offline(True)
    record(first, 7001)
    record(second, 7002)
    for page in (first, second):
        expect(page.locator("#bar")).to_contain_text("Saved on this device 2 · Sent 0")
    first.context.set_offline(False)
    wait_sent(first, 2, 10)
    wait_sent(second, 2, 10)
    assert Collection.objects.count() == TabletEntry.objects.count() == 2


# -- touches, seconds, kilobytes ---------------------------------------------------------------------------------------


@NO_NETWORK
@pytest.mark.promise("H1")
def test_a_random_member_of_60_in_six_touches_and_under_a_second_on_a_thin_line(site, new_page, seed, figures):
    hall = LiveHall(60)
    member = random.Random(seed).choice(hall.members)
    page = new_page(360, has_touch=True)
    page.set_viewport_size({"width": 360, "height": 740})
    hall.put_cookie(page.context, site.url)
    wire = page.context.new_cdp_session(page)
    wire.send("Network.enable")
    line = {"offline": False, "latency": 400, "downloadThroughput": 50_000, "uploadThroughput": 50_000}
    wire.send("Network.emulateNetworkConditions", line)
    sizes: list[float] = []
    wire.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    began = time.monotonic()
    page.goto(f"{site.url}/tablet/", wait_until="commit")
    expect(page.get_by_role("button", name="Kit", exact=True)).to_be_visible()
    cold, kilobytes = time.monotonic() - began, sum(sizes) / 1000
    unlock(page, "Kit")
    page.evaluate("""() => { window.touches = 0; window.last = 0;
        for (const kind of ['pointerdown', 'keydown'])
            addEventListener(kind, () => { touches += 1; last = performance.now(); }, true);
        new MutationObserver(() => {
            if (/Saved on this device/.test(said.textContent)) window.took = performance.now() - last;
        }).observe(said, { childList: true, characterData: true, subtree: true }); }""")
    page.locator("#find").tap()
    page.keyboard.type(member.preferred_name[:3] if hall.members.index(member) < 12 else member.preferred_name[-3:])
    page.locator(f"[data-number='{member.number}']").tap()
    page.get_by_role("button", name="Record the usual 10").tap()
    expect(page.locator("#said")).to_contain_text(f"Saved on this device. {member.number}")
    touches, took = page.evaluate("[touches, took / 1000]")
    wait_sent(page, 1, 10)
    wire.send("Network.emulateNetworkConditions", {**line, "offline": True})
    record(page, next(m.number for m in hall.members if m != member))
    time.sleep(2)
    wire.send("Network.emulateNetworkConditions", line)
    sent = wait_sent(page, 2, 10)
    said = (
        f"a random member of 60: {touches} touches, saved in {took:.2f} s at 400 kbit/s and 400 ms, sent {sent:.1f} s "
        f"after the network came; usable {cold:.1f} s cold with {kilobytes:.0f} kB not compressed"
    )
    print(said)
    figures(said)
    assert (touches <= 6, took < 1, sent < 5, cold < 5, kilobytes <= 150) == (True,) * 5, said
