"""Monthly statements: every amount is worked by hand, in pence.

Two members join on Thu 2 April 2026: 2 × (£10.00 + 26 × £3.50). Four Mondays of their block lie in April, four in May.
"""

import csv
import io
import re
from datetime import date
from uuid import uuid4

import pytest
import time_machine
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from pantry import money, statement_files, statements
from pantry.models import (
    AMOUNTS,
    Account,
    JournalLine,
    MarkKind,
    PaidWeek,
    Statement,
    StatementClosing,
    StatementLine,
    StatementStep,
)
from pantry.sealed import STATEMENTS
from pantry.services import (
    blocks,
    collections,
    corrections,
    journal,
    paid_weeks,
    places,
    proof_statements,
    sessions,
    statement_lines,
    tariffs,
)
from pantry.services import memberships as member_services
from pantry.services import statements as services
from reviews.services import agenda, meetings
from stockport_hubs import pdf
from stockport_hubs.accounts.models import Role
from stockport_hubs.audit import seals
from stockport_hubs.core.errors import Refused
from stockport_hubs.home import council
from tests import factories
from tests.factories import moment
from tests.test_seals import superuser

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]
APRIL, MAY = date(2026, 4, 1), date(2026, 5, 1)
PAID = 20_200


class World(factories.World):
    """Members A and B under one agreement at one pantry; A collects on 8, 15 and 22 April, B never."""

    def __init__(self):
        super().__init__()
        journal.pay_in_advance(
            agreement=self.agreement, pence=PAID, on=date(2026, 4, 2), purchase_order="PO-7", invoice="INV-1",
            cost_code="CC-10", by=self.finance, at=moment(date(2026, 4, 2)),
        )  # fmt: skip
        self.a, self.b = self.join(), self.join()
        for day in (8, 15, 22):
            self.collect(self.a, date(2026, 4, day))

    def make(self, on: date) -> list[Statement]:
        services.make(on=on, at=moment(on))
        return list(Statement.objects.order_by("month"))

    def agree(self, statement: Statement, by, on: date) -> bool:
        return services.agree(statement=statement, by=by, at=moment(on))

    def close(self, statement: Statement, on: date) -> Statement:
        self.agree(statement, self.pantry_manager, on)
        assert self.agree(statement, self.finance, on)
        return statement

    def mark(self, statement: Statement, member, kind: str, words: str = "", by=None, on=date(2026, 5, 4)):
        by = by or (self.finance if kind == MarkKind.ANSWERED else self.pantry_manager)
        line = member.pk if member else statement.pk
        return statement_lines.mark(statement=statement, line=line, kind=kind, words=words, by=by, at=moment(on))

    def collect_late(self, member, on: date, entered: date):
        [session, *_] = sessions.for_day(pantry=self.pantry, on=on)
        return collections.record(
            session=session, membership=member, key=uuid4(), quantities=None, fruit_and_veg=True,
            by=self.pantry_manager, collected_at=moment(on, "10:30"), at=moment(entered),
        )  # fmt: skip

    def enter_late(self) -> None:
        """On 12 May, a collection of A on 29 April; on 14 May, that B left on 20 April; in May A came twice."""
        for day in (6, 13):
            self.collect(self.a, date(2026, 5, day))
        self.collect_late(self.a, date(2026, 4, 29), date(2026, 5, 12))
        member_services.leave(
            membership=self.b, on=date(2026, 4, 20), reason="left", by=self.pantry_manager, at=moment(date(2026, 5, 14))
        )


@pytest.fixture
def world():
    return World()


def said(line: statements.Line) -> dict[str, int]:
    """The amounts of a line that are not nothing, and what is to come."""
    return {name: value for name, value in line.amounts.items() if value} | {"to_come_pence": line.to_come_pence}


def by_member(world, found: list[statements.Line]) -> dict:
    names = {world.a.pk: "a", world.b.pk: "b", None: "nobody"}
    return {(names[line.membership], line.is_prior): said(line) for line in found}


# B: three weeks are over and missed, the week of 27 April is not over. 26 × 350 - 4 × 350 = 7700.
APRIL_B = {
    "bought_pence": 9100, "joining_pence": 1000, "used_pence": 1400, "missed_pence": 1050, "to_come_pence": 7700,
    "bought_weeks": 26, "used_weeks": 4, "missed_weeks": 3, "to_come_weeks": 22,
}  # fmt: skip
APRIL_A = {
    "bought_pence": 9100, "joining_pence": 1000, "used_pence": 1400, "collected_pence": 1050, "to_come_pence": 7700,
    "bought_weeks": 26, "used_weeks": 4, "collected_weeks": 3, "to_come_weeks": 22,
}  # fmt: skip


