"""Pantries: added, changed, opened weekly, closed for days; who works there; who reads what."""

import re
from datetime import date, time, timedelta

import pytest
import time_machine
from django.urls import reverse

from pantry import directory
from pantry.models import Closure, OpeningHours, PaidWeek, Pantry, PantryStaff
from pantry.services import places
from stockport_hubs.accounts.models import Role
from stockport_hubs.audit.models import AuditEvent
from stockport_hubs.core.errors import Refused
from tests import factories
from tests.factories import World, moment

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]  # pages: one database is enough
TODAY = date(2026, 4, 2)  # a Thursday
NOW = moment(TODAY)
READERS = {Role.PANTRY_MANAGER, Role.PERSONAL_ADVISOR, Role.LEAVING_CARE_MANAGER, Role.FINANCE_OFFICER}


@pytest.fixture
def world():
    with time_machine.travel(NOW, tick=False):
        yield World()


def refusal(call, **kwargs) -> str:
    with pytest.raises(Refused) as why:
        call(**kwargs)
    return str(why.value)


def text(response) -> str:
    """The page as a person reads it."""
    main = response.content.decode().split("<main", 1)[1].split("</main>")[0]
    return " ".join(re.sub(r"<[^>]+>", " ", main).split())


def as_user(client, user):
    client.force_login(user)
    return client


def posted_day(name: str, day: date) -> dict:
    return {f"{name}_day": day.day, f"{name}_month": day.month, f"{name}_year": day.year}


# -- adding and changing -----------------------------------------------------------------------------------------------


def add(world, **more):
    details = {"name": "Example Road", "address": "1 Example Road"} | more
    return places.create_pantry(operator=world.operator, by=world.pantry_manager, at=NOW, **details)


def test_a_pantry_is_added_with_its_bands_and_an_audit_row(world):
    made = add(world, bands=[("Red", 2), ("Blue", 8)])
    assert [(b.name, b.items, b.position) for b in made.bands.all()] == [("Red", 2, 0), ("Blue", 8, 1)]
    event = AuditEvent.objects.get(verb="pantry.pantry.added")
    assert (event.by, event.target_id) == (world.pantry_manager, made.pk)


def test_a_second_pantry_of_the_same_name_is_refused_for_one_operator_only(world):
    add(world)
    assert refusal(add, world=world) == "There is already a pantry called Example Road. Give this one another name."
    assert add(World()).name == "Example Road"


def test_words_that_tell_are_refused_wherever_a_volunteer_reads(world):
    for field in ("name", "address", "how_to_find", "catchment"):
        said = refusal(add, world=world, **{field: "For Care-Leavers"})
        assert said == "Volunteers read this, so it must not say “care leaver”. Leave it out or put it another way."
    assert "care leaver" in refusal(add, world=world, bands=[("Care leaver", 1)])
    assert Pantry.objects.filter(operator=world.operator).count() == 1


def test_bands_hold_at_most_the_allowance_and_used_bands_stay(world):
    from pantry.models import SelectedItem
    from tests.counter_scene import Counter

    counter = Counter()
    said = refusal(places.edit_pantry, pantry=counter.pantry, bands=[("Red", 11)], by=counter.pantry_manager, at=NOW)
    assert said == "The bands together hold more than the 10 items of a week."
    places.edit_pantry(pantry=counter.pantry, bands=[("Red", 2), ("Blue", 8)], by=counter.pantry_manager, at=NOW)
    red, blue = counter.pantry.bands.order_by("position")
    with time_machine.travel(moment(date(2026, 4, 8), "10:42"), tick=False):
        counter.record(counter.join(), quantities={red.pk: 2})
    assert SelectedItem.objects.filter(band=red).count() == 1
    places.edit_pantry(pantry=counter.pantry, bands=[("Red", 3)], by=counter.pantry_manager, at=NOW)
    assert [(b.name, b.items) for b in counter.pantry.bands.all()] == [("Red", 3)]
    said = refusal(places.edit_pantry, pantry=counter.pantry, bands=[], by=counter.pantry_manager, at=NOW)
    assert said == "Items of the band Red have been given out, so it stays. Set it to 0 items instead."


