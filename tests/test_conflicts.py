"""The conflict table (docs/conflicts.md): each of its rows is a case here, in its words; and what the pantry manager
then does with what was held."""

import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.urls import reverse

from pantry.models import Collection, EntryOutcome, Membership, PantryStaff, TabletEntry, Visitor
from pantry.services import collections, entries, memberships, places, sorting, tablets, volunteers
from stockport_hubs.audit.models import AuditEvent
from stockport_hubs.core.errors import Refused
from tests import factories
from tests.counter_scene import NOW, WEDNESDAY, at
from tests.factories import moment
from tests.hall import Hall

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite, pytest.mark.promise("C3")]
DAY, WEEK = timedelta(days=1), timedelta(weeks=1)


@pytest.fixture
def hall():
    with at():
        made = Hall()
        made.device.unlock(made.kit)
        yield made


def sent(hall, *given: dict) -> list[tuple[str, str]]:
    """(outcome, words) of each."""
    return [(each["outcome"], each["words"]) for each in hall.device.send(*given)]


def counted() -> int:
    return Collection.objects.counted().count()


# Each case plays its row and gives what the tablet was told of the last entry; `counted` is checked afterwards.
CASES: dict[str, tuple[Callable[[Hall], tuple[str, str]], int]] = {}


def case(row: str, counts: int):
    def add(play: Callable[[Hall], tuple[str, str]]):
        CASES[row] = play, counts
        return play

    return add


@case("The same entry arrives again", 1)
def again(hall):
    entry = hall.entry(member=hall.join())
    return sent(hall, entry, entry, entry)[-1]


@case("Another entry arrives under a key that was used", 1)
def key_reused(hall):
    first, other = hall.entry(member=hall.join()), hall.entry(member=hall.join())
    found = sent(hall, first, other | {"key": first["key"]})[-1]
    assert AuditEvent.objects.filter(verb="pantry.entry.key_reused").count() == 1
    assert sent(hall, other | {"key": first["key"]}) == [found] and TabletEntry.objects.count() == 2
    return found


@case("Two tablets record the same member in one week", 1)
def two_tablets(hall):
    member = hall.join()
    _, red = hall.enrol("Red tablet")
    red.unlock(hall.lou)
    theirs = hall.entry(member=member) | {"token": red.token}
    red.send(theirs)
    return sent(hall, hall.entry(member=member))[0]


@case("A phone has recorded the member in the meantime", 1)
def phone(hall):
    member = hall.join()
    hall.record(member)
    return sent(hall, hall.entry(member=member))[0]


@case("The member left before the session", 0)
def left(hall):
    member = hall.join()
    hall.leave(member, WEDNESDAY - DAY)
    return sent(hall, hall.entry(member=member))[0]


@case("The member left after the session, before the entry arrived", 1)
def left_since(hall):
    member = hall.join()
    entry = hall.entry(member=member)
    with at(WEDNESDAY + 2 * DAY):
        hall.leave(member, WEDNESDAY + DAY)
        return sent(hall, entry)[0]


@case("The member is paused", 0)
def paused(hall):
    member = hall.join()
    memberships.pause(membership=member, on=WEDNESDAY, by=hall.pantry_manager, at=NOW)
    return sent(hall, hall.entry(member=member))[0]


@case("The member moved to a pantry of the same operator", 1)
def moved(hall):
    far = factories.pantry(hall.operator)
    return sent(hall, hall.entry(member=hall.join(pantry=far)))[0]


@case("The member is of another pantry, and this one asks first", 0)
def asks_first(hall):
    hall.pantry.welcomes_other_pantries = False
    hall.pantry.save()
    return sent(hall, hall.entry(member=hall.join(pantry=factories.pantry(hall.operator))))[0]


@case("Nobody has the number that was typed", 0)
def no_such_number(hall):
    return sent(hall, hall.entry(number=99_999))[0]


@case("Undone on the tablet and recorded again", 1)
def void_then_collect(hall):
    member = hall.join()
    first = hall.entry(member=member)
    return sent(hall, first, hall.entry("void", collection_key=first["key"]), hall.entry(member=member))[-1]


@case("Undone on the tablet while it was held", 0)
def void_of_held(hall):
    first = hall.entry(number=99_999)
    found = sent(hall, first, hall.entry("void", collection_key=first["key"]))[-1]
    assert not TabletEntry.objects.to_sort_out().exists()
    return found