def test_a_month_is_the_journal_and_the_weeks_whose_monday_has_come(world):
    [april] = world.make(date(2026, 5, 1))
    world.join(date(2026, 5, 5))  # has no line in April
    shown = statements.show(april)
    assert list(shown.keys()) == [world.a, world.b]
    assert by_member(world, shown.lines()) == {("a", False): APRIL_A, ("b", False): APRIL_B}
    assert said(shown.month) == {name: APRIL_A.get(name, 0) + APRIL_B.get(name, 0) for name in {**APRIL_A, **APRIL_B}}
    assert (shown.prior.is_empty, shown.of_nobody(), shown.apart) == (True, [], 0)
    assert (shown.total.charged_pence, shown.pool.spent_pence, shown.drawn_pence) == (20_200, 0, 20_200)
    assert shown.total.to_come_pence == money.position(world.agreement, date(2026, 4, 30)).recoverable_pence == 15_400


def test_statements_are_made_once_for_each_month_that_is_over(world):
    assert world.make(date(2026, 4, 30)) == []
    [april] = world.make(date(2026, 5, 1))
    assert [each.month for each in world.make(date(2026, 7, 31))] == [APRIL, MAY, date(2026, 6, 1)]
    assert Statement.objects.get(month=APRIL) == april
    with CaptureQueriesContext(connection) as asked:
        services.make(on=date(2026, 7, 31), at=moment(date(2026, 7, 31)))
    assert len([each for each in asked if each["sql"].startswith("SELECT")]) == 1


def close_april(world) -> Statement:
    [april] = world.make(date(2026, 5, 4))
    return world.close(april, date(2026, 5, 4))


MAY_A = {
    "opening_pence": 7700, "used_pence": 1400, "collected_pence": 700, "missed_pence": 350, "to_come_pence": 6300,
    "used_weeks": 4, "collected_weeks": 2, "missed_weeks": 1, "to_come_weeks": 18,
}  # fmt: skip
LATE_A = {"collected_pence": 350, "collected_weeks": 1, "to_come_pence": 0}
# 23 weeks begin after Mon 20 April: 8050 credited; of them the week of 27 April was used in the agreed statement.
LATE_B = {"credited_pence": -8050, "used_pence": -350, "used_weeks": -1, "to_come_pence": -7700}


def test_what_is_entered_late_for_a_closed_month_stands_in_the_next_one(world):
    april = close_april(world)
    world.enter_late()
    frozen = statements.show(april)
    assert by_member(world, frozen.lines()) == {("a", False): APRIL_A, ("b", False): APRIL_B}
    may = world.make(date(2026, 6, 1))[-1]
    shown = statements.show(may)
    assert by_member(world, shown.lines()) == {
        ("a", False): MAY_A,
        ("a", True): LATE_A,
        ("b", False): {"opening_pence": 7700, "to_come_pence": 7700},
        ("b", True): LATE_B,
    }
    assert (
        (shown.month.opening_pence, shown.total.to_come_pence) == (frozen.total.to_come_pence, 6300) == (15_400, 6300)
    )
    pool = shown.pool
    assert (pool.opening_pence, pool.given_pence, pool.spent_pence, pool.elsewhere_pence, pool.closing_pence) == (
        0, 8050, 0, 0, 8050,
    )  # fmt: skip
    assert frozen.pool.closing_pence == 0


def test_an_agreed_statement_and_what_was_entered_since_are_the_figures_of_the_pack(world):
    april = close_april(world)
    world.enter_late()
    since = statements.since(april)
    keys = list(statements.members_since(since).values_list("pk", flat=True))
    late = [line for line in statements.lines(since, keys) if line.is_prior]
    assert by_member(world, late) == {("a", True): LATE_A, ("b", True): LATE_B}
    now = statements.show(april).total
    for line in late:
        now.add(line)
    [pack] = money.by_pantry(world.agreement, date(2026, 4, 30))
    assert {
        "collected": now.collected_pence, "missed": now.missed_pence, "closed": now.closed_pence,
        "credited": -now.credited_pence, "joining": now.joining_pence, "to come": now.to_come_pence,
        "bought": now.bought_pence,
    } == {
        "collected": pack.collected_pence, "missed": pack.missed_pence, "closed": pack.closed_pence,
        "credited": pack.credited_pence, "joining": pack.joining_pence, "to come": pack.recoverable_pence,
        "bought": pack.bought_pence,
    } == {
        "collected": 1400, "missed": 1050, "closed": 0, "credited": 8050, "joining": 2000, "to come": 7700,
        "bought": 18_200,
    }  # fmt: skip