def test_changing_records_the_names_of_the_fields_and_no_words(world):
    places.edit_pantry(pantry=world.pantry, address="2 Example Street", by=world.pantry_manager, at=NOW)
    event = AuditEvent.objects.get(verb="pantry.pantry.changed")
    assert event.detail == {"fields": ["address"]}


# -- weekly openings ---------------------------------------------------------------------------------------------------


def set_hours(world, weekday=3, opens=time(14), closes=time(16), from_on=TODAY):
    return places.set_hours(
        pantry=world.pantry,
        weekday=weekday,
        opens=opens,
        closes=closes,
        from_on=from_on,
        by=world.pantry_manager,
        at=NOW,
    )


def test_an_opening_is_added_unless_it_overlaps_one(world):
    set_hours(world)
    said = refusal(set_hours, world=world, opens=time(15), closes=time(17))
    assert said == (
        "Thursday 14:00 to 16:00 is there already and overlaps. End that opening first, or choose other times."
    )
    set_hours(world, opens=time(16), closes=time(17))  # next to it
    assert refusal(set_hours, world=world, weekday=4, opens=time(12), closes=time(12)) == (
        "An opening ends after it begins. Check the two times."
    )


def test_an_opening_ends_and_the_last_one_stays_while_weeks_are_paid(world):
    wednesday = world.pantry.opening_hours.get()
    world.join()
    end = {"hours": wednesday, "until_on": date(2026, 4, 30), "by": world.pantry_manager, "at": NOW}
    assert refusal(places.end_hours, **end) == (
        f"{world.pantry} would have no opening after 30 April 2026, and members have weeks paid for there. "
        "Add the new opening first, then end this one."
    )
    set_hours(world)
    places.end_hours(**end)
    wednesday.refresh_from_db()
    assert wednesday.until_on == date(2026, 4, 30)
    assert refusal(places.end_hours, **(end | {"until_on": date(2026, 3, 31)})) == (
        "Openings that have passed stay on record. Choose today or a later day."
    )


def test_an_opening_that_never_counted_goes(world):
    hours = set_hours(world, from_on=TODAY + timedelta(days=7))
    places.end_hours(hours=hours, until_on=TODAY, by=world.pantry_manager, at=NOW)
    assert not OpeningHours.objects.filter(pk=hours.pk).exists()


def test_openings_are_said_in_words_with_the_days_that_are_to_come(world):
    set_hours(world, from_on=date(2026, 5, 7))
    hours = list(world.pantry.opening_hours.all())
    assert directory.openings_in_words(hours, TODAY) == [
        "Wednesday, 10:00 to 12:00",
        "Thursday, 14:00 to 16:00, from 7 May 2026",
    ]


def test_days_in_a_row_at_the_same_times_are_said_together(world):
    for weekday in (0, 1, 3, 4):
        set_hours(world, weekday=weekday, opens=time(10), closes=time(12))
    assert directory.openings_in_words(list(world.pantry.opening_hours.all()), TODAY) == [
        "Monday to Friday, 10:00 to 12:00"
    ]
    set_hours(world, weekday=6, opens=time(10), closes=time(12))
    set_hours(world, weekday=6, opens=time(14), closes=time(15))
    hours = list(world.pantry.opening_hours.all())
    assert directory.openings_in_words(hours, TODAY) == [
        "Monday to Friday, 10:00 to 12:00",
        "Sunday, 10:00 to 12:00",
        "Sunday, 14:00 to 15:00",
    ]
    set_hours(world, weekday=5, opens=time(10), closes=time(12))
    hours = list(world.pantry.opening_hours.all())
    assert directory.openings_in_words(hours, TODAY) == ["Every day, 10:00 to 12:00", "Sunday, 14:00 to 15:00"]