@case("What is undone never arrived", 0)
def void_of_nothing(hall):
    return sent(hall, hall.entry("void", collection_key=str(uuid.uuid4())))[0]


@case("What is undone was recorded by somebody else", 1)
def void_of_another(hall):
    theirs = hall.record(hall.join())
    return sent(hall, hall.entry("void", collection_key=str(theirs.key)))[0]


@case("It arrives after the session’s day", 1)
def late(hall):
    entry = hall.entry(member=hall.join())
    with at(WEDNESDAY + 13 * DAY):
        found = sent(hall, entry)[0]
    made = Collection.objects.get()
    assert (made.on, made.collected_at, made.is_late) == (WEDNESDAY, NOW, True)
    return found


@case("It arrives more than 14 days afterwards", 0)
def too_late(hall):
    entry = hall.entry(member=hall.join())
    with at(WEDNESDAY + 15 * DAY):
        return sent(hall, entry)[0]


@case("The day was announced closed after it was recorded", 1)
def closed_since(hall):
    entry = hall.entry(member=hall.join())
    with at(WEDNESDAY + DAY):
        given = {"pantry": hall.pantry, "from_on": WEDNESDAY, "until_on": WEDNESDAY, "reason": "Burst pipe"}
        places.announce_closure(**given, by=hall.pantry_manager, at=NOW + DAY)
        return sent(hall, entry)[0]


@case("The session has not begun its day", 0)
def too_early(hall):
    with at(WEDNESDAY, "12:30"):  # for the next one, where the day has none left
        hall.device.unlock(hall.kit)
        return sent(hall, hall.entry(member=hall.join(), session=hall.open(WEDNESDAY + WEEK)))[0]


@case("The PIN was entered for another session", 0)
def another_session(hall):
    earlier = hall.open(WEDNESDAY - WEEK)
    return sent(hall, hall.entry(member=hall.join(), session=earlier, at=NOW - WEEK))[0]


@case("The tablet’s clock is a year ahead, or says nothing", 2)
def wild_clock(hall):
    ahead, silent = hall.entry(member=hall.join(), at=NOW + 365 * DAY), hall.entry(member=hall.join()) | {"at": "?"}
    found = sent(hall, ahead, silent)
    opened = moment(WEDNESDAY, "10:00")
    assert set(Collection.objects.values_list("collected_at", flat=True)) == {opened}
    row = TabletEntry.objects.get(key=ahead["key"])
    assert (row.told_at, row.happened_at, row.is_told_time) == (NOW + 365 * DAY, opened, False)
    assert found[0] == found[1]
    return found[0]


@case("The tablet’s clock is a few minutes ahead", 1)
def fast_clock(hall):
    found = sent(hall, hall.entry(member=hall.join(), at=NOW + timedelta(minutes=4)))[0]
    assert Collection.objects.get().collected_at == NOW
    return found


@case("More than the allowance, without a reason", 0)
def too_many(hall):
    return sent(hall, hall.entry(member=hall.join(), quantities={"": 11}))[0]


@case("The tablet asked for another amount than is to be paid", 0)
def another_amount(hall):
    return sent(hall, hall.entry(member=hall.other(), pence=350))[0]


@case("A visitor’s name holds words volunteers must not read", 0)
def telling_name(hall):
    return sent(hall, hall.entry("visitor", called="Sam the careleaver"))[0]


@case("The volunteer was deactivated, or works elsewhere now", 0)
def gone(hall):
    entry, other = hall.entry(member=hall.join()), hall.device.unlock(hall.lou)
    assert other.status_code == 200
    theirs = hall.entry(member=hall.join())
    volunteers.deactivate(user=hall.kit, pantry=hall.pantry, by=hall.pantry_manager, at=NOW)
    PantryStaff.objects.filter(user=hall.lou).delete()
    found = sent(hall, entry, theirs)
    assert [outcome for outcome, _ in found] == ["held", "held"]
    return found[0]


@case("The tablet was taken out of use", 0)
def revoked(hall):
    entry = hall.entry(member=hall.join())
    tablets.revoke(tablet=hall.tablet, by=hall.pantry_manager, at=NOW)
    assert hall.device.get("state/").status_code == 401
    return sent(hall, entry)[0]


@case("The tablet was set up again, or the entry comes from another one", 0)
def set_up_again(hall):
    entry = hall.entry(member=hall.join())
    _, hall.device = hall.enrol("Red tablet")
    return sent(hall, entry)[0]


