"""The journal: what is posted, what is refused, and that check_journal names every penny that is out of place."""

from datetime import date, timedelta
from io import StringIO
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, IntegrityError, connection, transaction

from pantry.models import Account, Budget, CreditPool, EntryKind, JournalEntry, Membership
from pantry.services import journal, memberships, renewals
from pantry.services.journal import Leg, Posting
from stockport_hubs.audit.models import AuditEvent
from stockport_hubs.core import triggers
from stockport_hubs.core.errors import Refused
from tests.factories import World, moment

pytestmark = pytest.mark.django_db

FIRST, DUE = date(2026, 4, 6), date(2026, 9, 7)


@pytest.fixture
def world():
    """A payment, two members, one of whom has left, and a renewal that spent the credit."""
    w = World(hold_after_weeks_without_collection=0)
    on = date(2026, 4, 1)
    journal.pay_in_advance(agreement=w.agreement, pence=100_000, on=on, invoice="INV-7", by=w.finance, at=moment(on))
    w.join()
    w.leave(w.join(), date(2026, 6, 7))
    renewals.sweep(on=DUE, at=moment(DUE), job="test")
    return w


def test_check_journal_says_what_was_bought(world):
    out = StringIO()
    call_command("check_journal", stdout=out)
    assert out.getvalue() == "journal ok: 5 entries, bought £293.00\n"


def test_check_journal_of_nothing_is_in_order():
    out = StringIO()
    call_command("check_journal", stdout=out)
    assert out.getvalue() == "journal ok: 0 entries, bought £0.00\n"


# One penny, or one row, planted by SQL with the triggers lifted; what must be said.
PURCHASE = "(SELECT id FROM pantry_journalline WHERE account = '{}' AND source_type = '{}' ORDER BY id LIMIT 1)"
PLANTS = {
    "advance line": (f"pantry_journalline SET pence = pence + 1 WHERE id = {PURCHASE.format('advance', 'block')}", 2),
    "weeks line": (f"pantry_journalline SET pence = pence + 1 WHERE id = {PURCHASE.format('weeks', 'block')}", 4),
    "joining line": (f"pantry_journalline SET pence = pence - 1 WHERE id = {PURCHASE.format('joining', 'block')}", 2),
    "pool line": (f"pantry_journalline SET pence = pence + 1 WHERE id = {PURCHASE.format('pool', 'block')}", 3),
    "credit of weeks": (f"pantry_journalline SET pence = pence + 1 WHERE id = {PURCHASE.format('weeks', 'credit')}", 3),
    "credit in the pool": (
        f"pantry_journalline SET pence = pence - 1 WHERE id = {PURCHASE.format('pool', 'credit')}",
        3,
    ),
    "payment": ("pantry_journalline SET pence = pence + 1 WHERE source_type = 'payment' AND account = 'council'", 1),
    "balanced by a second penny": (
        "pantry_journalline SET pence = pence + CASE account WHEN 'weeks' THEN 1 ELSE -1 END WHERE source_id = "
        "(SELECT source_id FROM pantry_journalline WHERE account = 'joining' ORDER BY id LIMIT 1) "
        "AND account IN ('weeks', 'advance')",
        4,
    ),
    "block's weekly price": ("pantry_prepaidblock SET weekly_pence = weekly_pence + 1 WHERE block_no = 2", 4),
    "block's joining fee": (
        "pantry_prepaidblock SET joining_pence = 1001 WHERE joining_pence = 1000 AND ended_on IS NULL",
        3,
    ),
    "block's part from credit": ("pantry_prepaidblock SET from_pool_pence = from_pool_pence - 1 WHERE block_no = 2", 3),
    "paid week": (
        "pantry_paidweek SET pence = 351 WHERE id = (SELECT min(id) FROM pantry_paidweek WHERE state = 'dated')",
        3,
    ),
    "credited week": (
        "pantry_paidweek SET pence = 351 WHERE id = (SELECT min(id) FROM pantry_paidweek WHERE state = 'credited')",
        4,
    ),
    "week credited without credit": (
        "pantry_paidweek SET state = 'credited', credited_on = '2026-06-07' "
        "WHERE id = (SELECT min(id) FROM pantry_paidweek WHERE state = 'dated')",
        3,
    ),
    "pool": ("pantry_creditpool SET balance_pence = balance_pence + 1", 1),
    "budget": ("pantry_budget SET committed_pence = committed_pence - 1", 1),
    "block's member": ("pantry_prepaidblock SET member_number = member_number + 1 WHERE block_no = 2", 1),
    "decision's member": ("pantry_renewaldecision SET member_number = member_number + 1", 1),
    "noted due day": ("pantry_membership SET next_due_on = '2027-03-15' WHERE next_due_on IS NOT NULL", 1),
}