def test_next_openings_leave_out_closures_and_bank_holidays():
    with time_machine.travel(NOW, tick=False):
        world = World((0, time(10), time(12)))  # Mondays; Easter Monday is 6 April, May Day 4 May
        places.announce_closure(
            pantry=world.pantry,
            from_on=date(2026, 4, 20),
            until_on=date(2026, 4, 20),
            reason="Boiler repair",
            by=world.pantry_manager,
            at=NOW,
        )
        found = [opening.on for opening in directory.next_openings(world.pantry, TODAY)]
    assert found == [date(2026, 4, 13), date(2026, 4, 27), date(2026, 5, 11), date(2026, 5, 18)]


# -- closures ----------------------------------------------------------------------------------------------------------

CLOSED = {"from_on": date(2026, 4, 13), "until_on": date(2026, 4, 19), "reason": "Boiler repair"}


def announce(world, **more):
    asked = CLOSED | more
    return places.announce_closure(pantry=world.pantry, by=world.pantry_manager, at=NOW, **asked)


def weeks_of(membership) -> list[date]:
    return list(PaidWeek.objects.dated().filter(membership=membership).values_list("week", flat=True).order_by("week"))


def test_a_closure_moves_the_paid_weeks_of_its_members_and_says_how_many(world):
    ash, bay = world.join(), world.join()
    before = weeks_of(ash)
    closure = announce(world)
    assert closure.members_moved == 2
    assert weeks_of(ash) == weeks_of(bay) == [*(w for w in before if w != date(2026, 4, 13)), date(2026, 10, 5)]
    event = AuditEvent.objects.get(verb="pantry.closure.announced")
    assert event.detail == {"members": 2}


def test_the_preview_says_the_same_and_leaves_nothing(world):
    ash = world.join()
    before = weeks_of(ash)
    shown = places.preview_closure(pantry=world.pantry, by=world.pantry_manager, at=NOW, **CLOSED)
    assert shown.members_moved == 1
    assert (weeks_of(ash), Closure.objects.count(), AuditEvent.objects.filter(verb__contains="closure").count()) == (
        before,
        0,
        0,
    )


def test_closures_are_refused_in_words(world):
    assert refusal(announce, world=world, until_on=date(2026, 4, 12)) == (
        "A closure ends on the day it begins or later. Check the two dates."
    )
    assert refusal(announce, world=world, from_on=date(2026, 3, 1)) == (
        "Days long past keep their record. A closure starts up to 28 days back, today or later."
    )
    assert refusal(announce, world=world, until_on=date(2027, 6, 1)).startswith("A closure lasts a year at most.")
    assert "leaving care" in refusal(announce, world=world, reason="Leaving care team meeting")
    announce(world)
    assert refusal(announce, world=world, from_on=date(2026, 4, 19), until_on=date(2026, 4, 20)) == (
        f"{world.pantry} is closed from 13 April 2026 to 19 April 2026 already. "
        "Withdraw that closure first, or choose other days."
    )


def test_a_closure_is_withdrawn_before_it_begins_and_weeks_stay_where_they_are(world):
    ash = world.join()
    closure = announce(world)
    moved = weeks_of(ash)
    places.withdraw_closure(closure=closure, by=world.pantry_manager, at=NOW)
    assert weeks_of(ash) == moved
    assert refusal(places.withdraw_closure, closure=closure, by=world.pantry_manager, at=NOW) == (
        "This closure is withdrawn already."
    )
    begun = announce(world, from_on=TODAY, until_on=TODAY)
    later = NOW + timedelta(days=1)
    assert refusal(places.withdraw_closure, closure=begun, by=world.pantry_manager, at=later) == (
        "This closure has begun and stays on record."
    )


# -- volunteers --------------------------------------------------------------------------------------------------------