def test_a_closure_back_dated_into_an_agreed_month_is_a_prior_line_and_moves_no_week_that_has_begun(world):
    april = close_april(world)
    before = list(PaidWeek.objects.filter(week__lte=date(2026, 5, 20)).order_by("pk").values_list("pk", "week"))
    places.announce_closure(
        pantry=world.pantry, from_on=date(2026, 4, 13), until_on=date(2026, 4, 19), reason="Flood",
        by=world.pantry_manager, at=moment(date(2026, 5, 8)),
    )  # fmt: skip
    assert list(PaidWeek.objects.filter(pk__in=dict(before)).order_by("pk").values_list("pk", "week")) == before
    may = world.make(date(2026, 6, 1))[-1]
    prior = by_member(world, statements.show(may).lines())["b", True]
    moved = {"missed_pence": -350, "missed_weeks": -1, "closed_pence": 350, "closed_weeks": 1, "to_come_pence": 0}
    assert prior == moved
    assert ("a", True) not in by_member(world, statements.show(may).lines())  # A came in that week
    assert statements.show(april).total.missed_pence == 1050


def test_a_top_up_a_move_and_goodwill_stand_in_their_months():
    """18 weeks from 1 June are raised by 100 on 3 April: 1800. They move on 13 May: 18 × 450 = 8100."""
    world = factories.World(tops_up_price_rises=True)
    member, other = world.join(), factories.pantry(world.operator)
    rise = {"from_week": date(2026, 6, 1), "weekly_pence": 450, "joining_pence": 1000}
    at = moment(date(2026, 4, 3))
    proposed = tariffs.propose_tariff(pantry=world.pantry, **rise, by=world.pantry_manager, at=at)
    tariffs.agree_tariff(tariff=proposed, by=world.finance, at=at)
    services.make(on=date(2026, 5, 1), at=moment(date(2026, 5, 1)))
    april = Statement.objects.get()
    shown = statements.show(april)
    [line] = shown.lines()
    assert (line.bought_pence, line.topped_up_pence, line.used_pence, line.to_come_pence) == (9100, 1800, 1400, 9500)
    assert (shown.month.topped_up_pence, shown.drawn_pence, shown.of_nobody()) == (1800, 11_900, [])
    for by in (world.pantry_manager, world.finance):
        services.agree(statement=april, by=by, at=moment(date(2026, 5, 4)))
    member_services.move(
        membership=member, pantry=other, from_week=date(2026, 6, 1), by=world.pantry_manager,
        at=moment(date(2026, 5, 13)),
    )  # fmt: skip
    gift = blocks.Purchase(
        membership_id=member.pk, member_number=member.number, block_no=2, agreement_id=world.agreement.pk,
        pantry_id=other.pk, weeks=[date(2026, 10, 5), date(2026, 10, 12)], weekly_pence=0, source="goodwill",
    )  # fmt: skip
    blocks.write([gift], on=date(2026, 5, 20), at=moment(date(2026, 5, 20)), by=world.manager)
    paid_weeks.set_due([member.pk])
    services.make(on=date(2026, 6, 1), at=moment(date(2026, 6, 1)))
    here, there = (statements.show(Statement.objects.get(month=MAY, pantry=each)) for each in (world.pantry, other))
    assert [said(each) for each in here.lines()] == [
        {"opening_pence": 9500, "transferred_pence": -8100, "used_pence": 1400, "missed_pence": 1400,
         "used_weeks": 4, "missed_weeks": 4, "to_come_pence": 0}
    ]  # fmt: skip
    assert [said(each) for each in there.lines()] == [
        {"transferred_pence": 8100, "goodwill_weeks": 2, "to_come_weeks": 20, "to_come_pence": 8100}
    ]
    assert (statements.show(april).total.to_come_pence, here.apart, there.pool.elsewhere_pence) == (9500, 0, 0)
    assert money.position(world.agreement, date(2026, 5, 31)).recoverable_pence == 8100
    assert journal.check(date(2026, 6, 1)) == []


