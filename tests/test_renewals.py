"""Renewals: when, at what price, held for which reasons, decided by whom; the command and the sweep."""

from dataclasses import replace
from datetime import date, time, timedelta
from io import StringIO
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from pantry import rules
from pantry.models import Budget, Collection, Membership, MembershipMove, PantrySession, PrepaidBlock, RenewalDecision
from pantry.services import by_hand, journal, renewals
from stockport_hubs.audit.models import AuditEvent, AuditSubject
from stockport_hubs.core.errors import NotYours, Refused
from stockport_hubs.core.weeks import WEEK
from tests import factories
from tests.factories import World, moment

pytestmark = pytest.mark.django_db

FIRST, DUE, NEXT = date(2026, 4, 6), date(2026, 9, 7), date(2026, 10, 5)
HALF_YEAR = 26 * WEEK


@pytest.fixture
def world():
    return World(hold_after_weeks_without_collection=0)


def renew(on: date = DUE, **more) -> renewals.Sweep:
    return renewals.sweep(on=on, at=moment(on), job="test", **more)


def outcome(member: Membership, block_no: int = 2) -> tuple[str, list[str]]:
    decision = member.renewal_decisions.get(block_no=block_no)
    return decision.outcome, decision.reasons


def collect(w: World, member: Membership, week: date) -> Collection:
    on = week + timedelta(days=2)
    session, _ = PantrySession.objects.get_or_create(pantry=w.pantry, on=on, opens=time(10), closes=time(12))
    return Collection.objects.create(
        key=uuid4(),
        membership=member,
        session=session,
        pantry=w.pantry,
        week=week,
        on=on,
        collected_at=moment(on, "10:30"),
        recorded_at=moment(on, "10:30"),
        recorded_by=w.volunteer,
    )


# -- the rule ----------------------------------------------------------------------------------------------------------

PLAIN = rules.Renewal(
    due_on=DUE, starts_on=NEXT, last_day=date(2027, 4, 4), price_pence=9100, blocks_before_bought_on=(date(2026, 4, 2),)
)
HOLDS = [
    ("not_automatic", {"automatic": False}, {"automatic": True}),
    ("agreement_ends", {"agreement_ends_on": date(2026, 10, 4)}, {"agreement_ends_on": NEXT}),
    ("funded_until", {"funded_until": date(2027, 4, 3)}, {"funded_until": date(2027, 4, 4)}),
    ("no_collection", {"weeks_without_collection": 6}, {"weeks_without_collection": 5}),
    ("paused", {"paused": True}, {}),
    ("flagged", {"flagged": True}, {}),
    ("blocks_reached", {"blocks_had": 2, "blocks_per_person": 2}, {"blocks_had": 1, "blocks_per_person": 2}),
    ("pantry_closing", {"pantry_closing_on": date(2027, 4, 4)}, {"pantry_closing_on": date(2027, 4, 5)}),
    ("third_at_once", {"blocks_before_bought_on": (DUE, DUE)}, {"blocks_before_bought_on": (FIRST, DUE)}),
    ("no_tariff", {"price_pence": None}, {}),
    ("budget", {"budget_left_pence": 9099}, {"budget_left_pence": 9100}),
    ("budget", {"budget_left_pence": 5749, "pool_pence": 3350}, {"budget_left_pence": 5750, "pool_pence": 3350}),
    ("daily_limit", {"day_left_pence": 9099}, {"day_left_pence": 9100}),
]


@pytest.mark.parametrize(("code", "holds", "passes"), HOLDS)
def test_each_reason_holds_by_itself_and_not_a_penny_or_a_day_before(code, holds, passes):
    assert rules.hold_reasons(replace(PLAIN, **holds)) == [code]
    assert rules.hold_reasons(replace(PLAIN, **passes)) == []


def test_every_reason_of_the_model_is_one_the_rule_gives():
    assert {code for code, *_ in HOLDS} == set(RenewalDecision.Reason.values)
    everything = {name: value for _, holds, _ in HOLDS for name, value in holds.items()}
    assert len(rules.hold_reasons(replace(PLAIN, **everything | {"price_pence": 9100}))) == len(HOLDS) - 2


def test_no_hold_for_want_of_collections_when_the_setting_is_0():
    assert rules.hold_reasons(replace(PLAIN, hold_after_weeks=0, weeks_without_collection=9)) == []


# -- holds as they are gathered ----------------------------------------------------------------------------------------


def _not_automatic(w, m):
    w.agreement.renews_automatically = False


def _agreement_ends(w, m):
    w.agreement.ends_on = date(2026, 9, 30)


def _funded_until(w, m):
    m.funded_until = date(2027, 4, 3)


