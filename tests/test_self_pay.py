"""Who pays at the counter: one tap records the visit and makes the week theirs, and undoing it gives the week back."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from threading import Barrier

import pytest
from django.db import connection
from django.urls import reverse

from pantry.models import BlockSource, Collection, JournalEntry, Membership, MembershipMove, PaidWeek, PrepaidBlock
from pantry.services import collections, journal
from stockport_hubs.core import triggers
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.weeks import WEEK
from tests.counter_scene import NOW, WEDNESDAY, Counter, at
from tests.factories import moment

pytestmark = pytest.mark.django_db
MONDAY = date(2026, 4, 6)


@pytest.fixture
def counter():
    return Counter()


def own() -> list[tuple]:
    """(week, state, pence, joining fee, source, collections that count) of every paid week of a member's own."""
    rows = PaidWeek.objects.filter(block__source=BlockSource.SELF_PAY).select_related("block").order_by("pk")
    counted = Collection.objects.counted()
    return [
        (row.week, row.state, row.pence, row.block.joining_pence, counted.filter(paid_week=row).count()) for row in rows
    ]


def test_recording_who_pays_makes_the_week_theirs(counter):
    member = counter.other()
    made = counter.record(member)
    assert (made.paid_pence, made.paid_week, made.is_unfunded) == (1350, PaidWeek.objects.get(), False)
    assert Collection.objects.get().paid_week == made.paid_week
    assert counter.record(member, day=WEDNESDAY + WEEK).paid_pence == 350
    assert own() == [(MONDAY, "dated", 350, 1000, 1), (MONDAY + WEEK, "dated", 350, 0, 1)]
    block = PrepaidBlock.objects.first()
    assert (block.agreement, block.weeks, block.bought_by) == (None, 1, counter.volunteer)
    assert JournalEntry.objects.count() == 0
    assert journal.check(WEDNESDAY + WEEK) == []


def test_not_paid_today_is_kept_unfunded_and_shown_to_the_pantry_manager(counter, client):
    member = counter.other()
    made = counter.record(member, is_paid=False)
    assert (made.paid_pence, made.paid_week, made.is_unfunded, own()) == (0, None, True, [])
    assert counter.record(member, day=WEDNESDAY + WEEK).paid_pence == 1350  # the fee is still to pay
    client.force_login(counter.pantry_manager)
    with at(WEDNESDAY + WEEK):
        assert "Not paid for" in client.get(reverse("pantry:member", args=[member.pk])).content.decode()
        listed = client.get(reverse("pantry:members"), {"state": "unfunded"}).context["lines"]
    assert [line.member for line, _ in listed] == [member]
    assert journal.check(WEDNESDAY + WEEK) == []


def test_undoing_gives_the_week_back_and_the_fee_is_due_again(counter):
    member = counter.other()
    first = counter.record(member)
    collections.void(collection=first, reason="Wrong day", by=counter.volunteer, at=NOW)
    collections.void(collection=first, reason="Wrong day", by=counter.volunteer, at=NOW)
    assert own() == [(MONDAY, "reversed", 350, 1000, 0)]
    assert counter.record(member).paid_pence == 1350
    assert own() == [(MONDAY, "reversed", 350, 1000, 0), (MONDAY, "dated", 350, 1000, 1)]
    assert journal.check(WEDNESDAY) == []


def test_undoing_a_visit_somebody_else_pays_for_leaves_their_week(counter):
    made = counter.record(counter.join())
    collections.void(collection=made, reason="Wrong day", by=counter.volunteer, at=NOW)
    made.paid_week.refresh_from_db()
    assert (made.paid_week.state, own()) == ("dated", [])


def test_the_same_key_and_body_is_one_week(counter):
    member, key = counter.other(), uuid.uuid4()
    made = [counter.record(member, key=key) for _ in range(2)]
    assert made[0] == made[1] and own() == [(MONDAY, "dated", 350, 1000, 1)]
    with pytest.raises(collections.KeyReused):
        counter.record(member, key=key, is_paid=False)
    with pytest.raises(collections.AlreadyCollected):
        counter.record(member)
    assert own() == [(MONDAY, "dated", 350, 1000, 1)]