def test_a_queried_week_credited_by_hand_stands_in_the_month_it_is_credited_in(world):
    """B's week of 20 April is credited on 12 May: seven weeks stay used, four of them agreed in April."""
    april = close_april(world)
    at = moment(date(2026, 5, 12))
    corrections.credit_weeks(membership=world.b, weeks=[date(2026, 4, 20)], by=world.finance, at=at)
    may = world.make(date(2026, 6, 1))[-1]
    shown = statements.show(may)
    assert by_member(world, shown.lines())["b", False] == {
        "opening_pence": 7700, "credited_pence": -350, "used_pence": 1050, "missed_pence": 1050, "used_weeks": 3,
        "missed_weeks": 3, "to_come_pence": 6300, "to_come_weeks": 18,
    }  # fmt: skip
    assert (shown.prior.is_empty, shown.pool.closing_pence, statements.show(april).total.used_pence) == (
        True,
        350,
        2800,
    )


def test_what_was_cut_over_is_brought_in_and_charged_to_nobody(world):
    brought = blocks.Purchase(
        membership_id=world.a.pk, member_number=world.a.number, block_no=2, agreement_id=world.agreement.pk,
        pantry_id=world.pantry.pk, weeks=[date(2026, 10, 5), date(2026, 10, 12)], weekly_pence=300, source="opening",
    )  # fmt: skip
    blocks.write([brought], on=date(2026, 4, 6), at=moment(date(2026, 4, 6)), by=world.finance)
    [april] = world.make(date(2026, 5, 1))
    shown = statements.show(april)
    assert by_member(world, shown.lines())["a", False] == APRIL_A | {
        "brought_pence": 600, "bought_weeks": 28, "to_come_pence": 8300, "to_come_weeks": 24,
    }  # fmt: skip
    assert (shown.total.charged_pence, shown.drawn_pence, shown.apart) == (20_200, 20_200, 0)


# -- marks, agreeing, closing ------------------------------------------------------------------------------------------


def test_a_query_keeps_both_from_agreeing_until_it_is_answered(world):
    [april] = world.make(date(2026, 5, 4))
    world.mark(april, world.a, MarkKind.AGREED)
    world.mark(april, world.b, MarkKind.QUERIED, "The week of 20 April was not missed.")
    assert Statement.objects.with_state().get().state == "queried"
    for by in (world.pantry_manager, world.finance):
        with pytest.raises(Refused, match="1 line is queried and not answered"):
            world.agree(april, by, date(2026, 5, 4))
    world.mark(april, world.b, MarkKind.ANSWERED, "Put it right with the collection; it counts in May.")
    assert Statement.objects.with_state().get().state == "open"
    assert world.agree(april, world.pantry_manager, date(2026, 5, 4)) is False
    assert Statement.objects.with_state().get().state == "operator"
    assert world.agree(april, world.finance, date(2026, 5, 5)) is True
    assert Statement.objects.with_state().get().state == "closed"
    closing = StatementClosing.objects.get()
    assert (closing.lines, closing.bought_pence, closing.by) == (2, 18_200, world.finance)


@pytest.mark.parametrize(
    ("steps", "why"),
    [
        ([("finance", "queried", "x")], "The pantries agree or query"),
        ([("pantry_manager", "answered", "x")], "finance officer answers a query"),
        ([("finance", "answered", "x")], "there is nothing to answer"),
        ([("pantry_manager", "agreed", ""), ("pantry_manager", "agreed", "")], "This line is agreed already"),
        ([("pantry_manager", "taken_back", "")], "no mark of yours"),
        ([("pantry_manager", "queried", " ")], "Say in a sentence"),
        ([("pantry_manager", "queried", "Ask Robin again")], "no names of people"),
        ([("pantry_manager", "queried", "Is a care leaver")], "no names of people"),
        ([("manager", "agreed", "")], "The pantries agree or query"),
    ],
)
def test_marks_that_are_refused(world, steps, why):
    world.a.preferred_name = "Robin"
    world.a.save()
    [april] = world.make(date(2026, 5, 4))
    *before, (who, kind, words) = steps
    for each, its_kind, its_words in before:
        world.mark(april, world.a, its_kind, its_words, by=getattr(world, each))
    with pytest.raises(Refused, match=why):
        world.mark(april, world.a, kind, words, by=getattr(world, who))