def _no_collection(w, m):
    w.agreement.hold_after_weeks_without_collection = 6
    collect(w, m, DUE - 7 * WEEK)


def _flagged(w, m):
    m.stop_renewal = True


def _blocks_reached(w, m):
    w.agreement.blocks_per_person = 1


def _pantry_closing(w, m):
    w.pantry.closing_on = date(2027, 1, 1)


def _no_tariff(w, m):
    w.pantry.tariffs.update(from_week=date(2026, 10, 12))


def _budget(w, m):
    Budget.objects.update(limit_pence=10100 + 9099)


def _daily_limit(w, m):
    w.agreement.daily_limit_pence = 9099


@pytest.mark.parametrize(
    "arrange",
    [
        _not_automatic,
        _agreement_ends,
        _funded_until,
        _no_collection,
        _flagged,
        _blocks_reached,
        _pantry_closing,
        _no_tariff,
        _budget,
        _daily_limit,
    ],
)
def test_a_renewal_is_held_with_its_reason_and_nothing_is_bought(world, arrange):
    member = world.join()
    arrange(world, member)
    member.save(), world.agreement.save(), world.pantry.save()
    done = renew()
    assert (done.renewed, done.held) == (0, 1)
    assert outcome(member) == ("held", [arrange.__name__[1:]])
    assert member.blocks.count() == 1
    member.refresh_from_db()
    assert member.next_due_on is None
    assert journal.check(DUE) == []


def test_collections_are_looked_for_in_the_last_open_unpaused_weeks_before_the_due_date(world):
    world.agreement.hold_after_weeks_without_collection = 6
    world.agreement.save()
    came, paused, away, voided = [world.join() for _ in range(4)]
    collect(world, came, DUE - 6 * WEEK)
    collect(world, paused, DUE - 8 * WEEK)
    for on, state in ((DUE - 5 * WEEK, "paused"), (DUE - 3 * WEEK, "open")):
        MembershipMove.objects.create(membership=paused, state=state, on=on, recorded_at=moment(on))
    collect(world, away, DUE - 7 * WEEK)
    collect(world, away, DUE)  # the week of the due date itself is not over
    gone = collect(world, voided, DUE - WEEK)
    gone.voided_at, gone.voided_by, gone.void_reason = moment(DUE), world.volunteer, "Recorded by mistake"
    gone.save()
    renew()
    held = ("held", ["no_collection"])
    assert [outcome(m) for m in (came, paused, away, voided)] == [("renewed", []), ("renewed", []), held, held]


def test_a_short_first_block_is_not_held_for_weeks_that_were_not_there(world):
    world.agreement.hold_after_weeks_without_collection, world.agreement.block_weeks = 6, 4
    world.agreement.save()
    member = world.join()
    assert member.next_due_on == FIRST
    renew(FIRST)
    assert outcome(member) == ("renewed", [])


def test_money_is_shared_out_in_order_until_the_limit_is_reached(world):
    members = [world.join() for _ in range(3)]
    Budget.objects.update(limit_pence=3 * 10100 + 2 * 9100)
    world.agreement.daily_limit_pence = 9100
    world.agreement.save()
    renew()
    assert [outcome(m)[1] for m in members] == [[], ["daily_limit"], ["daily_limit"]]
    assert journal.check(DUE) == []


def test_a_block_counts_in_the_budget_of_the_year_in_which_it_is_bought(world):
    world.join(date(2027, 3, 25))
    on = date(2027, 9, 6)
    renew(on)
    assert list(Budget.objects.values_list("year_starts_on", "committed_pence")) == [
        (date(2026, 4, 1), 10100),
        (date(2027, 4, 1), 9100),
    ]


def test_blocks_of_earlier_memberships_count_towards_the_agreements_number(world):
    world.agreement.blocks_per_person = 2
    world.agreement.save()
    before = world.join()
    world.leave(before, date(2026, 6, 10))
    again = world.join(date(2026, 6, 11), previous=before)
    again.refresh_from_db()
    renew(again.next_due_on)
    assert outcome(again) == ("held", ["blocks_reached"])
    world.leave(again, again.next_due_on)
    with pytest.raises(Refused, match="buys 2 for one person"):
        world.join(again.next_due_on + timedelta(days=1), previous=again)


