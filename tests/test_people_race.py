"""What two people do to the same person at the same moment: one after the other, and nobody waits for nobody."""

import threading
import uuid

import pytest
from django.core import mail
from django.db import connection, transaction

from careleavers.models import CareLeaver, CohortMove, CohortPlace
from careleavers.services import cohort
from pantry.models import Membership
from pantry.services import visitors
from referrals import services
from referrals.models import Referral
from stockport_hubs.core.errors import Refused
from stockport_hubs.jobs import services as jobs
from tests import factories
from tests.counter_scene import NOW, Counter
from tests.test_introductions import AT, introduce
from tests.test_introductions import clock as clock
from tests.test_introductions import person as person_of
from tests.test_renewals_race import at_once

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


def while_the_person_is_locked(person: CareLeaver, deed, then) -> list:
    """`deed` begins on a connection of its own and has to wait, `then` goes on in the transaction it waits for; what
    `deed` gave or raised."""
    answers: list = []

    def do() -> None:
        try:
            answers.append(deed())
        except Exception as error:
            answers.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=do)
    with transaction.atomic():
        CareLeaver.objects.select_for_update().get(pk=person.pk)
        thread.start()
        thread.join(1)
        assert thread.is_alive()
        then()
    thread.join()
    return answers


def test_a_visitor_sorted_out_by_several_at_once_is_one_member():
    counter = Counter()
    visitor = visitors.record(session=counter.session, key=uuid.uuid4(), called="Vi", by=counter.volunteer, at=NOW)
    how = {"visitor": visitor, "by": counter.pantry_manager, "at": NOW}
    answers = at_once([lambda: visitors.add_pending(**how)] * 4)
    assert [type(each) for each in answers].count(Refused) == 3
    assert Membership.objects.filter(preferred_name="Vi").count() == 1


def test_an_answer_waits_for_a_death_and_finds_the_introduction_withdrawn():
    world = factories.World()
    referral = introduce(world)
    [answer] = while_the_person_is_locked(
        referral.care_leaver,
        lambda: services.accept(referral=referral, by=world.pantry_manager, at=AT),
        lambda: services.record_death(care_leaver=referral.care_leaver, died_on=None, by=world.advisor, at=AT),
    )
    assert isinstance(answer, Refused)
    assert (Referral.objects.get().state, Membership.objects.count()) == ("withdrawn", 0)


def test_a_message_to_whoever_records_a_death_does_not_stand_in_its_way():
    world = factories.World()
    referral = introduce(world)
    services.ask_more(referral=referral, note="Which day?", by=world.pantry_manager, at=AT)
    answers = while_the_person_is_locked(
        referral.care_leaver,
        jobs.pump,
        lambda: services.record_death(care_leaver=referral.care_leaver, died_on=None, by=world.advisor, at=AT),
    )
    assert (Referral.objects.get().state, mail.outbox) == ("withdrawn", [])
    assert [type(each) for each in answers] == [int]


def test_who_is_ticked_by_several_at_once_has_one_place():
    world = factories.World()
    both = [person_of(world, "Ada"), person_of(world, "Bo")]
    orders = [both, both[::-1]] * 2
    ticks = [lambda each=each: cohort.tick(care_leavers=each, on=AT.date(), by=world.manager, at=AT) for each in orders]
    assert sorted(map(str, at_once(ticks))) == ["0", "0", "0", "2"]
    assert (CohortPlace.objects.count(), CohortMove.objects.count()) == (2, 2)


def test_nobody_is_ticked_who_died_meanwhile():
    world = factories.World()
    person = person_of(world)
    how = {"care_leaver": person, "died_on": None, "by": world.advisor, "at": AT}
    [added] = while_the_person_is_locked(
        person,
        lambda: cohort.tick(care_leavers=[person], on=AT.date(), by=world.manager, at=AT),
        lambda: services.record_death(**how),
    )
    assert (added, CohortPlace.objects.count()) == (0, 0)