@pytest.mark.parametrize("plant", PLANTS)
def test_a_planted_penny_is_named(world, plant):
    assert journal.check(DUE) == []
    change, sentences = PLANTS[plant]
    triggers.remove()
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {change}")
        assert cursor.rowcount >= 1
    triggers.install()
    found = journal.check(DUE)
    assert len(found) == sentences, found
    out = StringIO()
    with pytest.raises(CommandError) as broken:
        call_command("check_journal", stdout=out)
    assert broken.value.returncode == 1
    assert out.getvalue().splitlines()[0] in found


def test_what_is_named_says_which_member_block_and_penny(world):
    JournalEntry.objects.first()
    triggers.remove()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE pantry_prepaidblock SET joining_pence = 1001 WHERE ended_on IS NULL AND block_no = 1")
        cursor.execute("UPDATE pantry_creditpool SET balance_pence = 1")
    name = world.agreement.name
    assert journal.check(DUE) == [
        "Block 1 of member 1: joining fee £10.01 by the block, £10.00 in the journal.",
        "Block 1 of member 1: part paid in advance £101.01 by the block, £101.00 in the journal.",
        f"{name}: the pool of credit holds £0.01, the journal £0.00.",
        f"{name}, year from 1 April 2026: £233.50 committed, £233.51 bought.",
    ]


def test_a_row_taken_away_is_named(world):
    triggers.remove()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM pantry_journalline WHERE source_type = 'payment'")
        cursor.execute("DELETE FROM pantry_paidweek WHERE position = 26 AND state = 'credited'")
    problems = journal.check(DUE)
    assert "has no lines" in problems[0]
    assert "Block 1 of member 2: 26 weeks were bought and 25 are there." in problems


# -- posting -----------------------------------------------------------------------------------------------------------


def test_an_entry_that_does_not_sum_to_zero_is_not_posted(world):
    legs = [
        Leg(Account.COUNCIL, -100, "payment", uuid4(), "council"),
        Leg(Account.ADVANCE, 99, "payment", uuid4(), "a"),
    ]
    with pytest.raises(ValueError, match="does not sum to zero"):
        journal.post([Posting(EntryKind.PAYMENT, world.agreement.pk, DUE, legs)], at=moment(DUE), job="test")


def test_the_same_leg_of_the_same_source_is_posted_once(world):
    source = uuid4()
    legs = [Leg(Account.COUNCIL, -100, "payment", source, "council"), Leg(Account.ADVANCE, 100, "payment", source, "a")]
    posting = Posting(EntryKind.PAYMENT, world.agreement.pk, DUE, legs)
    journal.post([posting], at=moment(DUE), job="test")
    with pytest.raises(IntegrityError), transaction.atomic():
        journal.post([posting], at=moment(DUE), job="test")


