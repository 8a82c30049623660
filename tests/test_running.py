"""Running a pantry: the rota, notes for volunteers, and the summary that equals its rows."""

import re
import uuid
from datetime import time, timedelta

import pytest
from django.urls import reverse

from pantry import summary
from pantry.models import Band, Collection, Duty, Membership, Note, Pantry, Tariff, Visitor
from pantry.services import collections, places, running, visitors
from stockport_hubs.core.errors import Refused
from tests import factories
from tests.counter_scene import NOW, WEDNESDAY, Counter, at
from tests.factories import moment

pytestmark = pytest.mark.django_db
NEXT = WEDNESDAY + timedelta(weeks=1)
TEN = time(10)


@pytest.fixture
def counter():
    with at():
        yield Counter()


@pytest.fixture
def browse(client):
    def sign_in(user):
        client.force_login(user)
        return client

    return sign_in


def text(response) -> str:
    main = response.content.decode().partition('id="main-content">')[2].partition("</main>")[0]
    return " ".join(re.sub(r"<[^>]+>", " ", main).split())


# -- the rota ----------------------------------------------------------------------------------------------------------


def put_down(counter, user=None, **more) -> Duty:
    given = {"pantry": counter.pantry, "on": NEXT, "opens": TEN, "by": counter.pantry_manager, "at": NOW}
    return running.put_down(user=user or counter.volunteer, **(given | more))


def test_refusals_of_the_rota_in_words(counter):
    elsewhere = factories.user(counter.volunteer.role, counter.operator, name="Kit Example")
    put_down(counter)
    for given, words in [
        ({}, "Jo Example is down for this session already."),
        ({"on": NEXT + timedelta(days=1)}, "has no session then. Choose one of those listed."),
        ({"opens": time(11)}, "has no session then."),
        ({"on": WEDNESDAY - timedelta(weeks=1)}, "A rota is for sessions from today to 26 weeks ahead."),
        ({"on": WEDNESDAY + timedelta(weeks=27)}, "A rota is for sessions from today to 26 weeks ahead."),
        ({"user": elsewhere}, "Kit Example does not work at"),
        ({"by": counter.volunteer}, "The pantry manager looks after the rota and the notes."),
        ({"by": Counter().pantry_manager}, "The pantry manager looks after the rota and the notes."),
    ]:
        with pytest.raises(Refused, match=re.escape(words)):
            put_down(counter, **given)
    duty = Duty.objects.get()
    with pytest.raises(Refused, match="This session has passed, and its rota stays as it was."):
        running.take_off(duty=duty, by=counter.pantry_manager, at=moment(NEXT + timedelta(days=1)))


@pytest.mark.sqlite
def test_volunteers_see_their_own_sessions_and_the_first_names_of_those_who_come_too(counter, browse):
    ali, kit = counter.another_volunteer("Ali Otherwise"), counter.another_volunteer("Kit Elsewhere")
    for user, on in ((counter.volunteer, NEXT), (ali, NEXT), (kit, NEXT + timedelta(weeks=1))):
        put_down(counter, user, on=on)
    url = reverse("pantry:my_rota")
    page = text(browse(counter.volunteer).get(url))
    assert "Wednesday 15 April 2026, 10:00 to 12:00" in page and "With Ali." in page
    assert [word for word in ("Otherwise", "Kit", "22 April") if word in page] == []
    assert "Nobody else is down so far." in text(browse(kit).get(url))
    closure = {"from_on": NEXT, "until_on": NEXT, "reason": "Boiler repair"}
    places.announce_closure(pantry=counter.pantry, by=counter.pantry_manager, at=NOW, **closure)
    assert "This session does not open." in text(browse(counter.volunteer).get(url))
    places.detach_volunteer(staff=counter.pantry.staff.get(user=ali), by=counter.pantry_manager, at=NOW)
    assert "You are not down for a session." in text(browse(ali).get(url))