@case("The app is newer than the site", 0)
def newer(hall):
    return sent(hall, hall.entry("hologram", more=1))[0]


@case("No PIN of this organisation signed it", 0)
def forged(hall):
    far = factories.pantry()
    hall.pantry_manager.organisation = far.operator
    _, theirs = hall.enrol("Theirs", far)
    stranger = hall.add("Zed", far)
    theirs.unlock(stranger)
    entry = hall.entry(member=hall.join()) | {"token": theirs.token}
    found = sent(hall, entry, hall.entry(member=hall.join()) | {"token": "x"})
    assert found[0] == found[1] and TabletEntry.objects.count() == 0
    return found[0]


def table() -> dict[str, tuple[str, str]]:
    """The rows of the document: situation -> (outcome, words)."""
    text = (Path(settings.BASE_DIR) / "docs" / "conflicts.md").read_text()
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("| ")
    ]
    return {situation: (outcome, words) for situation, outcome, words, _ in rows[1:]}


def test_every_row_of_the_table_is_a_case_and_every_case_a_row():
    assert sorted(table()) == sorted(CASES)


@pytest.mark.parametrize("row", CASES)
def test_a_conflict_comes_out_as_the_table_says_and_nothing_is_dropped(hall, row):
    play, counts = CASES[row]
    outcome, words = table()[row]
    assert play(hall) == (outcome, words)
    assert counted() == counts
    if outcome == "held":  # kept whole, for the manager of the pantry and nobody else
        kept = TabletEntry.objects.to_sort_out().for_user(hall.pantry_manager).order_by("received_at").last()
        stranger = factories.user("pantry_manager")
        assert kept.why == words and kept.body["kind"] == kept.kind and "token" not in kept.body
        assert not TabletEntry.objects.for_user(stranger).exists()


# -- sorting out -------------------------------------------------------------------------------------------------------


@pytest.fixture
def manager(hall, client):
    client.force_login(hall.pantry_manager)
    return client


def held(hall, *given: dict) -> TabletEntry:
    hall.device.send(*given)
    return TabletEntry.objects.to_sort_out().get()


def url(entry: TabletEntry) -> str:
    return reverse("pantry:entry", args=[entry.pk])


def test_the_manager_sees_in_words_what_waits_and_why(hall, manager):
    member = hall.join(preferred_name="Ash")
    _, red = hall.enrol("Red tablet")
    token = hall.device.token
    hall.device.unlock(hall.lou)
    hall.device, hall.device.token = red, token
    entry = held(hall, hall.entry(member=member, quantities={"": 4}, paid=False))
    page = manager.get(reverse("pantry:entries")).content.decode()
    assert f"{member.number} Ash" in page and entry.why in page
    shown = manager.get(url(entry)).content.decode()
    for said in ("4 items, fruit and veg, not paid", "Kit", "Red tablet", entry.why):
        assert said in shown
    event = AuditEvent.objects.filter(verb="pantry.entries.viewed").last()
    assert [each.subject_id for each in event.subjects.all()] == [member.pk]
    assert manager.get(reverse("home")).content.decode().count("could not be recorded") == 1


def test_what_was_held_is_recorded_for_its_day_once(hall, manager):
    entry = held(hall, hall.entry(member=hall.join(), quantities={"": 11}, at=NOW - timedelta(minutes=9)))
    with at(WEDNESDAY + 3 * DAY):
        manager.force_login(hall.pantry_manager)
        page = manager.post(url(entry), {"what": "record"})
        assert page.status_code == 409 and "11 items are more than the 10 allowed" in page.content.decode()
        assert manager.post(url(entry), {"what": "record", "override": "surplus"}).status_code == 302
        page = manager.post(url(entry), {"what": "record"})
        assert page.status_code == 409 and "sorted this out on 11 April 2026" in page.content.decode()
    made = Collection.objects.get()
    assert (made.on, made.collected_at, made.recorded_by) == (
        WEDNESDAY, NOW - timedelta(minutes=9), hall.pantry_manager)  # fmt: skip
    entry.refresh_from_db()
    assert (entry.outcome, entry.became_id, entry.recorded_by) == (EntryOutcome.SETTLED, made.pk, hall.kit)
    manager.force_login(hall.pantry_manager)
    assert reverse("pantry:void", args=[made.pk]) in manager.get(url(entry)).content.decode()


