"""M7: errors of one penny planted all over a grown scheme, each named by check_journal."""

import io
from datetime import date, timedelta

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from pantry import money
from pantry.models import Budget, JournalEntry, JournalLine
from pantry.services import journal, memberships, proposals, renewals, tariffs
from stockport_hubs.core import triggers
from stockport_hubs.core.weeks import WEEK
from tests import factories, promises
from tests.factories import World, moment

FIRST, DUE = date(2026, 4, 6), date(2026, 9, 7)
AT = moment(DUE)


def agreed(world, kind, **details):
    """Proposed by the one, approved by the other."""
    of_member = kind in ("goodwill", "credit", "back_dated")
    made = proposals.propose(
        kind=kind,
        agreement=world.agreement,
        membership=world.member if of_member else None,
        details=details,
        note="x",
        by=world.manager,
        at=AT,
    )
    return proposals.approve(proposal=made, seen_pence=made.pence, by=world.finance, at=AT)


def every_move() -> World:
    """A scheme in which each kind of entry has been made at least once."""
    world = World(hold_after_weeks_without_collection=0, tops_up_price_rises=True)
    other = factories.pantry(world.operator)
    paid = {"agreement": world.agreement, "by": world.finance}
    journal.pay_in_advance(pence=100_000, on=FIRST, invoice="1", at=moment(FIRST), **paid)
    wrong = journal.pay_in_advance(pence=5000, on=FIRST, invoice="2", at=moment(FIRST), **paid)
    world.member, mover, leaver = world.join(), world.join(), world.join()
    Budget.objects.filter(agreement=world.agreement).update(limit_pence=10_000_000)
    june = date(2026, 6, 10)
    memberships.move(
        membership=mover, pantry=other, from_week=date(2026, 6, 15), by=world.pantry_manager, at=moment(june)
    )
    world.leave(leaver, june)
    rise = {"from_week": date(2026, 8, 3), "weekly_pence": 450, "joining_pence": 1000}
    proposed = tariffs.propose_tariff(pantry=world.pantry, **rise, by=world.pantry_manager, at=moment(june))
    tariffs.agree_tariff(tariff=proposed, by=world.finance, at=moment(june))
    assert renewals.sweep(on=DUE, at=AT, job="test").renewed == 2
    agreed(world, "goodwill", weeks=2)
    agreed(world, "credit", weeks=["2026-06-22"])
    agreed(world, "entry", way="advance_back", pence=2500, on=DUE.isoformat(), invoice="")
    agreed(world, "reversal", entry=str(wrong.pk))
    row = {"row": 2, "reference": "R", "pantry": other.name, "number": 900, "joined_on": "2026-01-05"}
    row |= {"weeks_left": 10, "weekly_pence": 350, "funder": world.council.name}
    agreed(world, "opening", cut_over=DUE.isoformat(), control_pence=3500, rows=[row])
    return world


def one(table: str, change: str, of: str) -> str:
    """The first row of which something holds."""
    first = f"SELECT id FROM {table} WHERE {of} ORDER BY id LIMIT 1"  # noqa: S608 - our own names
    return f"{table} SET {change} WHERE id = ({first})"


def line(account: str, source: str, change: str = "pence + 1") -> str:
    return one("pantry_journalline", f"pence = {change}", f"account = '{account}' AND source_type = '{source}'")


def both(kind: str) -> str:
    """Both legs of an entry of a kind, so that it still sums to zero."""
    entry = f"SELECT id FROM pantry_journalentry WHERE kind = '{kind}' ORDER BY recorded_at LIMIT 1"  # noqa: S608
    return f"pantry_journalline SET pence = pence + CASE WHEN pence > 0 THEN 1 ELSE -1 END WHERE entry_id = ({entry})"


def week(change: str, of: str) -> str:
    return one("pantry_paidweek", change, of)


def block(change: str, of: str) -> str:
    return one("pantry_prepaidblock", change, of)