@pytest.mark.sqlite
def test_the_manager_puts_down_and_takes_off(counter, browse):
    url, manager = reverse("pantry:rota", args=[counter.pantry.pk]), browse(counter.pantry_manager)
    assert "Nobody yet" in text(manager.get(url))
    sent = {"opening": "2026-04-15 10:00", "user": counter.volunteer.pk}
    assert "Jo Example is down for Wednesday 15 April, 10:00." in manager.post(url, sent, follow=True).content.decode()
    assert "Jo Example is down for this session already." in text(manager.post(url, sent))
    assert "There is a problem" in text(manager.post(url, {"opening": "2026-04-16 10:00"}))
    of_another_operator = Counter().volunteer
    assert "There is a problem" in text(manager.post(url, sent | {"user": of_another_operator.pk}))
    gone = reverse("pantry:rota_remove", args=[Duty.objects.get().pk])
    said = manager.post(gone, follow=True).content.decode()
    assert "Jo Example is not down for Wednesday 15 April any more." in said and not Duty.objects.exists()
    assert "Add a volunteer to this pantry" in text(
        manager.get(reverse("pantry:rota", args=[factories.pantry(counter.operator).pk]))
    )


@pytest.mark.sqlite
@pytest.mark.parametrize("n", [1, 3])
def test_the_rota_asks_the_same_questions(counter, browse, django_assert_num_queries, n):
    for k in range(n):
        put_down(counter, counter.another_volunteer(f"V{k} Example"))
        put_down(counter, on=NEXT + timedelta(weeks=k))
    manager, url = browse(counter.pantry_manager), reverse("pantry:rota", args=[counter.pantry.pk])
    manager.get(url)
    with django_assert_num_queries(8):
        manager.get(url)
    volunteer, url = browse(counter.volunteer), reverse("pantry:my_rota")
    volunteer.get(url)
    with django_assert_num_queries(6):
        volunteer.get(url)


# -- notes -------------------------------------------------------------------------------------------------------------


@pytest.mark.sqlite
def test_a_note_is_read_on_its_days_and_no_longer_once_it_is_taken_down(counter, browse):
    url, manager = reverse("pantry:notes", args=[counter.pantry.pk]), browse(counter.pantry_manager)
    assert "No notes yet." in text(manager.get(url))
    parts = (("day", 8), ("month", 4), ("year", 2026))
    day = {f"{name}_on_{part}": n for name in ("from", "until") for part, n in parts}
    assert "The note is added." in manager.post(url, {"text": "Freezer is full"} | day, follow=True).content.decode()
    refused = manager.post(url, {"text": f"Ask {counter.agreement.name}"} | day)
    assert "Volunteers read this, so it must not say" in text(refused)
    back = manager.post(url, {"text": "Late"} | day | {"until_on_day": 7})
    assert "Last day must be the first day or later" in text(back)
    session = reverse("pantry:session", args=[counter.session.pk])
    assert "Freezer is full" in text(browse(counter.volunteer).get(session))
    assert running.notes_for(counter.open(NEXT)) == []
    note = Note.objects.get()
    gone = reverse("pantry:note_remove", args=[note.pk])
    assert "The note is taken down." in browse(counter.pantry_manager).post(gone, follow=True).content.decode()
    assert "This note is taken down already." in manager.post(gone, follow=True).content.decode()
    assert "Taken down" in text(manager.get(url))
    assert "Freezer is full" not in text(browse(counter.volunteer).get(session))


@pytest.mark.sqlite
def test_refusals_of_notes_in_words(counter):
    given = {"pantry": counter.pantry, "from_on": WEDNESDAY, "until_on": None, "by": counter.pantry_manager, "at": NOW}
    for more, words in [
        ({"text": " "}, "Write what volunteers should know."),
        ({"text": "Leaving  care"}, "Volunteers read this, so it must not say “leaving care”."),
        ({"text": "x", "until_on": WEDNESDAY - timedelta(days=1)}, "The last day of a note is its first day or later"),
        ({"text": "x", "by": counter.volunteer}, "The pantry manager looks after the rota and the notes."),
    ]:
        with pytest.raises(Refused, match=re.escape(words)):
            running.write_note(**(given | more))


# -- the summary -------------------------------------------------------------------------------------------------------