def test_who_has_paused_since_has_paid_for_the_day_they_came(counter):
    member, today = counter.other(), WEDNESDAY + timedelta(days=5)
    Membership.objects.filter(pk=member.pk).update(state="paused")
    since = WEDNESDAY + timedelta(days=1)
    MembershipMove.objects.create(membership=member, state="paused", on=since, recorded_at=moment(since))
    given = {"collected_at": moment(WEDNESDAY, "10:00"), "at": moment(today), "by": counter.pantry_manager}
    assert counter.record(member, **given).paid_week.week == MONDAY
    assert journal.check(today) == []


def test_a_volunteer_taps_what_was_paid_or_that_it_was_not(counter, client):
    funded, payer, other = counter.join(), counter.other(), counter.other()
    client.force_login(counter.volunteer)
    page = reverse("pantry:session", args=[counter.session.pk])

    def tap(member, **pressed):
        url = reverse("pantry:record", args=[counter.session.pk, member.pk])
        return client.post(url, {"key": uuid.uuid4(), **pressed}, follow=True).content.decode()

    with at():
        shown = client.get(page).content.decode()
        assert (shown.count("Record, £13.50 paid"), shown.count("Not paid today")) == (2, 2)
        assert "£13.50 paid" in tap(payer, usual="1")
        assert "£13.50 paid" not in tap(other, usual="not_paid").partition("hubs-just")[2].partition("</p>")[0]
        assert "paid" not in tap(funded, usual="1").partition("hubs-just")[2].partition("</p>")[0]
    assert [(c.membership, c.paid_pence) for c in Collection.objects.order_by("membership__number")] == [
        (funded, 0),
        (payer, 1350),
        (other, 0),
    ]


def test_another_number_of_items_is_paid_or_not(counter, client):
    client.force_login(counter.volunteer)
    with at():
        for button, pence in (("save", 1350), ("not_paid", 0)):
            member = counter.other()
            url = reverse("pantry:record", args=[counter.session.pk, member.pk])
            shown = client.get(url).content.decode()
            assert 'value="Record, £13.50 paid"' in shown or ">Record, £13.50 paid<" in " ".join(shown.split())
            assert "Not paid today" in shown
            sent = {"key": uuid.uuid4(), "items": "8", "fruit": "yes", button: "1"}
            assert client.post(url, sent).status_code == 302
            assert Collection.objects.get(membership=member).paid_pence == pence
        url = reverse("pantry:record", args=[counter.session.pk, counter.join().pk])
        assert "Not paid today" not in client.get(url).content.decode()


PLANTS = {
    "pantry_collection SET paid_pence = paid_pence + 1 WHERE paid_pence > 0": [
        "Member 1: £13.51 taken at the counter on 8 April 2026, paid weeks of their own hold £13.50."
    ],
    "pantry_paidweek SET pence = pence - 1": [
        "Block 1 of member 1: its weeks cost £3.50, its paid weeks hold £3.49.",
        "Member 1: £13.50 taken at the counter on 8 April 2026, paid weeks of their own hold £13.49.",
    ],
    "pantry_paidweek SET state = 'reversed'": [
        "Member 1: £13.50 taken at the counter on 8 April 2026, paid weeks of their own hold £0.00."
    ],
    "pantry_collection SET paid_week_id = NULL, paid_pence = 0": [
        "Member 1: the week of 6 April 2026 is paid by the member and has no collection."
    ],
}


@pytest.mark.parametrize("change", PLANTS)
def test_a_planted_penny_at_the_counter_is_named(counter, change):
    counter.record(counter.other())
    assert journal.check(WEDNESDAY) == []
    triggers.remove()
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {change}")
    triggers.install()
    assert journal.check(WEDNESDAY) == PLANTS[change]


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_of_two_taps_at_once_one_pays_and_undoing_meanwhile_never_locks_up():
    counter = Counter()
    member, n = counter.other(), 8
    for _ in range(3):
        standing = Collection.objects.counted().first()
        gate = Barrier(n)

        def tap(turn, standing=standing, gate=gate):
            gate.wait()
            try:
                if turn == 0 and standing:
                    collections.void(collection=standing, reason="Wrong day", by=counter.volunteer, at=NOW)
                else:
                    counter.record(member)
            except Refused as why:
                assert str(why).startswith("Already collected this week.")
            finally:
                connection.close()

        with ThreadPoolExecutor(n) as phones:
            list(phones.map(tap, range(n)))
    kept = [row for row in own() if row[1] == "dated"]
    assert kept in ([], [(MONDAY, "dated", 350, 1000, 1)])
    assert journal.check(WEDNESDAY) == []
