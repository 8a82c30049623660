"""Who is the advisor of whom, dated; cover; what a manager's page does with it."""

from datetime import date, timedelta

import pytest

from careleavers.models import CareLeaver
from careleavers.services import allocations
from stockport_hubs.accounts.models import Organisation, Role
from stockport_hubs.administration import services as administration
from stockport_hubs.audit.models import AuditEvent
from stockport_hubs.core.errors import Refused
from tests.test_people import NOW, TODAY, World, url

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]  # pages: once


@pytest.fixture
def world(settings):
    settings.CLOCK = NOW
    return World()


def day(n):
    return TODAY + timedelta(n)


def allocate(world, person, advisor, on=TODAY):
    return allocations.allocate(care_leaver=person, advisor=advisor, on=on, by=world.manager, at=NOW)


def rows(person):
    return [
        (row.advisor.name, row.from_on, row.until_on)
        for row in person.allocations.select_related("advisor").order_by("from_on")
    ]


def sees(user, on_day=TODAY):
    return CareLeaver.objects.all().with_advisor(user, on_day).count()


def test_a_transfer_closes_the_earlier_row_the_day_before(world):
    person = world.person()
    allocate(world, person, world.advisor, day(-30))
    allocate(world, person, world.other, day(0))
    assert rows(person) == [("Ann Advisor", day(-30), day(-1)), ("Oli Other", day(0), None)]
    assert [(sees(world.advisor, day(n)), sees(world.other, day(n))) for n in (-31, -30, -1, 0)] == [
        (0, 0), (1, 0), (1, 0), (0, 1),
    ]  # fmt: skip


def test_a_transfer_can_be_dated_ahead_and_changed_before_it_comes(world):
    person = world.person()
    allocate(world, person, world.advisor, day(-30))
    allocate(world, person, world.other, day(7))
    assert rows(person) == [("Ann Advisor", day(-30), day(6)), ("Oli Other", day(7), None)]
    allocate(world, person, world.other, day(3))
    assert rows(person) == [("Ann Advisor", day(-30), day(2)), ("Oli Other", day(3), None)]
    event = AuditEvent.objects.filter(verb="careleavers.allocation.given").order_by("id").last()
    assert event.detail["replaced"] == [str(world.other.pk)]


def test_a_slip_of_the_same_day_is_replaced(world):
    person = world.person(advisor=world.advisor)
    allocate(world, person, world.other)
    assert rows(person) == [("Oli Other", day(0), None)]
    assert (sees(world.advisor), sees(world.other)) == (0, 1)


@pytest.mark.parametrize(
    "advisor, on, words",
    [
        ("other", -31, "Ann Advisor has been the advisor since 13 March 2021"),
        ("advisor", 0, "Ann Advisor is already the advisor"),
        ("advisor", -30, "Ann Advisor is already the advisor"),
        ("manager", 0, "Mia Manager is not a personal advisor of this council"),
        ("elsewhere", 0, "Eve Elsewhere is not a personal advisor of this council"),
        ("gone", 0, "The account of Gil Gone is deactivated"),
    ],
)
def test_what_cannot_be_allocated_is_refused_in_a_sentence(world, advisor, on, words):
    council = Organisation.objects.create(name="Other Council", kind="council")
    world.elsewhere = world.account(Role.PERSONAL_ADVISOR, "Eve Elsewhere", council)
    world.gone = world.account(Role.PERSONAL_ADVISOR, "Gil Gone")
    administrator = world.account(Role.ADMINISTRATOR, "Ada Admin")
    administration.deactivate(user=world.gone, by=administrator, at=NOW)
    world.gone.refresh_from_db()
    person = world.person()
    allocate(world, person, world.advisor, day(-30))
    before = rows(person)
    with pytest.raises(Refused, match=words):
        allocate(world, person, getattr(world, advisor), day(on))
    assert rows(person) == before


def test_the_people_of_a_deactivated_advisor_are_to_be_allocated_again(world):
    person = world.person(advisor=world.advisor)
    assert list(CareLeaver.objects.to_allocate(TODAY)) == []
    administration.deactivate(user=world.advisor, by=world.account(Role.ADMINISTRATOR, "Ada Admin"), at=NOW)
    assert list(CareLeaver.objects.to_allocate(TODAY)) == [person]
    allocate(world, person, world.other)
    assert list(CareLeaver.objects.to_allocate(TODAY)) == []