def test_a_wrong_number_is_put_right(hall, manager):
    member, elsewhere = hall.join(), factories.World()
    _, stranger = elsewhere.join(), elsewhere.join()
    assert stranger.number != member.number
    entry = held(hall, hall.entry(number=99_999))
    for number in (99_998, stranger.number):
        answer = manager.post(url(entry), {"what": "record", "number": number})
        assert "No member has this number" in answer.content.decode()
    assert manager.post(url(entry), {"what": "record", "number": member.number}).status_code == 302
    assert Collection.objects.get().membership == member


def test_what_is_set_aside_says_why_and_can_be_taken_up_again(hall, manager):
    entry = held(hall, hall.entry("visitor", called="Sam the careleaver"))
    assert manager.post(url(entry), {}).status_code == 200
    assert manager.post(url(entry), {"what": "mistake"}).status_code == 302
    assert "Recorded by mistake" in manager.get(url(entry)).content.decode()
    assert manager.post(url(entry), {"again": "1"}).status_code == 302
    entry.refresh_from_db()
    assert (entry.outcome, entry.reason, entry.sorted_by) == (EntryOutcome.HELD, "", None)
    assert manager.post(url(entry), {"what": "record"}).status_code == 409  # the words are still there
    assert Visitor.objects.count() == 0


def test_what_other_areas_own_is_told_to_nobody_here_and_not_kept_afterwards(hall, manager, monkeypatch):
    def unavailable(entry, **given):
        raise Refused("Not now.")

    monkeypatch.setitem(entries.HANDLERS, "barrier", unavailable)
    member = hall.join(preferred_name="Ash")
    Membership.objects.filter(pk=member.pk).update(number=7701)
    entry = held(hall, hall.entry("barrier", member=member, category="custody"))
    for page in (manager.get(reverse("pantry:entries")), manager.get(url(entry))):
        shown = page.content.decode()
        assert "Something that makes it hard to come" in shown
        assert [said for said in ("Ash", "7701", str(member.pk), "custody") if said in shown] == []
    made = []
    monkeypatch.setitem(entries.HANDLERS, "barrier", lambda entry, **given: made.append(entry) or member)
    sorting.settle(entry=entry, by=hall.pantry_manager, at=NOW)
    entry.refresh_from_db()
    assert made[0]["category"] == "custody" and (entry.outcome, entry.body) == (EntryOutcome.SETTLED, {})


def test_a_stolen_tablet_cannot_bury_the_manager(hall, monkeypatch):
    monkeypatch.setattr(entries, "MOST_HELD", 3)
    made = [hall.entry(number=99_000 + n) for n in range(5)]
    found = sent(hall, *made)
    assert [outcome for outcome, _ in found] == ["held"] * 3 + ["later"] * 2
    assert found[-1][1] == entries.TOO_MANY
    for each in TabletEntry.objects.all():
        sorting.dismiss(entry=each, reason="mistake", by=hall.pantry_manager, at=NOW)
    assert sent(hall, made[4])[0][0] == "held"  # it was kept on the tablet, and comes now


def test_the_list_takes_the_same_queries_at_1_and_at_3_entries(hall, manager, django_assert_num_queries):
    for n in (1, 2):
        for _ in range(n):
            hall.device.send(hall.entry(member=hall.join(), quantities={"": 11}))
            hall.device.send(hall.entry("void", collection_key=str(hall.record(hall.join()).key)))
        with django_assert_num_queries(11):
            manager.get(reverse("pantry:entries"))


def test_a_held_entry_is_not_settled_by_another_organisations_manager(hall):
    entry = held(hall, hall.entry(number=99_999))
    stranger = factories.user("pantry_manager")
    for call in (
        lambda: sorting.settle(entry=entry, by=stranger, at=NOW),
        lambda: sorting.dismiss(entry=entry, reason="mistake", by=stranger, at=NOW),
        lambda: sorting.sort_again(entry=entry, by=stranger, at=NOW),
    ):
        with pytest.raises(Refused, match="The pantry manager looks after"):
            call()


def test_a_collection_that_was_recorded_keeps_its_key_against_pages_too(hall):
    """A page's form with the key of a tablet's entry: the database has one row for a key."""
    member, other = hall.join(), hall.join()
    entry = hall.entry(member=member)
    hall.device.send(entry)
    with pytest.raises(collections.KeyReused):
        hall.record(other, key=uuid.UUID(entry["key"]))
