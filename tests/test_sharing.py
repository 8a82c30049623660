"""The agreement to share: one holds on a day, each item with its own date, withdrawal from a day on."""

from datetime import timedelta

import pytest

from careleavers.services import people, sharing
from stockport_hubs.core.errors import Refused
from tests.test_people import NOW, TODAY, World, last_event, url

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(settings):
    settings.CLOCK = NOW
    return World()


def day(n):
    return TODAY + timedelta(n)


def record(world, person, **changes):
    values = {
        "wording_version": "2021-04", "privacy_notice_on": day(0), "given_on": day(0), "how_given": "in_person",
        "share_name": True, "items": [("allergen", "Milk"), ("no_cooking", "x"), ("diet", "halal", day(-1))],
    } | changes  # fmt: skip
    return sharing.record_agreement(care_leaver=person, taken_by=world.advisor, at=NOW, **values)


def holds(person):
    """Which agreement holds on the days around today, by its place in the order of recording."""
    made = list(person.sharing_agreements.order_by("wording_version"))
    found = [sharing.current(person, day(n)) for n in range(-3, 4)]
    return [made.index(agreement) if agreement else None for agreement in found]


def test_an_agreement_is_recorded_with_its_items_and_logged(world):
    person = world.person(advisor=world.advisor)
    agreement = record(world, person)
    items = sorted((item.kind, item.value, item.agreed_on) for item in agreement.items.all())
    assert items == [("allergen", "milk", day(0)), ("diet", "halal", day(-1)), ("no_cooking", "", day(0))]
    assert last_event() == ("careleavers.agreement.recorded", "Ann Advisor", {person.pk})
    assert holds(person) == [None, None, None, 0, 0, 0, 0]


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"given_on": day(1)}, "in the future"),
        ({"privacy_notice_on": day(0), "given_on": day(-1)}, "privacy notice"),
        ({"until_on": day(-1)}, "must not end before it begins"),
        ({"items": [("ethnicity", "x")]}, "not something that can be shared"),
        ({"items": [("diet", " ")]}, "Say what is shared under “Diet”"),
    ],
)
def test_an_agreement_that_makes_no_sense_is_refused(world, changes, words):
    person = world.person()
    with pytest.raises(Refused, match=words):
        record(world, person, **changes)
    assert person.sharing_agreements.count() == 0


def test_a_later_agreement_replaces_the_earlier(world):
    person = world.person()
    record(world, person, wording_version="1", given_on=day(-2), privacy_notice_on=day(-2), items=[])
    record(world, person, wording_version="2", items=[])
    assert holds(person) == [None, 0, 0, 1, 1, 1, 1]
    record(world, person, wording_version="3", items=[])
    assert holds(person) == [None, 0, 0, 2, 2, 2, 2]


def test_an_agreement_runs_out(world):
    person = world.person()
    record(world, person, until_on=day(1))
    assert holds(person) == [None, None, None, 0, 0, None, None]


def test_withdrawal_counts_from_its_day(world):
    person = world.person()
    record(world, person, given_on=day(-2), privacy_notice_on=day(-2), items=[])
    with pytest.raises(Refused, match="in the future"):
        sharing.withdraw(care_leaver=person, on=day(1), by=world.advisor, at=NOW)
    sharing.withdraw(care_leaver=person, on=day(0), by=world.advisor, at=NOW)
    assert holds(person) == [None, 0, 0, None, None, None, None]
    assert last_event() == ("careleavers.agreement.withdrawn", "Ann Advisor", {person.pk})
    with pytest.raises(Refused, match="no agreement to withdraw"):
        sharing.withdraw(care_leaver=person, on=day(0), by=world.advisor, at=NOW)


def test_nothing_is_shared_of_someone_who_died(world):
    person = world.person()
    people.edit(care_leaver=person, in_touch="DIED", by=world.manager, at=NOW)
    with pytest.raises(Refused, match="has died"):
        record(world, person)


def test_the_persons_page_shows_what_the_pantry_sees(world, client):
    person = world.person(advisor=world.advisor)
    client.force_login(world.advisor)
    assert (
        "None yet. It is recorded when an introduction is made." in client.get(url("detail", person)).content.decode()
    )
    record(world, person)
    page = client.get(url("detail", person)).content.decode()
    assert "The pantry sees the preferred name and:" in page and "Allergy: milk" in page
    sharing.withdraw(care_leaver=person, on=day(0), by=world.advisor, at=NOW)
    assert "The pantry knows the membership number alone." in client.get(url("detail", person)).content.decode()