def attach(world, user):
    return places.attach_volunteer(pantry=world.pantry, user=user, from_on=TODAY, by=world.pantry_manager, at=NOW)


def test_a_volunteer_is_attached_sees_the_pantry_and_no_longer_after_being_detached(world):
    assert not Pantry.objects.for_user(world.volunteer).exists()
    staff = attach(world, world.volunteer)
    assert list(Pantry.objects.for_user(world.volunteer)) == [world.pantry]
    assert refusal(attach, world=world, user=world.volunteer).endswith("already, since 2 April 2026.")
    places.detach_volunteer(staff=staff, by=world.pantry_manager, at=NOW)
    assert not Pantry.objects.for_user(world.volunteer).exists()
    assert not PantryStaff.objects.exists()  # of the same day: it never counted
    attach(world, world.volunteer)


def test_a_volunteer_of_earlier_days_stays_on_record_until_yesterday(world):
    staff = PantryStaff.objects.create(pantry=world.pantry, user=world.volunteer, from_on=date(2026, 3, 2))
    places.detach_volunteer(staff=staff, by=world.pantry_manager, at=NOW)
    staff.refresh_from_db()
    assert staff.until_on == date(2026, 4, 1)
    assert refusal(places.detach_volunteer, staff=staff, by=world.pantry_manager, at=NOW).endswith(
        "after 1 April 2026."
    )


def test_only_own_volunteers_with_a_living_account_are_attached(world):
    words = "Only volunteers of the pantry’s own organisation can work there."
    assert refusal(attach, world=world, user=World().volunteer) == words
    assert refusal(attach, world=world, user=world.pantry_manager) == words
    world.volunteer.deactivated_at, world.volunteer.is_active = NOW, False
    world.volunteer.save()
    assert refusal(attach, world=world, user=world.volunteer) == f"The account of {world.volunteer} is closed."


# -- pages -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", Role)
def test_readers_read_and_others_are_kept_out(world, client, role):
    client.force_login(factories.user(role, world.operator if role == Role.PANTRY_MANAGER else None))
    status = 200 if role in READERS else 403
    for url in (reverse("pantry:pantries"), reverse("pantry:pantry", args=[world.pantry.pk])):
        assert client.get(url).status_code == status
    may_change = 200 if role == Role.PANTRY_MANAGER else 403
    assert client.get(reverse("pantry:pantry_add")).status_code == may_change
    for name in ("pantry_edit", "hours", "closures"):
        assert client.get(reverse(f"pantry:{name}", args=[world.pantry.pk])).status_code == may_change


def test_another_operators_pantry_is_not_there(world, client):
    other = World()
    hours, closure = other.pantry.opening_hours.get(), announce(other)
    staff = attach(other, other.volunteer)
    as_user(client, world.pantry_manager)
    one = [other.pantry.pk]
    for name in ("pantry", "pantry_edit", "hours", "closures", "tariff_propose"):
        assert client.get(reverse(f"pantry:{name}", args=one)).status_code == 404
    assert client.get(reverse("pantry:hours_end", args=[other.pantry.pk, hours.pk])).status_code == 404
    assert client.get(reverse("pantry:hours_end", args=[world.pantry.pk, hours.pk])).status_code == 404
    for pantry in (other.pantry, world.pantry):
        assert client.post(reverse("pantry:closure_withdraw", args=[pantry.pk, closure.pk])).status_code == 404
        assert client.post(reverse("pantry:staff_detach", args=[pantry.pk, staff.pk])).status_code == 404
    assert client.post(reverse("pantry:staff_attach", args=one)).status_code == 404
    assert other.pantry.name not in text(client.get(reverse("pantry:pantries")))