# -- late --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("days", "outcomes"),
    [
        (0, ["renewed"]),
        (1, ["renewed"]),
        (8, ["renewed"]),
        (40, ["renewed"]),
        (180, ["renewed"]),
        (200, ["renewed", "renewed"]),
        (400, ["renewed", "renewed", "held"]),
    ],
)
def test_missed_beats_buy_exactly_the_blocks_due_contiguous_up_to_a_third_at_once(world, days, outcomes):
    member = world.join()
    on = DUE + timedelta(days=days)
    renew(on), renew(on), renew(on + timedelta(days=1))
    decisions = member.renewal_decisions.order_by("block_no")
    assert [d.outcome for d in decisions] == outcomes
    assert [d.due_on for d in decisions] == [DUE + n * HALF_YEAR for n in range(len(outcomes))]
    assert [b.starts_on for b in member.blocks.all()] == [
        FIRST + n * HALF_YEAR for n in range(1 + outcomes.count("renewed"))
    ]
    assert [d.reasons for d in decisions if d.outcome == "held"] == [["third_at_once"]] * outcomes.count("held")
    assert journal.check(on) == []


def test_a_late_block_has_the_price_of_its_own_monday_and_funds_the_collections_taken_meanwhile(world):
    member = world.join()
    factories.tariff(world.pantry, NEXT + WEEK, 450)
    taken = collect(world, member, NEXT + 2 * WEEK)
    renew(NEXT + 10 * WEEK)
    block = member.blocks.get(block_no=2)
    assert (block.weekly_pence, block.starts_on) == (350, NEXT)
    taken.refresh_from_db()
    assert (taken.paid_week.week, taken.paid_week.block) == (taken.week, block)


def test_a_late_renewal_is_judged_as_at_its_due_date(world):
    world.agreement.hold_after_weeks_without_collection = 6
    world.agreement.save()
    then, later = world.join(), world.join()
    collect(world, then, DUE - WEEK)
    collect(world, later, DUE + WEEK)
    renew(DUE + 8 * WEEK)
    assert outcome(then) == ("renewed", [])
    assert outcome(later) == ("held", ["no_collection"])


# -- held, then decided ------------------------------------------------------------------------------------------------


@pytest.fixture
def held(world):
    member = world.join()
    Membership.objects.update(stop_renewal=True)
    renew()
    return member.renewal_decisions.get()


def test_a_manager_renews_what_was_held(world, held):
    on = DUE + timedelta(days=40)
    renewals.decide(decision=held, outcome="renewed", by=world.manager, at=moment(on), note="Talked to the advisor")
    held.refresh_from_db()
    block = held.membership.blocks.get(block_no=2)
    assert (held.outcome, held.block, held.decided_by, held.note) == (
        "renewed",
        block,
        world.manager,
        "Talked to the advisor",
    )
    assert (block.starts_on, block.bought_on, block.price_pence) == (NEXT, on, 9100)
    assert Membership.objects.get().next_due_on == NEXT + HALF_YEAR - timedelta(days=28)
    assert journal.check(on) == []


def test_a_manager_switches_to_self_pay_or_stops(world, held):
    renewals.decide(decision=held, outcome="self_pay", by=world.manager, at=moment(DUE))
    member = Membership.objects.get()
    assert (member.self_pay_from, member.next_due_on, member.state) == (NEXT, None, "open")
    other = world.join()
    Membership.objects.filter(pk=other.pk).update(stop_renewal=True)
    renew()
    decision = other.renewal_decisions.get()
    renewals.decide(decision=decision, outcome="stopped", by=world.manager, at=moment(DUE))
    assert renew(DUE + HALF_YEAR).renewed == 0
    assert PrepaidBlock.objects.count() == 2


def test_the_second_to_decide_is_told_who_decided_what_and_when(world, held):
    world.manager.name = "Sam Example"
    world.manager.save()
    renewals.decide(decision=held, outcome="renewed", by=world.manager, at=moment(date(2026, 9, 8), "10:42"))
    second = factories.user("leaving_care_manager", world.council)
    for choice in ("renewed", "self_pay", "stopped"):
        with pytest.raises(Refused, match=r"^Already renewed by Sam Example on 8 September 2026, 10:42\.$"):
            renewals.decide(decision=held, outcome=choice, by=second, at=moment(date(2026, 9, 9)))
    assert PrepaidBlock.objects.count() == 2


def test_who_may_decide(world, held):
    for user in (world.advisor, world.finance, world.pantry_manager):
        with pytest.raises(Refused, match="Only a leaving care manager"):
            renewals.decide(decision=held, outcome="stopped", by=user, at=moment(DUE))
    with pytest.raises(NotYours):
        other = factories.user("leaving_care_manager")
        renewals.decide(decision=held, outcome="stopped", by=other, at=moment(DUE))


def test_a_manager_cannot_buy_what_the_budget_does_not_hold(world, held):
    Budget.objects.update(limit_pence=10100 + 9099)
    with pytest.raises(Refused, match=r"costs £91\.00 and the year’s budget of .* has £90\.99 left"):
        renewals.decide(decision=held, outcome="renewed", by=world.manager, at=moment(DUE))
    held.refresh_from_db()
    assert held.outcome == "held"


