"""The weekly e-mail to advisors: initials, on Mondays in London, once, and only when there is something to say."""

from datetime import date, datetime, timedelta

import pytest
from django.core import mail
from django.urls import reverse
from django.utils import timezone

from careleavers.models import CareLeaver
from careleavers.services import people
from referrals import digest
from referrals import services as referrals
from stockport_hubs.accounts.models import Role
from stockport_hubs.core.weeks import LONDON
from stockport_hubs.jobs import services as jobs
from stockport_hubs.jobs.models import Job
from stockport_hubs.notifications.models import Message
from tests import factories
from tests.factories import moment
from tests.test_introductions import AT, introduce, person

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]
MONDAY = date(2026, 5, 18)


@pytest.fixture(autouse=True)
def clock(settings):
    settings.CLOCK = AT
    return lambda at: setattr(settings, "CLOCK", at)


@pytest.fixture
def world():
    return factories.World()


def sent(clock, at: datetime) -> list[str]:
    """The e-mails of the weekly kind that go out at a moment."""
    clock(at)
    mail.outbox.clear()
    digest.sweep(at=at)
    Job.objects.exclude(key__in=[f"message:{each.pk}" for each in Message.objects.filter(kind=digest.KIND)]).delete()
    Job.objects.update(due_at=timezone.now())
    jobs.pump()
    return [each.body for each in mail.outbox]


def test_it_names_nobody_beyond_initials_and_says_what_is_needed(world, clock):
    never_came, new = person(world, name="Zebedee"), person(world, name="Ottoline")
    referrals.accept(referral=introduce(world, never_came), by=world.pantry_manager, at=AT)
    [body] = sent(clock, moment(MONDAY, "07:00"))
    assert body.startswith(
        "2 young people need something from you this week.\n\n"
        "- Z. Q.: Not taken up; Ask how they are: start\n- O. Q.: No agreement yet\n\n"
    )
    for words in ("Zebedee", "Ottoline", "Quillfeather", never_came.reference, new.reference, str(world.pantry)):
        assert words not in body
    assert reverse("referrals:digest") in body


def test_a_birthday_is_not_told_beside_initials(world, clock):
    ends_soon = person(world)
    CareLeaver.objects.filter(pk=ends_soon.pk).update(born_on=date(2001, 6, 20))
    [body] = sent(clock, moment(MONDAY, "07:00"))
    assert "Turns 25 soon\n" in body and "20 Jun" not in body


def test_once_a_week_on_monday_from_seven_in_london_whichever_way_the_clocks_stand(world, clock):
    person(world)
    for monday in (date(2026, 3, 23), date(2026, 3, 30), date(2026, 10, 26)):  # before and after the clocks change
        assert sent(clock, moment(monday, "06:59")) == []
        assert len(sent(clock, moment(monday, "07:00"))) == 1
        for again in (timedelta(minutes=1), timedelta(hours=5), timedelta(days=2), timedelta(days=5)):
            assert sent(clock, moment(monday, "07:00") + again) == []


def test_when_nothing_ran_on_monday_it_comes_late_and_after_friday_not_at_all(world, clock):
    person(world)
    assert len(sent(clock, moment(MONDAY + timedelta(days=2), "11:00"))) == 1
    later = MONDAY + timedelta(days=11)  # Friday of the week after
    assert sent(clock, moment(later, "11:00")) == []


def test_nothing_to_say_is_no_email_and_nor_is_one_in_the_middle_of_the_week(world, clock):
    assert sent(clock, moment(MONDAY, "07:00")) == []
    assert Message.objects.get(to=world.advisor).refused_because == "There was nothing to say."
    person(world)
    assert sent(clock, moment(MONDAY + timedelta(days=1), "07:00")) == []


def test_switched_off_it_does_not_come_and_switched_on_again_it_does(client, world, clock):
    person(world)
    client.force_login(world.advisor)
    page = reverse("referrals:digest")
    assert "It comes on Monday mornings" in client.get(page).content.decode()
    client.post(page, {"on": "no"})
    assert "You do not get it" in client.get(page).content.decode()
    assert sent(clock, moment(MONDAY, "07:00")) == []
    client.post(page, {"on": "yes"})
    assert len(sent(clock, moment(MONDAY + timedelta(days=7), "07:00"))) == 1


def test_switched_off_or_a_death_between_writing_and_sending_stops_it(world, clock):
    only = person(world)
    at = moment(MONDAY, "07:00")
    clock(at)
    digest.sweep(at=at)
    people.edit(care_leaver=only, by=world.manager, at=at, died_on=MONDAY)
    assert sent(clock, at) == []
    digest.switch(on=False, by=world.advisor, at=at)
    week_on = MONDAY + timedelta(days=7)
    person(world)
    Message.objects.all().delete()
    assert sent(clock, moment(week_on, "07:00")) == []
    assert not Message.objects.filter(kind=digest.KIND).exists()


def test_only_the_own_young_people_and_those_covered_are_in_it(world, clock):
    colleague = factories.user(Role.PERSONAL_ADVISOR, world.council)
    person(world, name="Zebedee")
    person(world, name="Xanthe", advisor=colleague)
    bodies = sent(clock, datetime.combine(MONDAY, digest.FROM, LONDON))
    assert sorted(each.splitlines()[2] for each in bodies) == ["- X. Q.: No agreement yet", "- Z. Q.: No agreement yet"]