def test_a_mark_and_an_agreement_are_taken_back_while_the_statement_is_open(world):
    [april] = world.make(date(2026, 5, 4))
    world.mark(april, world.a, MarkKind.QUERIED, "Twice?")
    world.mark(april, world.a, MarkKind.TAKEN_BACK)
    world.agree(april, world.pantry_manager, date(2026, 5, 4))
    with pytest.raises(Refused, match="Take that back first"):
        world.mark(april, world.a, MarkKind.AGREED)
    services.take_back(statement=april, by=world.pantry_manager, at=moment(date(2026, 5, 4)))
    world.mark(april, world.a, MarkKind.AGREED)
    world.close(april, date(2026, 5, 5))
    for refused in (
        lambda: world.mark(april, world.a, MarkKind.TAKEN_BACK),
        lambda: services.take_back(statement=april, by=world.finance, at=moment(date(2026, 5, 5))),
        lambda: world.agree(april, world.finance, date(2026, 5, 5)),
    ):
        with pytest.raises(Refused, match="closed"):
            refused()


def test_months_are_agreed_in_their_order(world):
    april, may = world.make(date(2026, 6, 1))
    with pytest.raises(Refused, match="Agree April 2026 first"):
        world.agree(may, world.finance, date(2026, 6, 1))
    world.agree(april, world.finance, date(2026, 6, 1))
    world.agree(may, world.finance, date(2026, 6, 1))
    world.agree(april, world.pantry_manager, date(2026, 6, 1))
    assert world.agree(may, world.pantry_manager, date(2026, 6, 1)) is True


def test_what_is_entered_between_the_two_answers_makes_the_first_lapse(world):
    [april] = world.make(date(2026, 5, 4))
    world.agree(april, world.pantry_manager, date(2026, 5, 4))
    world.collect_late(world.b, date(2026, 4, 8), date(2026, 5, 5))
    shown = services.digest(statements.show(april))
    with pytest.raises(Refused, match="Something was entered since you opened this page"):
        services.agree(statement=april, by=world.finance, at=moment(date(2026, 5, 5)), seen="what was there before")
    assert services.agree(statement=april, by=world.finance, at=moment(date(2026, 5, 5)), seen=shown) is False
    assert Statement.objects.with_state().get().state == "council"
    assert list(StatementStep.objects.values_list("side", "kind")) == [
        ("operator", "agreed"), ("council", "agreed"), ("operator", "lapsed"),
    ]  # fmt: skip
    assert world.agree(april, world.pantry_manager, date(2026, 5, 6)) is True
    assert by_member(world, statements.show(april).lines())["b", False]["missed_pence"] == 700


def test_the_payment_of_a_closed_statement_is_one_of_the_journal(world):
    [april] = world.make(date(2026, 5, 4))
    [payment] = services.payments(april)
    given = {"statement": april, "by": world.finance, "at": moment(date(2026, 5, 6))}
    with pytest.raises(Refused, match="once both sides have agreed"):
        services.pay(payment=payment, **given)
    world.close(april, date(2026, 5, 4))
    services.pay(payment=payment, **given)
    assert (payment.pence, services.payment_of(april).payment.invoice) == (PAID, "INV-1")
    assert Statement.objects.with_state().get().state == "paid"
    with pytest.raises(Refused, match="recorded already"):
        services.pay(payment=payment, **given)
    services.take_back_payment(**given)
    assert Statement.objects.with_state().get().state == "closed"


def test_a_closed_month_in_which_nothing_was_charged_waits_for_no_payment(world):
    [april] = world.make(date(2026, 5, 4))
    world.close(april, date(2026, 5, 4))
    may = world.make(date(2026, 6, 1))[-1]
    world.close(may, date(2026, 6, 1))
    assert [statements.show(each).total.charged_pence for each in (april, may)] == [20200, 0]
    states = Statement.objects.with_state().order_by("month").values_list("state", flat=True)
    assert list(states) == ["closed", "nothing"]
    assert (
        council.statements_waiting(world.finance)[0][0] == "1 monthly statement is closed without a payment recorded."
    )
    assert council.statements_waiting(factories.user(Role.FINANCE_OFFICER)) == []