def test_leaving_settles_what_was_held(world, held):
    world.leave(held.membership, DUE)
    held.refresh_from_db()
    assert (held.outcome, held.note) == ("stopped", "The membership ended")


def test_a_block_bought_by_hand_comes_after_the_others_and_moves_the_due_day(world):
    member = world.join()
    block = by_hand.buy(membership=member, weeks=4, by=world.manager, at=moment(date(2026, 5, 1)))
    assert (block.block_no, block.starts_on, block.price_pence) == (2, NEXT, 1400)
    member.refresh_from_db()
    assert member.next_due_on == NEXT + 4 * WEEK - timedelta(days=28) == NEXT
    assert journal.check(date(2026, 5, 1)) == []


# -- the sweep and the command -----------------------------------------------------------------------------------------


def test_a_batch_takes_the_same_queries_for_1_and_3_members_and_the_same_reads_for_50(world):
    counts, reads = [], []
    for size in (1, 3, 50):
        for _ in range(size):
            world.join()
        with CaptureQueriesContext(connection) as captured:
            assert renew().renewed == size
        counts.append(len(captured))
        said = [query["sql"] or "SELECT" for query in captured]  # the text of a prepared one is not told
        reads.append(sum(sql.startswith("SELECT") for sql in said))
    assert counts[:2] == [31, 31]
    assert reads == [18] * 3


def test_members_beyond_one_batch_are_decided_too(world, monkeypatch):
    monkeypatch.setattr(renewals, "BATCH", 2)
    for _ in range(5):
        world.join()
    batches = []
    assert renew(report=lambda decided: batches.append([each.number for each in decided])).renewed == 5
    assert batches == [[1, 2], [3, 4], [5]]


def test_one_event_a_batch_names_every_member(world):
    members = [world.join() for _ in range(3)]
    renew()
    event = AuditEvent.objects.get(verb="pantry.renewal.renewed")
    assert event.job == "test"
    assert set(AuditSubject.objects.filter(event=event).values_list("subject_id", flat=True)) == {m.pk for m in members}


def test_a_member_who_fails_is_named_and_does_not_stop_the_others(world, monkeypatch):
    members = [world.join() for _ in range(3)]
    real = rules.hold_reasons

    def fails(renewal):
        if renewal.funded_until == date(2030, 1, 1):
            raise ZeroDivisionError
        return real(renewal)

    monkeypatch.setattr(rules, "hold_reasons", fails)
    Membership.objects.filter(pk=members[1].pk).update(funded_until=date(2030, 1, 1))
    done = renew()
    assert (done.renewed, done.failed) == (2, [2])
    assert [m.blocks.count() for m in members] == [2, 1, 2]
    with pytest.raises(CommandError, match="1 could not be decided"):
        call_command("renew_blocks", on=DUE, stdout=(out := StringIO()))
    assert out.getvalue().splitlines() == [
        "Member 2: failed; nothing was changed for this member",
        "0 renewed, 0 held, 2 already done",
    ]
    monkeypatch.undo()
    assert renew().renewed == 1
    assert journal.check(DUE) == []


def test_the_command_prints_each_member_and_the_counts_and_repeats_harmlessly(world):
    first, second = world.join(), world.join()
    leaver = world.join()
    world.leave(leaver, date(2026, 6, 7))
    Membership.objects.filter(pk=second.pk).update(stop_renewal=True)
    lines = [
        "Member 1: renewed, block 2 from 5 October 2026, £31.50 and £59.50 from credit",
        "Member 2: held, block 2 from 5 October 2026: Flagged by hand",
    ]
    assert command("--on", "2026-09-06") == ["0 renewed, 0 held, 0 already done"]
    assert command("--on", "2026-09-07", "--dry-run") == [
        *lines,
        "Dry run: nothing was changed",
        "1 renewed, 1 held, 0 already done",
    ]
    assert (first.blocks.count(), RenewalDecision.objects.count()) == (1, 0)
    assert command("--on", "2026-09-07") == [*lines, "1 renewed, 1 held, 0 already done"]
    assert command("--on", "2026-09-08") == ["0 renewed, 0 held, 2 already done"]


def command(*arguments: str) -> list[str]:
    out = StringIO()
    call_command("renew_blocks", *arguments, stdout=out)
    return out.getvalue().splitlines()


def test_the_job_does_what_the_command_does(world, settings):
    from stockport_hubs.core import clock
    from stockport_hubs.jobs import services as jobs

    settings.CLOCK = moment(DUE)
    member = world.join()
    jobs.enqueue("pantry.renew_blocks", key="test")
    jobs.pump()
    assert clock.today() == DUE
    assert member.blocks.count() == 2
