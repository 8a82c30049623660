"""Collections taken without a network on a real tablet: each exactly once, whatever the line and the battery do (C1,
C2), against gunicorn and PostgreSQL."""

import json
import random
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from urllib import request

import pytest
from playwright.sync_api import expect

from pantry.models import Collection, TabletEntry, Visitor
from pantry.services import volunteers
from stockport_hubs.core import clock
from tests.hall_live import LiveHall, Profile, counter, lock, ready, record, unlock, wait_sent
from tests.line import Line

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
AT_ONCE = 50


@pytest.fixture
def profile(chromium, tmp_path):
    made = Profile(chromium, tmp_path / "profile")
    made.folder.mkdir()
    yield made
    made.kill()


@pytest.mark.promise("C1")
def test_the_device_sends_the_same_entry_50_times_at_once_and_is_told_the_same_50_times(site):
    hall = LiveHall(1)
    token = volunteers.token_for(hall.kit, hall.tablet, at=clock.now()).sign()
    entry = {"key": str(uuid.uuid4()), "kind": "collection", "token": token, "session": str(hall.session.pk)}
    entry |= {"at": clock.now().isoformat(), "member": str(hall.members[0].pk), "number": 7001}
    entry |= {"quantities": None, "fruit": True, "override": "", "paid": True}
    body = json.dumps({"entries": [entry]}).encode()
    headers = {"Content-Type": "application/json", "Cookie": f"tablet={hall.secret}"}
    gate = Barrier(AT_ONCE)

    def send(_):
        gate.wait()
        with request.urlopen(request.Request(f"{site.url}/tablet/entries/", body, headers), timeout=60) as got:
            return json.load(got)["outcomes"][0]

    with ThreadPoolExecutor(AT_ONCE) as phones:
        outcomes = list(phones.map(send, range(AT_ONCE)))
    assert {each["outcome"] for each in outcomes} <= {"recorded", "same"}
    assert [each["outcome"] for each in outcomes].count("recorded") == 1
    assert (Collection.objects.count(), TabletEntry.objects.count()) == (1, 1)


class Bad:
    """Loses the first answer to entries and then 30 of 100, at random from a seed."""

    def __init__(self, seed: int) -> None:
        self.dice, self.asked = random.Random(seed), 0

    def __call__(self, path: str) -> bool:
        if not path.startswith("/tablet/") or path in ("/tablet/", "/tablet/sw.js"):
            return False
        self.asked += path.endswith("/entries/")
        return self.asked == 1 or self.dice.random() < 0.3


def morning(hall: LiveHall, line: Line, profile: Profile):
    """The tablet where there is a network: both have unlocked it, the page is kept, then the network goes."""
    page = profile.open()
    hall.put_cookie(page.context, line.url)
    page.goto(f"{line.url}/tablet/")
    unlock(page, "Lou")
    ready(page)
    lock(page)
    page.get_by_role("button", name="Somebody else").click()
    unlock(page, "Kit")
    line.up = False
    return page


def after_a_dead_battery(hall: LiveHall, line: Line, profile: Profile, called: str):
    """The browser killed and started again; the page opens without a network."""
    profile.kill()
    page = profile.open()
    hall.put_cookie(page.context, line.url)
    page.goto(f"{line.url}/tablet/")
    unlock(page, called)
    return page


@pytest.mark.browser
@pytest.mark.promise("C2")
def test_collections_taken_offline_arrive_exactly_once(site, profile, sized, seed, figures):
    n = sized(20, 200)
    hall = LiveHall(n)
    with Line(site.url) as line:
        page = morning(hall, line, profile)
        for member in hall.members[: n // 2]:
            record(page, member.number)
        page = after_a_dead_battery(hall, line, profile, "Lou")
        for member in hall.members[n // 2 :]:
            record(page, member.number)
        assert counter(page) == (n, 0)
        assert Collection.objects.count() == 0
        page = after_a_dead_battery(hall, line, profile, "Lou")
        assert counter(page) == (n, 0)
        line.loses, line.up = Bad(seed), True
        took = wait_sent(page, n, 60)
        lost = line.lost.count("/tablet/entries/")
        sent = lost + line.passed.count("/tablet/entries/")
    rows = list(Collection.objects.values_list("membership__number", "recorded_by__name"))
    assert sorted(rows) == [(m.number, "Kit" if i < n // 2 else "Lou") for i, m in enumerate(hall.members)]
    assert TabletEntry.objects.filter(outcome="recorded").count() == TabletEntry.objects.count() == n
    assert lost > 0
    figures(f"{n} offline, 2 kills, {lost} of {sent} answers to entries lost: {len(rows)} once, {took:.1f} s")


@pytest.mark.browser
@pytest.mark.promise("C2")
def test_control_without_the_saved_key_entries_double(site, profile):
    """The key made when an entry is sent, not when it is saved: what was lost on the way back is recorded again."""
    hall = LiveHall(1)
    with Line(site.url) as line:
        line.rewrite["queue.js"] = [
            ("return { ...body, key, token,", "return { ...body, key: crypto.randomUUID(), token,"),
            ("outcomes.find((each) => each.key === entry.key)", "outcomes[sent.indexOf(entry)]"),
        ]
        page = morning(hall, line, profile)
        for _ in range(3):
            page.get_by_role("button", name="Somebody who is not on the list").click()
            page.get_by_role("button", name="Record this visitor").click()
            expect(page.get_by_role("heading", name="Today’s list")).to_be_visible()
        line.loses, line.up = Bad(1), True
        wait_sent(page, 3, 60)
    assert Visitor.objects.count() > 3


@pytest.mark.browser
@pytest.mark.promise("C2")
def test_control_without_saving_first_a_dead_battery_loses_them(site, profile):
    hall = LiveHall(2)
    with Line(site.url) as line:
        line.rewrite["queue.js"] = [("entry.seq = await entries.add(entry);", "entry.seq = Math.random();")]
        page = morning(hall, line, profile)
        record(page, 7001)
        page = after_a_dead_battery(hall, line, profile, "Lou")
        assert counter(page) == (0, 0)
        line.up = True
        record(page, 7002)
        time.sleep(2)
    assert not Collection.objects.filter(membership__number=7001).exists()