def test_a_query_is_on_the_agenda_of_the_next_meeting_until_it_is_answered(world):
    [april] = world.make(date(2026, 5, 4))
    made = world.mark(april, world.b, MarkKind.QUERIED, "The week of 20 April was not missed.")
    starts = moment(date(2026, 5, 11), "14:00")
    meeting = meetings.plan(
        agreement=world.agreement, starts_at=starts, where="Room 1", period_from=APRIL, period_to=date(2026, 4, 30),
        by=world.manager, at=moment(date(2026, 5, 4)),
    )  # fmt: skip
    agenda.fill(meeting=meeting, by=world.manager, at=starts)
    item = meeting.agenda.get(kind="query")
    assert (item.source, item.membership, item.title, item.note) == (
        made.pk,
        world.b,
        f"{world.pantry}, April 2026: member {world.b.number} is queried",
        f"The week of 20 April was not missed. {world.finance.name} of {world.council.name} answers.",
    )
    world.mark(april, world.b, MarkKind.ANSWERED, "Put it right with the collection.")
    agenda.fill(meeting=meeting, by=world.manager, at=starts)
    assert not meeting.agenda.filter(kind="query").exists()


# -- screen = CSV = PDF = journal --------------------------------------------------------------------------------------


@pytest.fixture
def printed(monkeypatch):
    """The documents that would be printed, as HTML."""
    made: list[str] = []
    monkeypatch.setattr(pdf, "from_html", lambda html, **limits: made.append(html) or b"%PDF-1.7")
    return made


def pounds_in(text: str) -> list[str]:
    return re.findall(r"-?£[\d,]+\.\d\d", text)


def row_of(page: str, head: str) -> list[str]:
    """The amounts of the first table row under a heading, without the notes in small print."""
    [row] = re.findall(rf"<tr[^>]*>\s*<th[^>]*>\s*{head}(?:<span[^>]*>[^<]*</span>)?\s*</th>(.*?)</tr>", page, re.S)[:1]
    return pounds_in(re.sub(r'<span class="hubs-row__note">.*?</span>', "", row))


def as_pounds(*pence: int) -> list[str]:
    return [f"{'-' if each < 0 else ''}£{abs(each) // 100:,}.{abs(each) % 100:02d}" for each in pence]


def test_page_csv_pdf_and_journal_agree_to_the_penny(world, printed, client):
    close_april(world)
    world.enter_late()
    may = world.make(date(2026, 6, 1))[-1]
    client.force_login(world.finance)
    with time_machine.travel(moment(date(2026, 6, 1)), tick=False):
        page = client.get(reverse("pantry:statement", args=[may.pk])).content.decode()
        file = client.get(reverse("pantry:statement_csv", args=[may.pk])).content.decode("utf-8-sig")
        assert client.get(reverse("pantry:statement_pdf", args=[may.pk])).status_code == 200
    # start, bought, other, credited, used, to come, joining fee
    together, of_a = (15_400, 0, 0, -8050, 1050, 6300, 0), (7700, 0, 0, 0, 1400, 6300, 0)
    for document in (page, printed[0]):
        assert row_of(document, "Together") == as_pounds(*together)
        assert row_of(document, str(world.a.number)) == as_pounds(*of_a)
    rows = list(csv.reader(io.StringIO(file)))
    heads = next(row for row in rows if row and row[0] == "Member")
    lines = [dict(zip(heads, row, strict=False)) for row in rows if row and row[0].isdecimal()]
    columns = ("At the start", "Bought", "Credited", "Used", "To come at the end", "Joining fees")
    sums = [sum(round(float(line[name]) * 100) for line in lines) for name in columns]
    assert sums == [15_400, 0, -8050, 1050, 6300, 0]
    late = JournalLine.objects.filter(account=Account.WEEKS, entry__effective_on__lt=date(2026, 6, 1))
    assert 18_200 + sum(-8050 for _ in range(1)) == sum(late.values_list("pence", flat=True))


def test_the_csv_of_a_closed_month_tells_what_was_entered_since_and_runs_nothing(world, client):
    world.pantry.name = "=HYPERLINK(1)"
    world.pantry.save()
    april = close_april(world)
    world.enter_late()
    client.force_login(world.pantry_manager)
    file = client.get(reverse("pantry:statement_csv", args=[april.pk])).content.decode("utf-8-sig")
    rows = list(csv.reader(io.StringIO(file)))
    since = rows[[row[0] if row else "" for row in rows].index("Entered since it was closed") + 2 :]
    assert [row[0] for row in since] == [str(world.a.number), str(world.b.number)]
    assert rows[0][1] == "'=HYPERLINK(1)"


