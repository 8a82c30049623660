"""A whole session typed in at once by the pantry manager, as from a filled sheet: all of it, or nothing with each
refusal named."""

import re
import uuid
from datetime import timedelta

import pytest
from django.urls import reverse

from pantry.models import Band, Collection, PrintedSheet, SheetRow, Visitor
from pantry.services import bulk
from pantry.services.bulk import Entry
from stockport_hubs.core.errors import Refused
from tests import factories
from tests.counter_scene import WEDNESDAY, Counter, at
from tests.factories import moment

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]  # what it calls is tested on both databases
TOMORROW = WEDNESDAY + timedelta(days=1)


@pytest.fixture
def counter():
    return Counter()


def enter(counter, members, **more):
    given = {"session": counter.session, "key": uuid.uuid4(), "by": counter.pantry_manager, "at": moment(TOMORROW)}
    return bulk.record(entries=[e if isinstance(e, Entry) else Entry(e) for e in members], **(given | more))


def test_a_whole_session_is_entered_late_and_once(counter):
    members = [counter.join(), counter.other(), counter.other(pantry=factories.pantry(counter.operator))]
    key = uuid.uuid4()
    made, came = enter(counter, members, visited=["Vi", ""], key=key)
    assert [c.membership for c in made] == members
    assert {(c.on, c.is_late, c.collected_at) for c in made} == {(WEDNESDAY, True, moment(WEDNESDAY, "10:00"))}
    assert [c.paid_pence for c in made] == [0, 1350, 1350]
    assert [(v.called, v.on) for v in came] == [("Vi", WEDNESDAY), ("", WEDNESDAY)]
    assert enter(counter, members, visited=["Vi", ""], key=key) == (made, came)
    assert (Collection.objects.count(), Visitor.objects.count()) == (3, 2)


def test_each_member_has_numbers_fruit_and_payment_of_their_own(counter):
    six, none, unpaid, many = counter.join(), counter.join(), counter.other(), counter.join()
    made, _ = enter(
        counter,
        [
            Entry(six, {None: 6}),
            Entry(none, {None: 4}, fruit_and_veg=False),
            Entry(unpaid, is_paid=False),
            Entry(many, {None: 12}, override="surplus"),
        ],
    )
    assert [(sum(i.quantity for i in c.items.all()), c.fruit_and_veg, c.paid_pence) for c in made] == [
        (6, True, 0),
        (4, False, 0),
        (10, True, 0),
        (12, True, 0),
    ]
    assert [c.is_unfunded for c in made] == [False, False, True, False]


def test_one_refusal_takes_everything_back_and_every_refusal_is_named(counter):
    fine, collected, left, much = (counter.join() for _ in range(4))
    counter.record(collected)
    counter.leave(left, WEDNESDAY - timedelta(days=1))
    with pytest.raises(bulk.NotAll) as why:
        enter(counter, [Entry(much, {None: 11}), left, fine, collected], visited=["Bo", "the care leaver"])
    assert why.value.reasons == [
        (collected.number, "Already collected this week. Collected on Wednesday 8 April 10:42 by Jo."),
        (left.number, "This membership has ended. Ask the pantry manager."),
        (much.number, "11 items are more than the 10 allowed this week. Enter fewer, or say why it is more."),
        (
            "Visitor 2",
            "Volunteers read this, so it must not say “care leaver”. Leave it out or put it another way.",
        ),
    ]
    assert Collection.objects.get().membership == collected
    assert not Visitor.objects.exists()


def test_nobody_and_too_many_are_refused(counter, monkeypatch):
    with pytest.raises(Refused, match="Say who came."):
        enter(counter, [])
    monkeypatch.setattr(bulk, "AT_ONCE", 1)
    with pytest.raises(Refused, match="Up to 1 collections can be entered at once."):
        enter(counter, [counter.join()], visited=["Vi"])


# -- the page ----------------------------------------------------------------------------------------------------------


def url(counter) -> str:
    return reverse("pantry:session_bulk", args=[counter.session.pk])


def text(response) -> str:
    main = response.content.decode().partition('id="main-content">')[2].partition("</main>")[0]
    return " ".join(re.sub(r"<[^>]+>", " ", main).split())


def line(member, items="x", fruit=True, paid=True) -> dict:
    """What the browser sends of one line."""
    ticked = {f"fruit_{member.pk}": fruit, f"paid_{member.pk}": paid}
    return {f"items_{member.pk}": items} | {name: "on" for name, is_on in ticked.items() if is_on}


@pytest.fixture
def manager(counter, client):
    with at(TOMORROW):
        client.force_login(counter.pantry_manager)
        yield client


