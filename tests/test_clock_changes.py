"""Promise D4: what is due on a day happens once although London's clocks change the night before, with one beat and
with two; with none, once after one of them is back."""

from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from uuid import uuid4

import pytest
import time_machine
from django.core import mail
from django.db import transaction

from pantry.models import Membership, PrepaidBlock, RenewalDecision
from pantry.services import journal
from referrals import digest
from referrals import services as referrals
from referrals.models import RenewalWarning
from referrals.services import warnings
from stockport_hubs.core.weeks import WEEK, london_date
from stockport_hubs.jobs import services as jobs
from stockport_hubs.jobs.models import Job
from stockport_hubs.notifications.models import Message
from tests.factories import World, moment
from tests.test_introductions import introduce, person

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite, pytest.mark.promise("D4")]
CHANGES = {"back": date(2026, 10, 25), "forward": date(2027, 3, 28)}
DUE_AFTER = 22 * WEEK  # the decision about a member's second block, from the first Monday
BEFORE = 5  # messages about the three who were accepted, and two warnings
FROM, UNTIL = -4, 34  # hours from midnight UTC on the Sunday


@pytest.fixture(params=CHANGES)
def change(request, settings) -> date:
    settings.CLOCK = None
    return CHANGES[request.param]


@pytest.fixture
def world(change) -> World:
    """Three members: on the Monday after the change one is renewed, two advisors' warnings are due, and the weekly
    e-mail goes out."""
    made = World(hold_after_weeks_without_collection=0)
    for n, weeks in enumerate((0, 1, 4)):
        first = change + timedelta(days=1) + weeks * WEEK - DUE_AFTER
        joins = moment(first - timedelta(days=4))
        referrals.accept(referral=introduce(made, person(made, f"Ash{n}")), by=made.pantry_manager, at=joins)
    friday = moment(change - timedelta(days=2))
    with time_machine.travel(friday, tick=False):
        warnings.sweep(at=friday, job="the days before")
        Job.objects.update(due_at=friday)
        jobs.pump()
    return made


def facts() -> dict:
    """What has happened, whoever asked for it and how often."""
    return {
        "second blocks": [*PrepaidBlock.objects.filter(block_no=2).values_list("membership__number", flat=True)],
        "decisions": [*RenewalDecision.objects.values_list("membership__number", "outcome")],
        "warnings": sorted(RenewalWarning.objects.values_list("referral__membership__number", "weeks_ahead")),
        "messages": Counter(Message.objects.exclude(sent_at=None).values_list("kind", "to__role")),
        "e-mails": len(mail.outbox),
    }


@pytest.fixture
def moments(change, sized) -> list[datetime]:
    """When the beats tick: every ten minutes, or here only in the hours in which something changes."""
    midnight = datetime.combine(change, time(), UTC)
    minutes = sized([60 * n for n in (-1, 0, 1, 2, 23, 24, 31)], range(60 * FROM, 60 * UNTIL, 10))
    return [midnight + timedelta(minutes=n) for n in minutes]


def live(moments: list[datetime], beats: int) -> tuple[dict, Counter]:
    """The night and the morning, taken back afterwards: what happened, and how often each kind of work ran."""
    slots = set()
    mail.outbox.clear()
    with transaction.atomic():
        for at in moments:
            for n in range(beats):
                with time_machine.travel(at + timedelta(seconds=7 * n), tick=False):
                    jobs.tick()
                    jobs.pump()
            ran = Job.objects.filter(kind__in=jobs.periodic())
            assert set(ran.values_list("attempts", "failed_at")) == {(1, None)}
            slots |= set(ran.values_list("kind", "key"))
        found = facts()
        assert journal.check(london_date(moments[-1])) == []
        transaction.set_rollback(True)
    return found, Counter(kind for kind, _ in slots)


def test_what_is_due_happens_once_across_a_change_of_the_clocks_however_many_beats(world, moments, figures):
    found, ran = live(moments, 1)
    first, second, third = Membership.objects.order_by("number").values_list("number", flat=True)
    assert found["second blocks"] == [first]
    assert found["decisions"] == [(first, "renewed")]
    assert found["warnings"] == sorted([(first, 5), (second, 8), (second, 5), (third, 8)])
    assert found["messages"][digest.KIND, "personal_advisor"] == 1
    assert found["messages"].total() - BEFORE == found["e-mails"] == 3
    for kind, minutes in {"pantry.renew_blocks": 10, "referrals.digest": 60, "pantry.check_journal": 24 * 60}.items():
        assert ran[kind] == len({int(at.timestamp()) // 60 // minutes for at in moments}), kind
    assert live(moments, 2) == (found, ran)
    back = moments[-1] + timedelta(hours=5)  # past noon
    assert live([back], 1)[0] == found
    figures(
        f"{ran.total()} jobs, {found['messages'].total()} messages: alike with 1 beat, 2, and none until {back:%H:%M}"
    )


@pytest.mark.parametrize("change", ["back"], indirect=True)
def test_control_work_not_written_by_its_time_slot_is_seen(world, moments, monkeypatch):
    enqueue = jobs.enqueue
    monkeypatch.setattr(jobs, "enqueue", lambda kind, *, key, **more: enqueue(kind, key=f"{key}:{uuid4()}", **more))
    assert live(moments[:2], 1)[1] != live(moments[:2], 2)[1]