def by_hand(session) -> dict:
    """The same counted again, row by row, in Python."""
    rows = [c for c in Collection.objects.all() if c.session_id == session.pk]
    counted = [c for c in rows if c.voided_at is None]
    homes = {
        c.pk: [p.pantry_id for p in c.membership.places.all() if p.to_week is None or p.to_week >= session.on]
        for c in counted
    }
    earlier = {c.membership_id for c in Collection.objects.all() if c.voided_at is None and c.on < session.on}
    came = [v for v in Visitor.objects.all() if v.session_id == session.pk and v.outcome != "mistake"]
    unpaid = [c for c in counted if not c.paid_pence and not c.paid_week]
    return {
        "collections": len(counted),
        "items": sum(i.quantity for c in counted for i in c.items.all()),
        "fruit_and_veg": len([c for c in counted if c.fruit_and_veg]),
        "first_visits": len([c for c in counted if c.membership_id not in earlier]),
        "paid": len([c for c in counted if c.paid_pence]),
        "paid_pence": sum(c.paid_pence for c in counted),
        "not_paid": len([c for c in unpaid if c.membership.state != "pending" and not c.membership.agreement]),
        "of_other_pantries": len([c for c in counted if session.pantry_id not in homes[c.pk]]),
        "late": len([c for c in counted if c.is_late]),
        "undone": len(rows) - len(counted),
        "visitors": len(came),
        "visitors_to_sort_out": len([v for v in came if v.outcome == ""]),
    }


@pytest.fixture
def busy(counter):
    """A session in which everything happens."""
    red = Band.objects.create(pantry=counter.pantry, name="Red", items=2)
    regular = counter.join(on=WEDNESDAY - timedelta(weeks=2))
    counter.record(regular, day=WEDNESDAY - timedelta(weeks=1))
    counter.record(regular)
    counter.record(counter.join(), quantities={red.pk: 2}, fruit_and_veg=False)
    counter.record(counter.other())
    counter.record(counter.other(), is_paid=False)
    counter.record(counter.join(first_week=WEDNESDAY + timedelta(days=12)))  # its weeks are bought from later on
    guest = counter.other(pantry=factories.pantry(counter.operator))
    counter.record(guest)
    undone = counter.record(counter.join())
    collections.void(collection=undone, reason="Wrong member", by=counter.volunteer, at=NOW)
    for called in ("Vi", "Bo", "Cy"):
        visitors.record(session=counter.session, key=uuid.uuid4(), called=called, by=counter.volunteer, at=NOW)
    mistake, new = Visitor.objects.order_by("called")[:2]
    visitors.take_back(visitor=mistake, by=counter.pantry_manager, at=NOW)
    visitors.add_pending(visitor=new, by=counter.pantry_manager, at=NOW)
    late = moment(WEDNESDAY + timedelta(days=1))
    counter.record(counter.join(), by=counter.pantry_manager, at=late, collected_at=moment(WEDNESDAY, "10:00"))
    return counter


def test_the_summary_equals_its_rows_counted_another_way(busy):
    found = summary.of(busy.session)
    expected = by_hand(busy.session)
    assert {name: getattr(found, name) for name in expected} == expected
    assert [name for name, n in expected.items() if not n] == []  # everything is there to be counted
    assert (expected["collections"], expected["not_paid"], expected["paid_pence"]) == (8, 1, 2700)
    assert found.by_band == (("Not by band", 70), ("Red", 2))


@pytest.mark.sqlite
def test_without_a_price_nobody_has_left_anything_unpaid(busy):
    Tariff.objects.all().delete()
    assert summary.of(busy.session).not_paid == 0


@pytest.mark.sqlite
def test_the_page_of_the_summary_names_nobody_and_is_read_by_volunteers(busy, browse, django_assert_num_queries):
    url, volunteer = reverse("pantry:session_summary", args=[busy.session.pk]), browse(busy.volunteer)
    page = text(volunteer.get(url))
    assert "Collections 8" in page and "Paid at the counter 2, £27.00" in page and "Not paid 1" in page
    names = [*Membership.objects.exclude(preferred_name="").values_list("preferred_name", flat=True), "Bo", "Cy"]
    assert [name for name in names if re.search(rf"\b{name}\b", page)] == []
    with django_assert_num_queries(8):
        volunteer.get(url)
    quiet = busy.open(WEDNESDAY, Pantry.objects.exclude(pk=busy.pantry.pk)[0])
    empty = reverse("pantry:session_summary", args=[quiet.pk])
    assert "Collections 0" in text(browse(busy.pantry_manager).get(empty))