def test_the_manager_types_the_sheet_and_is_told_what_stands_in_the_way(counter, manager):
    ash, bay = counter.join(preferred_name="Ash"), counter.other(preferred_name="Bay")
    cor = counter.other(preferred_name="Cor")
    guest = counter.join(pantry=factories.pantry(counter.operator))
    strangers = Counter()
    theirs = [strangers.join() for _ in range(6)][-1].number  # a number nobody has here
    key = uuid.uuid4()
    page = manager.get(url(counter))
    assert f"{ash.number} Ash" in text(page) and "is marked as entered late." in text(page)
    assert "Enter the items of somebody who came, or a visitor" in text(manager.post(url(counter), {"key": key}))
    wrong = line(ash, "12") | line(bay, "ten") | line(cor, "0", fruit=False)
    wrong |= {"number_other_1": theirs, "items_other_1": "x", "items_other_2": "4", "number_other_3": guest.number}
    said = text(manager.post(url(counter), {"key": key} | wrong))
    for sentence in (
        f"{ash.number}: 12 items are more than the 10 allowed this week. Enter fewer, or choose below why it is more",
        f"Items, {bay.number} must be a number from 0 to 100, or x",
        f"{cor.number}: enter items or tick fruit and veg, or leave the line empty",
        f"No member has the number {theirs}. Check it on the list of members",
        "Enter the number of the member whose items these are",
        f"Enter the items of {guest.number}, or x for the usual",
    ):
        assert sentence in said
    twice = line(ash) | {"number_other_1": ash.number, "items_other_1": "x"}
    assert f"{ash.number} is there twice." in text(manager.post(url(counter), {"key": key} | twice))
    counter.record(bay)
    good = line(ash, "12") | {"over_reason": "surplus", "visitors": "Vi\n-\n"}
    good |= {"number_other_1": guest.number, "items_other_1": "7", "paid_other_1": "on"} | line(cor, "0", paid=False)
    told = manager.post(url(counter), {"key": key} | good | line(bay))
    assert told.status_code == 409
    assert f"{bay.number}: Already collected this week. Collected on Wednesday 8 April 10:42 by Jo." in text(told)
    assert (Collection.objects.count(), Visitor.objects.count()) == (1, 0)
    done = manager.post(url(counter), {"key": key} | good, follow=True)
    assert "Recorded: 3 collections and 2 visitors." in text(done)
    rows = {c.membership_id: c for c in Collection.objects.prefetch_related("items")}
    assert {
        key: (sum(i.quantity for i in rows[m.pk].items.all()), rows[m.pk].fruit_and_veg, rows[m.pk].paid_pence)
        for key, m in {"ash": ash, "cor": cor, "guest": guest}.items()
    } == {"ash": (12, True, 0), "cor": (0, True, 0), "guest": (7, False, 0)}
    assert sorted(Visitor.objects.values_list("called", flat=True)) == ["", "Vi"]


def test_bands_have_a_column_each(counter, manager):
    bands = [("Red", 2), ("Blue", 8)]
    red, blue = (
        Band.objects.create(pantry=counter.pantry, name=name, items=items, position=n)
        for n, (name, items) in enumerate(bands)
    )
    ash = counter.join()
    sent = {"key": uuid.uuid4(), f"band0_{ash.pk}": "2", f"band1_{ash.pk}": "5", f"fruit_{ash.pk}": "on"}
    assert "Member Red Blue Fruit and veg Paid" in text(manager.get(url(counter)))
    assert "Recorded: 1 collection." in text(manager.post(url(counter), sent, follow=True))
    items = Collection.objects.get().items.values_list("band", "quantity")
    assert dict(items) == {red.pk: 2, blue.pk: 5}


def test_a_sheet_is_typed_in_its_own_order_whoever_joined_since(counter, manager):
    members = [counter.join(preferred_name=name) for name in ("Cor", "Ash", "Bay")]
    sheet = PrintedSheet.objects.create(
        session=counter.session, printed_at=moment(WEDNESDAY), printed_by=counter.pantry_manager
    )
    SheetRow.objects.bulk_create(
        SheetRow(sheet=sheet, position=n, membership=member) for n, member in enumerate(members)
    )
    counter.join(preferred_name="Abe")
    page = text(manager.get(url(counter), {"sheet": sheet.pk}))
    found = [page.index(f"{member.number} {member.called}") for member in members]
    assert found == sorted(found) and "Abe" not in page
    done = manager.post(f"{url(counter)}?sheet={sheet.pk}", {"key": uuid.uuid4()} | line(members[0]), follow=True)
    assert "1 of 3" in text(done) and "Destroyed" in text(done)
    assert manager.get(url(counter), {"sheet": uuid.uuid4()}).status_code == 404
    assert manager.get(url(counter), {"sheet": "x"}).status_code == 404


def test_who_was_typed_in_is_recorded_also_when_the_list_has_moved_on(counter, manager, monkeypatch):
    monkeypatch.setattr("pantry.views.sheets.LINES", 1)
    bay = counter.join(preferred_name="Bay")
    ash = counter.join(preferred_name="Ash")  # joined after the page was read: the first page is theirs now
    done = manager.post(url(counter), {"key": uuid.uuid4()} | line(bay), follow=True)
    assert "Recorded: 1 collection." in text(done)
    assert Collection.objects.get().membership == bay != ash


def test_a_session_of_more_than_four_weeks_ago_is_closed_to_it(counter, client):
    with at(WEDNESDAY + timedelta(days=29)):
        client.force_login(counter.pantry_manager)
        assert "Nothing can be recorded in this session any more." in text(client.get(url(counter)))


@pytest.mark.parametrize("rows", [1, 3])
def test_the_page_of_a_whole_session_asks_the_same_questions(counter, manager, django_assert_num_queries, rows):
    for _ in range(rows):
        counter.join()
    with django_assert_num_queries(16):
        manager.get(url(counter))