def cover(world, person, advisor, first, last):
    return allocations.give_cover(
        care_leaver=person, advisor=advisor, from_on=day(first), until_on=day(last), by=world.manager, at=NOW
    )


def test_cover_holds_from_the_first_to_the_last_day(world):
    person = world.person(advisor=world.advisor)
    cover(world, person, world.other, 1, 3)
    assert [sees(world.other, day(n)) for n in range(5)] == [0, 1, 1, 1, 0]


@pytest.mark.parametrize(
    "advisor, first, last, words",
    [
        ("other", 3, 2, "must not be before the first"),
        ("other", -3, -1, "has passed already"),
        ("advisor", 0, 3, "needs no cover"),
        ("manager", 0, 3, "not a personal advisor"),
    ],
)
def test_cover_that_makes_no_sense_is_refused(world, advisor, first, last, words):
    person = world.person(advisor=world.advisor)
    with pytest.raises(Refused, match=words):
        cover(world, person, getattr(world, advisor), first, last)
    assert person.covers.count() == 0


def test_cover_twice_for_the_same_days_is_refused(world):
    person = world.person(advisor=world.advisor)
    cover(world, person, world.other, 0, 3)
    with pytest.raises(Refused, match="already covers from 12 April 2021 to 15 April 2021"):
        cover(world, person, world.other, 3, 5)


@pytest.mark.parametrize("first, left", [(-2, [(day(-2), day(-1))]), (0, []), (2, [])])
def test_cover_that_is_ended_holds_no_longer(world, first, left):
    person = world.person(advisor=world.advisor)
    given = cover(world, person, world.other, first, 5)
    allocations.end_cover(cover=given, by=world.manager, at=NOW)
    assert [(row.from_on, row.until_on) for row in person.covers.all()] == left
    assert sees(world.other) == 0


def test_advisors_are_offered_with_the_number_of_people_they_have(world):
    for n in range(2):
        world.person(f"R{n}", advisor=world.advisor)
    assert [(a.name, a.held) for a in allocations.advisors_for(world.manager)] == [("Ann Advisor", 2), ("Oli Other", 0)]


# -- pages -------------------------------------------------------------------------------------------------------------


def test_a_manager_allocates_and_covers_by_browser(world, client):
    person = world.person()
    CareLeaver.objects.update(imported_advisor="Wil Worker")
    client.force_login(world.manager)
    assert "Wil Worker" in client.get(f"{url('list')}?show=to_allocate").content.decode()
    page = client.get(url("allocate", person)).content.decode()
    assert "Ann Advisor (nobody yet)" in page and "The council’s file names Wil Worker." in page
    posted = {"advisor": str(world.advisor.pk), "on_day": "12", "on_month": "4", "on_year": "2021"}
    assert client.post(url("allocate", person), posted).headers["Location"] == url("detail", person)
    again = client.post(url("allocate", person), posted).content.decode()
    assert "Ann Advisor is already the advisor" in again
    posted = {"advisor": str(world.other.pk)}
    for name, on in (("from_on", day(0)), ("until_on", day(3))):
        posted |= {f"{name}_day": on.day, f"{name}_month": on.month, f"{name}_year": on.year}
    assert client.post(url("cover", person), posted).status_code == 302
    assert "Oli Other" in client.get(url("detail", person)).content.decode()
    given = person.covers.get()
    client.post(f"{url('cover', person)}{given.pk}/end/")
    assert person.covers.count() == 0


def test_cover_of_another_council_cannot_be_ended(world, client):
    person = world.person(advisor=world.advisor)
    given = cover(world, person, world.other, 0, 3)
    other = world.account(
        Role.LEAVING_CARE_MANAGER, "Max Manager", Organisation.objects.create(name="Other Council", kind="council")
    )
    client.force_login(other)
    assert client.post(f"{url('cover', person)}{given.pk}/end/").status_code == 404
    assert person.covers.count() == 1


def test_the_choice_of_advisors_is_scoped(world, client):
    elsewhere = world.account(
        Role.PERSONAL_ADVISOR, "Eve Elsewhere", Organisation.objects.create(name="Other Council", kind="council")
    )
    person = world.person()
    client.force_login(world.manager)
    posted = {"advisor": str(elsewhere.pk), "on_day": "12", "on_month": "4", "on_year": "2021"}
    page = client.post(url("allocate", person), posted).content.decode()
    assert ("Choose one of the options shown" in page, "Eve Elsewhere" in page) == (True, False)
    assert date(2021, 4, 12) == TODAY
