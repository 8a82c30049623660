"""A death recorded while a message to that young person is claimed: waited for, and then nothing goes."""

import threading
from contextlib import contextmanager

import pytest
from django.db import connection, transaction

from careleavers.models import CareLeaver, CareLeaverQuerySet, Letter
from careleavers.services import letters, people
from referrals import services as referrals
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