def test_the_manager_reads_how_many_members_and_the_council_only_whether_there_is_room(world, client):
    world.pantry.capacity = 2
    world.pantry.save()
    world.join(), world.join(agreement=None)
    url = reverse("pantry:pantry", args=[world.pantry.pk])
    assert "2 members of 2" in text(as_user(client, world.pantry_manager).get(url))
    page = text(as_user(client, world.advisor).get(url))
    assert "Room Full. People introduced now go on the waiting list." in page
    assert "2 members" not in page
    assert "Volunteers" not in page


def test_the_manager_is_warned_when_the_list_of_members_itself_tells(world, client):
    url = reverse("pantry:pantry", args=[world.pantry.pk])
    as_user(client, world.pantry_manager)
    warning = "the list of members itself tells who they are"
    assert warning not in text(client.get(url))
    world.join()
    assert warning in text(client.get(url))
    world.join(agreement=None)
    assert warning not in text(client.get(url))


def test_an_empty_operator_reads_what_to_do(client):
    with time_machine.travel(NOW, tick=False):
        as_user(client, factories.user(Role.PANTRY_MANAGER))
        assert "No pantry yet. Add the first one" in text(client.get(reverse("pantry:pantries")))
        as_user(client, factories.user(Role.PERSONAL_ADVISOR))
        assert "No pantry yet. Pantry managers add" in text(client.get(reverse("pantry:pantries")))


def test_a_pantry_is_added_in_the_browser_and_its_faults_are_said(world, client):
    as_user(client, world.pantry_manager)
    url = reverse("pantry:pantry_add")
    page = client.post(url, {"name": "Leaving care pantry", "allowance": "0", "band_1_name": "Red"})
    assert page.context["form"].errors == {
        "name": ["Volunteers read this, so it must not say “leaving care”. Leave it out or put it another way."],
        "address": ["Enter address"],
        "allowance": ["Items a week must be 1 or more"],
        "band_1_items": ["Enter how many items of Red a member may choose"],
    }
    answer = client.post(
        url,
        {
            "name": "Example Road",
            "address": "1 Example Road",
            "allowance": "10",
            "band_1_name": "Red",
            "band_1_items": "2",
            "closes_on_bank_holidays": "on",
        },
    )
    made = Pantry.objects.get(name="Example Road")
    assert answer.headers["Location"] == reverse("pantry:hours", args=[made.pk])
    assert (made.operator, made.welcomes_other_pantries, made.bands.get().items) == (world.operator, False, 2)


def test_a_refusal_of_the_service_is_said_on_the_page(world, client):
    as_user(client, world.pantry_manager)
    page = client.post(
        reverse("pantry:pantry_add"), {"name": world.pantry.name, "address": "1 Example Road", "allowance": "10"}
    )
    said = f"There is already a pantry called {world.pantry.name}. Give this one another name."
    assert page.context["form"].non_field_errors() == [said]
    assert said in text(page)


def test_an_opening_is_added_and_ended_in_the_browser(world, client):
    as_user(client, world.pantry_manager)
    url = reverse("pantry:hours", args=[world.pantry.pk])
    form = {"weekday": "4", "opens": "14:00", "closes": "13:00", **posted_day("from_on", TODAY)}
    page = client.post(url, form)
    assert page.context["form"].errors == {"closes": ["Closes at must be later than opens at"]}
    client.post(url, form | {"closes": "16:00"})
    friday = world.pantry.opening_hours.get(weekday=4)
    assert "Friday 14:00 to 16:00" in text(client.get(url))
    end = reverse("pantry:hours_end", args=[world.pantry.pk, friday.pk])
    assert client.post(end, posted_day("until_on", date(2026, 3, 1))).context["form"].errors == {
        "until_on": ["Openings that have passed stay on record. Choose today or a later day."]
    }
    client.post(end, posted_day("until_on", date(2026, 4, 24)))
    assert "24 Apr 2026" in text(client.get(url))