def test_a_later_month_leads_to_the_one_to_agree_first_and_nothing_late_is_printed_of_none(world, client, printed):
    april, may = world.make(date(2026, 6, 1))
    for who, first in ((world.finance, april), (world.pantry_manager, april), (world.manager, None)):
        client.force_login(who)
        page = client.get(reverse("pantry:statement", args=[may.pk])).content.decode()
        assert (reverse("pantry:statement", args=[april.pk]) in page) == bool(first)
        assert "Agree this statement" not in page
    world.agree(april, world.finance, date(2026, 6, 1))
    client.force_login(world.finance)  # her side has agreed April, so she may go on
    assert "Agree this statement" in client.get(reverse("pantry:statement", args=[may.pk])).content.decode()
    client.get(reverse("pantry:statement_pdf", args=[april.pk]))
    assert "Entered late" not in printed[0] and row_of(printed[0], "April 2026")[1] == "£182.00"


@pytest.mark.prints
def test_the_pdf_is_printed(world):
    [april] = world.make(date(2026, 5, 1))
    shown = statements.show(april)
    made = statement_files.statement_pdf(shown, shown.lines(), [], printed_at=moment(date(2026, 5, 1)))
    assert made.startswith(b"%PDF-1.7")


def test_the_number_of_queries_does_not_depend_on_the_number_of_members(world, client):
    close_april(world)
    world.enter_late()
    client.force_login(world.finance)

    def asked(name: str) -> int:
        statement = Statement.objects.order_by("-month").first()
        with CaptureQueriesContext(connection) as queries:
            answer = client.get(reverse(f"pantry:{name}", args=[statement.pk] if name != "statements" else []))
        assert answer.status_code == 200
        return len(queries)

    world.make(date(2026, 6, 1))
    with time_machine.travel(moment(date(2026, 6, 1)), tick=False):
        names = ("statements", "statement", "statement_csv")
        few = [asked(name) for name in names]
        for _ in range(7):
            world.join()
        assert [asked(name) for name in names] == few


def test_a_page_of_lines_has_the_lines_of_its_members_alone(world, client, monkeypatch):
    monkeypatch.setattr("pantry.views.statements.LINES", 1)
    [april] = world.make(date(2026, 5, 1))
    client.force_login(world.finance)
    with time_machine.travel(moment(date(2026, 5, 1)), tick=False):
        address = reverse("pantry:statement", args=[april.pk])
        first, second = (client.get(f"{address}?page={n}").content.decode() for n in (1, 2))
        sought = client.get(f"{address}?q={world.b.number}").content.decode()
    for page, here, there in ((first, world.a, world.b), (second, world.b, world.a), (sought, world.b, world.a)):
        assert f'scope="row">{here.number}' in page
        assert f'scope="row">{there.number}' not in page


# -- planted faults ----------------------------------------------------------------------------------------------------


def checked(capsys) -> list[str]:
    with pytest.raises(CommandError):
        call_command("check_journal")
    return [text.partition(" after it was sealed")[0] for text in capsys.readouterr().out.splitlines()]


def statement_problems() -> list[str]:
    """The part of check_journal that is about statements."""
    return [*proof_statements.problems(), *seals.check(STATEMENTS.name, now=timezone.now()).breaks]


def test_one_changed_in_an_agreed_line_by_a_superuser_is_named_whatever_it_is(world):
    close_april(world)
    seals.seal(at=timezone.now())
    line, name = StatementLine.objects.get(membership=world.b), f"Statement of April 2026 for {world.pantry} under"
    assert journal.check(date(2026, 5, 5)) == []
    with superuser() as run:
        for amount in AMOUNTS:
            run(f"UPDATE pantry_statementline SET {amount} = {amount} + 1 WHERE id = %s", line.pk)  # noqa: S608
            found = [text.partition(" after it was sealed")[0] for text in statement_problems()]
            assert any(text.startswith(f"{name} {world.agreement}: {amount.replace('_', ' ')} ") for text in found)
            assert f"Statement line {line.pk} was altered" in found
            run(f"UPDATE pantry_statementline SET {amount} = {amount} - 1 WHERE id = %s", line.pk)  # noqa: S608
    assert journal.check(date(2026, 5, 5)) == []


