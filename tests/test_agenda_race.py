"""One item of an agenda saved by several at the same moment: nothing is overwritten, and every saving is answered."""

import contextlib
import threading
import uuid

import pytest
from django.db import IntegrityError

from reviews.models import Action, AgendaItem, AgendaSave, ReviewMeeting
from reviews.services import agenda
from reviews.services.agenda import ChangedMeanwhile
from tests.test_agenda import DAY, World
from tests.test_renewals_race import at_once

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


def all_have_looked(monkeypatch, savers: int) -> None:
    """Each is held up after it has compared versions, until all have or none can any more."""
    together, check = threading.Barrier(savers), agenda._check_words

    def wait(*given) -> None:
        with contextlib.suppress(threading.BrokenBarrierError):
            together.wait(1)
        check(*given)

    monkeypatch.setattr(agenda, "_check_words", wait)


@pytest.mark.parametrize("kept_by", ["locks", "the unique version alone", "nothing"])
def test_of_several_who_save_an_item_at_once_one_does_and_the_others_see_what_was_written(kept_by, monkeypatch):
    """The last is the control: words of one are written over by another, and nobody is told."""
    world, savers = World(), 4
    item = world.add(world.meet())
    all_have_looked(monkeypatch, savers)
    if kept_by != "locks":
        both = ("agreement__funder", "agreement__operator")
        monkeypatch.setattr(agenda, "_locked", lambda m: ReviewMeeting.objects.select_related(*both).get(pk=m.pk))
        monkeypatch.setattr(AgendaItem.objects, "select_for_update", lambda **more: AgendaItem.objects.all())
    if kept_by == "nothing":
        monkeypatch.setattr(AgendaSave.objects, "create", lambda **more: None)
    people = [world.manager, world.pantry_manager] * 2
    said = [{"decision": f"Decision {n}", "owner": by, "due_on": DAY} for n, by in enumerate(people)]
    answers = at_once([lambda n=n: world.save(item, by=people[n], **said[n]) for n in range(savers)])
    saved = [n for n, answer in enumerate(answers) if not isinstance(answer, Exception)]
    item.refresh_from_db()
    if kept_by == "nothing":
        assert len(saved) == savers and item.version == 1
        assert Action.objects.count() > 1
        return
    (winner,) = saved
    refused = {type(answer) for n, answer in enumerate(answers) if n != winner}
    assert refused == {ChangedMeanwhile if kept_by == "locks" else IntegrityError}
    assert (item.version, item.decision, item.saved_by) == (1, f"Decision {winner}", people[winner])
    assert [row.said["decision"] for row in AgendaSave.objects.all()] == [item.decision]
    assert [(each.what, each.owner) for each in Action.objects.all()] == [(item.decision, people[winner])]
    if kept_by == "locks":  # and who was refused has what was written before them, to compare with their own words
        shown = {answer.item.decision for n, answer in enumerate(answers) if n != winner}
        assert shown == {item.decision}


def test_a_saving_sent_again_at_the_same_moment_is_one_saving():
    world = World()
    item = world.add(world.meet())
    key = uuid.uuid4()
    answers = at_once([lambda: world.save(item, key=key, decision="Ask the hall")] * 5)
    assert {(answer.version, answer.decision) for answer in answers} == {(1, "Ask the hall")}
    assert AgendaSave.objects.get().key == key