def test_the_database_refuses_to_change_or_delete_what_was_posted(world):
    for statement in ("UPDATE pantry_journalline SET pence = 1", "DELETE FROM pantry_journalentry"):
        with pytest.raises(DatabaseError, match="insert-only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


def test_the_pool_cannot_go_below_zero_nor_the_budget_over_its_limit(world):
    for rows, values in (
        (CreditPool.objects, {"balance_pence": -1}),
        (Budget.objects, {"limit_pence": 100, "committed_pence": 101}),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            rows.update(**values)


# -- payments in advance -----------------------------------------------------------------------------------------------


def test_a_payment_moves_the_councils_money_to_the_agreement(world):
    entry = JournalEntry.objects.get(kind="payment")
    assert dict(entry.lines.values_list("account", "pence")) == {"council": -100_000, "advance": 100_000}
    assert (entry.effective_on, entry.invoice, entry.by) == (date(2026, 4, 1), "INV-7", world.finance)
    event = AuditEvent.objects.get(verb="pantry.payment.recorded")
    assert (event.by, event.target_id) == (world.finance, entry.pk)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"invoice": "INV-7"}, r"Invoice INV-7 is recorded already: £1,000\.00 on 1 April 2026"),
        ({"pence": 0}, "more than £0.00"),
        ({"on": date(2026, 4, 3)}, "Enter a date up to today"),
    ],
)
def test_a_payment_that_cannot_be_is_refused_in_words(world, change, words):
    on = date(2026, 4, 2)
    with pytest.raises(Refused, match=words):
        journal.pay_in_advance(
            **{"agreement": world.agreement, "pence": 500, "on": on, "by": world.finance, "at": moment(on), **change}
        )


# -- refusals of joining and leaving -----------------------------------------------------------------------------------


def test_joining_without_an_agreed_price_is_refused_and_leaves_nothing(world):
    world.pantry.tariffs.update(withdrawn_at=moment(FIRST))
    before = Membership.objects.count()
    with pytest.raises(Refused, match="has no agreed price for the week of 6 April 2026"), transaction.atomic():
        world.join()
    assert Membership.objects.count() == before


def test_joining_beyond_the_budget_is_refused_with_what_is_left(world):
    Budget.objects.update(limit_pence=23_350 + 10_099)
    with pytest.raises(Refused, match=r"costs £101\.00 and the year’s budget of .* has £100\.99 left"):
        world.join()


def test_joining_without_an_agreement_buys_nothing(world):
    member = world.join(agreement=None)
    assert (member.blocks.count(), member.next_due_on, member.state) == (0, None, "open")


def test_someone_who_is_a_member_already_is_funded_without_a_joining_fee(world):
    member = world.join(agreement=None)
    on = date(2026, 5, 1)
    block = memberships.fund(membership=member, agreement=world.agreement, by=world.manager, at=moment(on))
    assert (block.joining_pence, block.price_pence, block.starts_on) == (0, 9100, date(2026, 5, 4))
    with pytest.raises(Refused, match="is paid for already"):
        memberships.fund(membership=member, agreement=world.agreement, by=world.manager, at=moment(on))
    assert journal.check(DUE) == []


def test_funding_that_ends_inside_the_first_block_lets_the_block_run_out(world):
    member = world.join(funded_until=date(2026, 5, 3))
    assert member.blocks.get().weeks == 26
    with pytest.raises(Refused, match="before the week of 6 April 2026 begins"):
        world.join(funded_until=date(2026, 4, 5))


@pytest.mark.parametrize(
    ("on", "at", "words"),
    [
        (date(2026, 9, 8), DUE, "The leaving day has not come yet"),
        (date(2026, 4, 1), DUE, "joined on 2 April 2026"),
        (DUE - timedelta(days=29), DUE, "within the last 28 days"),
    ],
)
def test_leaving_is_refused_in_words(world, on, at, words):
    member = Membership.objects.get(number=1)
    with pytest.raises(Refused, match=words):
        memberships.leave(membership=member, on=on, reason="left", by=world.pantry_manager, at=moment(at))


def test_leaving_twice_is_refused_with_the_day(world):
    with pytest.raises(Refused, match="Member 2 left on 7 June 2026 already"):
        world.leave(Membership.objects.get(number=2), date(2026, 6, 8))


def test_after_a_death_nothing_is_left_to_pay_renew_or_rejoin(world):
    member = Membership.objects.get(number=1)
    assert world.leave(member, DUE, "died") == 3 * 350 + 9100
    member.refresh_from_db()
    assert (member.state, member.next_due_on, member.places.get().to_week) == ("ended", None, date(2026, 9, 13))
    with pytest.raises(Refused, match="cannot join again"):
        world.join(DUE, previous=member)
    assert journal.check(DUE) == []