def test_a_closure_is_checked_before_it_is_announced(world, client):
    world.join()
    as_user(client, world.pantry_manager)
    url = reverse("pantry:closures", args=[world.pantry.pk])
    form = {
        "reason": "Boiler repair",
        **posted_day("from_on", CLOSED["from_on"]),
        **posted_day("until_on", CLOSED["until_on"]),
    }
    page = client.post(url, form)
    assert "Paid weeks of 1 member move to the next open weeks." in text(page)
    assert Closure.objects.count() == 0
    carried = dict(page.context["answers"])
    assert carried == {name: str(value) for name, value in form.items()}
    changed = client.post(url, carried | {"step": "change"})
    assert 'value="Boiler repair"' in changed.content.decode()
    client.post(url, carried | {"step": "confirm"})
    closure = Closure.objects.get()
    page = text(client.get(url))
    assert "13 April 2026 to 19 April 2026 Boiler repair" in page and "To come" in page
    client.post(reverse("pantry:closure_withdraw", args=[world.pantry.pk, closure.pk]))
    assert "Withdrawn" in text(client.get(url))


def test_a_volunteer_is_attached_and_detached_in_the_browser(world, client):
    as_user(client, world.pantry_manager)
    url = reverse("pantry:pantry", args=[world.pantry.pk])
    client.post(reverse("pantry:staff_attach", args=[world.pantry.pk]), {"user": str(World().volunteer.pk)})
    assert PantryStaff.objects.count() == 0  # another organisation's is no choice
    client.post(reverse("pantry:staff_attach", args=[world.pantry.pk]), {"user": str(world.volunteer.pk)})
    staff = PantryStaff.objects.get()
    page = text(client.get(url))
    assert world.volunteer.name in page and "Every volunteer who has an account works here." in page
    client.post(reverse("pantry:staff_detach", args=[world.pantry.pk, staff.pk]))
    assert "Nobody yet." in text(client.get(url))


@pytest.mark.parametrize("name", ["pantries", "pantry", "hours", "closures"])
def test_the_number_of_queries_does_not_grow(world, client, django_assert_num_queries, name):
    as_user(client, world.pantry_manager)

    def fill():
        pantry = factories.pantry(world.operator, capacity=5)
        for each in (world.pantry, pantry):
            factories.tariff(each, date(2026, 4, 6) + timedelta(weeks=each.tariffs.count()))
            days = date(2026, 6, 1) + timedelta(days=each.closures.count())
            places.announce_closure(
                pantry=each, from_on=days, until_on=days, reason="Boiler", by=world.pantry_manager, at=NOW
            )
            hours = {"weekday": 4, "opens": time(9 + each.opening_hours.count()), "from_on": TODAY}
            closes = time(10 + each.opening_hours.count() - 1, 30)
            OpeningHours.objects.create(pantry=each, closes=max(closes, time(23)), **hours)
            user = factories.user(Role.PANTRY_VOLUNTEER, world.operator)
            PantryStaff.objects.create(pantry=each, user=user, from_on=TODAY)
        world.join()

    url = reverse(f"pantry:{name}", args=[] if name == "pantries" else [world.pantry.pk])
    expected = QUERIES[name]
    fill()
    with django_assert_num_queries(expected):
        assert client.get(url).status_code == 200
    fill(), fill()
    with django_assert_num_queries(expected):
        assert client.get(url).status_code == 200


QUERIES = {"pantries": 7, "pantry": 14, "hours": 4, "closures": 5}


def test_the_list_is_paged_and_searched(world, client):
    for n in range(26):
        factories.pantry(world.operator, name=f"Hall {n:02}")
    as_user(client, world.pantry_manager)
    url = reverse("pantry:pantries")
    assert "Showing 1 to 25 of 27 pantries" in text(client.get(url))
    page = client.get(url, {"q": "Hall 07"})
    assert [row["pantry"].name for row in page.context["rows"]] == ["Hall 07"]
    assert "No pantry has these words" in text(client.get(url, {"q": "zzz"}))