# What is planted, and words of a sentence that must name it.
PLANTS = {
    "advance of a purchase": (line("advance", "block"), "is out by"),
    "weeks of a purchase": (line("weeks", "block"), "weeks bought"),
    "joining fee of a purchase": (line("joining", "block", "pence - 1"), "joining fee"),
    "credit spent on a purchase": (line("pool", "block"), "part paid from credit"),
    "both legs of a purchase": (both("purchase"), "weeks bought"),
    "weeks of a credit": (line("weeks", "credit"), "credit in the journal"),
    "pool of a credit": (line("pool", "credit"), "credit in the journal"),
    "a payment": (line("council", "payment"), "is out by"),
    "weeks of a transfer": (line("weeks", "move"), "Transfers of block"),
    "weeks of a top-up": (line("weeks", "top_up"), "weeks in the journal"),
    "both legs of a credit": (both("credit"), "credit in the journal"),
    "both legs by hand": (both("by_hand"), "agreed, "),
    "both legs of a reversal": (both("reversal"), "reverses £50.00 with"),
    "an opening": (line("opening", "block"), "cut over by the block"),
    "a block's week": (block("weekly_pence = weekly_pence + 1", "source = 'funded'"), "weeks bought"),
    "an opening block's week": (block("weekly_pence = weekly_pence + 1", "source = 'opening'"), "cut over by"),
    "a block's joining fee": (
        block("joining_pence = joining_pence + 1", "joining_pence > 0 AND source = 'funded'"),
        "joining fee",
    ),
    "a block's part from credit": (
        block("from_pool_pence = from_pool_pence - 1", "from_pool_pence > 0"),
        "from credit",
    ),
    "a dated week": (week("pence = pence + 1", "state = 'dated'"), "its paid weeks hold"),
    "a credited week": (week("pence = pence + 1", "state = 'credited'"), "credited weeks"),
    "a week credited for nothing": (
        week("state = 'credited', credited_on = '2026-06-07'", "state = 'dated' AND pence > 0"),
        "credited weeks",
    ),
    "a week at another pantry": (
        week(
            "pantry_id = (SELECT id FROM pantry_pantry p WHERE p.id <> pantry_paidweek.pantry_id ORDER BY id LIMIT 1)",
            "state = 'dated' AND pence > 0",
        ),
        "in the journal",
    ),
    "a pool": ("pantry_creditpool SET balance_pence = balance_pence + 1", "the pool of credit holds"),
    "a budget": ("pantry_budget SET committed_pence = committed_pence + 1", "committed,"),
    "a top-up": ("pantry_topup SET pence = pence + 1", "raised weeks"),
    "an earlier price": ("pantry_earlierprice SET pence = pence - 1", "raised weeks"),
    "an answer": (
        "pantry_proposal SET state = 'waiting', answered_by_id = NULL, answered_at = NULL",
        "two people have not agreed it",
    ),
    "a due day": (
        "pantry_membership SET next_due_on = '2027-03-16' WHERE next_due_on IS NOT NULL",
        "the next renewal is noted for",
    ),
}


# Of these alone `make test` asks; the others stand in test_journal.py too.
SMALL = (
    "both legs by hand",
    "both legs of a reversal",
    "an opening",
    "a week at another pantry",
    "a top-up",
    "an answer",
)


def named(plant: str) -> list[str]:
    """What check_journal says once it is planted; then it is gone."""
    change, words = PLANTS[plant]
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(f"UPDATE {change}")
            assert cursor.rowcount >= 1, plant
        found = [problem for problem in journal.check(DUE) if words in problem]
        transaction.set_rollback(True)
    return found


@pytest.mark.promise("M7")
@pytest.mark.django_db
def test_every_planted_penny_is_named_in_a_scheme_of_24_months(request, figures, settings):
    """In `make proof` among 24 months of the sample pilot."""
    if promises.full(request.config):
        settings.CLOCK, settings.SAMPLE_PILOT = AT, True
        start = DUE - 104 * WEEK
        call_command("load_sample_pilot", weeks=104, start=start, stdout=io.StringIO(), stderr=io.StringIO())
    every_move()
    assert set(JournalEntry.objects.values_list("kind", flat=True)) >= {
        *("payment", "purchase", "top_up", "credit", "transfer", "reversal", "opening", "by_hand")
    }
    assert journal.check(DUE) == [], "the control"
    triggers.remove()
    plants = PLANTS if promises.full(request.config) else SMALL
    missed = [plant for plant in plants if not named(plant)]
    triggers.install()
    assert missed == [] and len(PLANTS) >= 20
    assert journal.check(DUE) == []
    entries = JournalEntry.objects.count()
    figures(f"{len(plants)} planted errors of a penny each named, among {entries:,} entries; £0.00 apart without them")


@pytest.mark.django_db
def test_what_was_entered_by_hand_reads_the_same_everywhere():
    """£1,000.00 and £50.00 paid, £50.00 reversed, £25.00 paid back: £975.00."""
    world = every_move()
    advance = JournalLine.objects.filter(
        account="advance",
        entry__agreement=world.agreement,
        entry__kind__in=["payment", "reversal", "by_hand"],
    )
    found = money.position(world.agreement, DUE)
    assert found.paid_in_advance_pence == sum(advance.values_list("pence", flat=True)) == 97_500
    assert found.left_pence == found.paid_in_advance_pence - found.drawn_pence
    parts = found.collected_pence + found.missed_pence + found.closed_pence + found.to_come_pence + found.credited_pence
    assert found.bought_pence == parts
    yesterday = money.position(world.agreement, DUE - timedelta(days=1))
    assert yesterday.paid_in_advance_pence == 105_000
