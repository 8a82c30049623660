"""A death recorded while a message to that young person is claimed: waited for, and then nothing goes. Two who take one
message at once."""

import threading
from contextlib import contextmanager

import pytest
from django.db import connection, transaction

from careleavers.models import CareLeaver, CareLeaverQuerySet, Letter
from careleavers.services import letters, people
from referrals import services as referrals
from stockport_hubs.audit.models import AuditEvent
from stockport_hubs.core.errors import Refused
from stockport_hubs.notifications import notify
from tests import factories
from tests.test_introductions import AT, THURSDAY, introduce, person
from tests.test_introductions import clock as clock

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


class Line:
    """Notify, which takes everything."""

    taken: list[str] = []

    def send(self, channel, *, to, subject, text, reference):
        self.taken.append(to)
        return "notify-1"


@contextmanager
def line():
    yield Line()


@pytest.mark.parametrize("locked", [True, False])
def test_a_death_recorded_at_the_same_moment_is_waited_for(locked, monkeypatch):
    """The transaction that records it is open while the message is claimed; without the lock the message goes."""
    world = factories.World()
    care_leaver = person(world, phone="07700 900123")
    letters.choose(care_leaver=care_leaver, channel="text", is_safe=True, asked_on=THURSDAY, by=world.advisor, at=AT)
    referrals.accept(referral=introduce(world, care_leaver), by=world.pantry_manager, at=AT)
    letter = Letter.objects.get()
    monkeypatch.setattr(notify, "line", line)
    monkeypatch.setattr(Line, "taken", [])
    if not locked:
        real = CareLeaverQuerySet.select_for_update
        monkeypatch.setattr(
            CareLeaverQuerySet, "select_for_update",
            lambda self, **how: self.all() if threading.current_thread().name == "sender" else real(self, **how),
        )  # fmt: skip
    sender = threading.Thread(target=lambda: (letters.deliver(letter.pk), connection.close()), name="sender")
    with transaction.atomic():
        people.edit(care_leaver=CareLeaver.objects.get(), by=world.manager, at=AT, died_on=THURSDAY)
        sender.start()
        sender.join(1.5)
        waited = sender.is_alive()
    sender.join()
    assert (waited, Line.taken) == ((True, []) if locked else (False, ["07700 900123"]))


def test_of_two_who_take_a_message_at_once_one_has_it_and_the_other_is_told():
    world = factories.World()
    care_leaver = person(world, phone="07700 900123")
    letters.choose(care_leaver=care_leaver, channel="text", is_safe=True, asked_on=THURSDAY, by=world.advisor, at=AT)
    referrals.accept(referral=introduce(world, care_leaver), by=world.pantry_manager, at=AT)
    letter, told = Letter.objects.get(), []

    def take_too():
        try:
            letters.take(letter=letter, by=world.manager, at=AT)
        except Refused as why:
            told.append(str(why))
        finally:
            connection.close()

    other = threading.Thread(target=take_too)
    with transaction.atomic():
        letters.take(letter=Letter.objects.get(), by=world.advisor, at=AT)
        other.start()
        other.join(1.5)
    other.join()
    assert told == ["This message is taken already. Look at its page."]
    assert [each.by for each in AuditEvent.objects.filter(verb="careleavers.letter.taken")] == [world.advisor]