def test_a_penny_changed_in_the_journal_of_an_agreed_month_is_named_with_its_member(world, capsys, client):
    april = close_april(world)
    assert journal.check(date(2026, 5, 5)) == []
    block = world.b.blocks.get()
    with superuser() as run:
        run(
            "UPDATE pantry_journalline SET pence = pence + 1 WHERE account = 'weeks' AND source_id = %s",
            block.pk.hex if connection.vendor == "sqlite" else str(block.pk),
        )
    name = f"Statement of April 2026 for {world.pantry} under {world.agreement}"
    assert f"{name}, member {world.b.number}: weeks £91.00 agreed, £91.01 in the journal." in checked(capsys)
    client.force_login(world.finance)
    page = client.get(reverse("pantry:statement", args=[april.pk])).content.decode()
    assert "The lines and the journal are not the same" in page and "They are £0.01 apart" in page


def test_a_line_taken_out_of_an_agreed_statement_is_named(world, capsys):
    close_april(world)
    line = StatementLine.objects.get(membership=world.b)
    with superuser() as run:
        run("DELETE FROM pantry_statementline WHERE id = %s", line.pk)
    name = f"Statement of April 2026 for {world.pantry} under {world.agreement}"
    assert f"{name}: 2 lines were agreed and 1 are there." in checked(capsys)


# -- pages -------------------------------------------------------------------------------------------------------------


def test_homes_tell_what_waits(world, client):
    def home(user) -> str:
        client.force_login(user)
        return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", client.get("/").content.decode()))

    with time_machine.travel(moment(date(2026, 5, 4)), tick=False):
        [april] = world.make(date(2026, 5, 4))
        assert "1 monthly statement waits for your answer." in home(world.pantry_manager)
        world.mark(april, world.b, MarkKind.QUERIED, "The fee?")
        assert "1 monthly statement has lines queried by the pantries." in home(world.finance)
        world.mark(april, world.b, MarkKind.ANSWERED, "Once, as agreed.")
        world.agree(april, world.pantry_manager, date(2026, 5, 4))
        assert "waits for your answer" not in home(world.pantry_manager)
        assert "1 monthly statement is agreed by the pantries and waits for you." in home(world.finance)
        world.agree(april, world.finance, date(2026, 5, 4))
        assert "1 monthly statement is closed without a payment recorded." in home(world.finance)


def test_the_list_is_filtered_by_state_month_agreement_and_pantry(world, client):
    april, may = world.make(date(2026, 6, 1))
    world.agree(april, world.finance, date(2026, 6, 1))
    client.force_login(world.pantry_manager)
    with time_machine.travel(moment(date(2026, 6, 1)), tick=False):

        def listed(query: str) -> list[str]:
            page = client.get(f"{reverse('pantry:statements')}?{query}").content.decode()
            return re.findall(r"/pantry/statements/([0-9a-f-]{36})/", page.partition("<tbody")[2])

        assert listed("") == [str(may.pk), str(april.pk)]
        assert listed("state=council") == [str(april.pk)]
        assert listed("month=2026-05-01") == [str(may.pk)]
        assert listed(f"agreement={world.agreement.pk}&pantry={world.pantry.pk}") == [str(may.pk), str(april.pk)]
        assert listed("state=paid") == []
        client.force_login(factories.user("pantry_manager"))
        assert listed("") == []


def test_the_list_leads_to_the_month_to_be_agreed_next(world, client):
    april, may = world.make(date(2026, 6, 1))
    world.agree(april, world.finance, date(2026, 6, 1))

    def following(user) -> list[str]:
        client.force_login(user)
        page = client.get(reverse("pantry:statements")).content.decode()
        return re.findall(r'The next for you: <a class="govuk-link" href="/pantry/statements/([0-9a-f-]{36})/"', page)

    with time_machine.travel(moment(date(2026, 6, 1)), tick=False):
        assert following(world.pantry_manager) == [str(april.pk)]
        assert following(world.finance) == [str(may.pk)]
        assert following(world.manager) == []


def test_a_stranger_reads_no_statement_and_numbers_are_all_that_is_read(world, client):
    [april] = world.make(date(2026, 5, 4))
    world.a.preferred_name = "Robinetta"
    world.a.save()
    for user, status in ((world.manager, 200), (world.finance, 200), (world.advisor, 403), (world.volunteer, 403)):
        client.force_login(user)
        answer = client.get(reverse("pantry:statement", args=[april.pk]))
        assert (answer.status_code, b"Robinetta" in answer.content) == (status, False)
    assert Client().get(reverse("pantry:statement", args=[april.pk])).status_code == 302
