"""Statements: made when a month is over, lines agreed or queried, agreed by both sides and closed, paid."""

import hashlib
import json
from collections.abc import Iterator
from datetime import date, datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, Max, Min, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Coalesce, TruncMonth

from pantry import statements
from pantry.models import (
    SIDE_OF,
    Account,
    EntryKind,
    FundingAgreement,
    JournalEntry,
    JournalLine,
    Side,
    Statement,
    StatementClosing,
    StatementLine,
    StatementMark,
    StatementStep,
    StepKind,
)
from pantry.models.statements import OF_AGREEING, OF_PAYING
from stockport_hubs.accounts.models import User
from stockport_hubs.audit import services as audit
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.weeks import add_months

ROWS = 1000  # rows of one insert
AFTER = 12  # months for which statements are still made once an agreement has ended


@transaction.atomic
def make(*, on: date, at: datetime) -> int:
    """Statements of the months that are over, for each pantry that ever had money of an agreement. One query where all
    are there; harmless to repeat. How many were made."""
    last = add_months(on.replace(day=1), -1)
    end = on.replace(day=1)
    lately = Q(ends_on__isnull=True) | Q(ends_on__gte=add_months(last, -AFTER))
    entries = JournalEntry.objects.filter(agreement=OuterRef("pk"), effective_on__lt=end, lines__pantry__isnull=False)
    there = Statement.objects.filter(agreement=OuterRef("pk"), month=last)
    due = list(FundingAgreement.objects.filter(lately, Exists(entries), ~Exists(there)).values_list("pk", flat=True))
    if not due:
        return 0
    had = {(a, p): first for a, p, first in _first_months(due, end)}
    known = Statement.objects.filter(agreement__in=due).order_by().values_list("agreement", "pantry")
    made_until = {(a, p): month for a, p, month in known.annotate(Max("month"))}
    rows = []
    for (agreement_id, pantry_id), first in had.items():
        month = made_until.get((agreement_id, pantry_id))
        month = add_months(month, 1) if month else first
        while month <= last:
            rows.append(Statement(agreement_id=agreement_id, pantry_id=pantry_id, month=month, made_at=at))
            month = add_months(month, 1)
    Statement.objects.bulk_create(rows, batch_size=ROWS, ignore_conflicts=True)
    return len(rows)


def _first_months(agreements: list[UUID], end: date):
    lines = JournalLine.objects.filter(
        entry__agreement__in=agreements, pantry__isnull=False, entry__effective_on__lt=end
    ).order_by()
    firsts = lines.values_list("entry__agreement", "pantry").annotate(first=TruncMonth(Min("entry__effective_on")))
    return [(agreement, pantry, first) for agreement, pantry, first in firsts]


# -- the whole statement -----------------------------------------------------------------------------------------------


def has_agreed(statement: Statement, side: str) -> bool:
    """Whether a side's agreement stands."""
    return (last := _last_of(statement, side)) is not None and last.kind == StepKind.AGREED


def _last_of(statement: Statement, side: str) -> StatementStep | None:
    return (
        StatementStep.objects.filter(statement=statement, side=side, kind__in=OF_AGREEING).order_by("-number").first()
    )


def check_can_agree(statement: Statement, by: User) -> Side:
    """The side that may agree now, or a refusal in words."""
    check_open(statement)
    side = _side(by)
    if has_agreed(statement, side):
        raise Refused("You have agreed this statement already.")
    if waiting := StatementMark.objects.waiting().filter(statement=statement).count():
        lines = "1 line is" if waiting == 1 else f"{waiting:,} lines are"
        raise Refused(f"{lines} queried and not answered. Once that is done, the statement can be agreed.")
    if first := agreed_first(statement, side):
        raise Refused(f"Months are agreed in their order. Agree {first} first.")
    return side


def agreed_first(statement: Statement, side: str) -> Statement | None:
    """The earliest month before it that this side has to agree first, if there is one. One query."""
    alike = Statement.objects.filter(agreement=statement.agreement_id, pantry=statement.pantry_id)
    return earliest_to_agree(alike.filter(month__lt=statement.month), side)


def earliest_to_agree(rows: QuerySet[Statement], side: str) -> Statement | None:
    """The earliest of these that is open and this side has not agreed. One query."""
    steps = StatementStep.objects.filter(statement=OuterRef("pk"), side=side, kind__in=OF_AGREEING).order_by("-number")
    kinds = rows.filter(closing__isnull=True).annotate(kind=Coalesce(steps.values("kind")[:1], Value("")))
    return kinds.exclude(kind=StepKind.AGREED).order_by("month", "pantry__name", "pk").first()


@transaction.atomic
def agree(*, statement: Statement, by: User, at: datetime, seen: str = "") -> bool:
    """One side agrees what it sees; the second closes the month. True: closed.

    `seen`: the digest of what the page showed, refused where something was entered meanwhile. If it was entered after
    the other side agreed, that side is asked again.
    """
    _lock_journal(statement.agreement_id)
    statement = locked(statement)
    side = check_can_agree(statement, by)
    shown = statements.show(statement)
    now = digest(shown)
    if seen and seen != now:
        raise Refused("Something was entered since you opened this page. Look at the statement again, then agree it.")
    other = Side.COUNCIL if side == Side.OPERATOR else Side.OPERATOR
    theirs = _last_of(statement, other)
    _step(statement, side, StepKind.AGREED, by, at, seen=now)
    audit.record("pantry.statement.agreed", at=at, by=by, target=statement)
    if theirs is None or theirs.kind != StepKind.AGREED:
        return False
    if theirs.seen != now:
        _step(statement, other, StepKind.LAPSED, by, at)
        return False
    _close(statement, by=by, at=at)
    return True


@transaction.atomic
def take_back(*, statement: Statement, by: User, at: datetime) -> None:
    """A side takes its agreement back while the other has not given its own."""
    statement = locked(statement)
    check_open(statement)
    side = _side(by)
    if not has_agreed(statement, side):
        raise Refused("There is no agreement of yours to take back.")
    _step(statement, side, StepKind.TAKEN_BACK, by, at)
    audit.record("pantry.statement.taken_back", at=at, by=by, target=statement)


@transaction.atomic
def pay(*, statement: Statement, payment: JournalEntry, by: User, at: datetime) -> None:
    """A payment of the journal is the one for this statement: its date and references are told there."""
    statement = locked(statement)
    if not StatementClosing.objects.filter(statement=statement).exists():
        raise Refused("A payment is recorded once both sides have agreed the statement.")
    _check_council(by)
    if _is_paid(statement):
        raise Refused("The payment of this statement is recorded already.")
    if payment.kind != EntryKind.PAYMENT or payment.agreement_id != statement.agreement_id:
        raise Refused("Choose one of the payments made under this agreement.")
    if JournalEntry.objects.filter(reverses=payment).exists():
        raise Refused("This payment was reversed. Choose another.")
    _step(statement, Side.COUNCIL, StepKind.PAID, by, at, payment=payment)
    audit.record("pantry.statement.paid", at=at, by=by, target=statement, detail={"payment": str(payment.pk)})


@transaction.atomic
def take_back_payment(*, statement: Statement, by: User, at: datetime) -> None:
    """It was another payment: the statement waits for its payment again; the journal stays as it is."""
    statement = locked(statement)
    _check_council(by)
    if not _is_paid(statement):
        raise Refused("No payment is recorded for this statement.")
    _step(statement, Side.COUNCIL, StepKind.PAID_TAKEN_BACK, by, at)
    audit.record("pantry.statement.payment_taken_back", at=at, by=by, target=statement)


def payment_of(statement: Statement) -> StatementStep | None:
    """The step that recorded its payment, if that stands."""
    steps = StatementStep.objects.filter(statement=statement, kind__in=OF_PAYING).select_related("payment", "by")
    last = steps.order_by("-number").first()
    return last if last is not None and last.kind == StepKind.PAID else None


def digest(shown: statements.Shown) -> str:
    """What an agreement is about: the totals, and the last line of the journal they hold."""
    newest = shown.scope.journal.filter(pantry=shown.statement.pantry_id).aggregate(n=Max("pk"))["n"]
    said = [newest, shown.month.amounts, shown.prior.amounts]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def _close(statement: Statement, *, by: User, at: datetime) -> None:
    """Freeze the lines; the agreement's row is locked, so every line of its journal is there."""
    newest = JournalLine.objects.filter(entry__agreement=statement.agreement_id).aggregate(n=Max("pk"))["n"] or 0
    found = statements.scope(statement, None)
    total, kept = statements.Line(), 0
    for some in _batches(statements.lines(found)):
        rows = [
            StatementLine(statement=statement, membership_id=each.membership, is_prior=each.is_prior, **each.amounts)
            for each in some
        ]
        StatementLine.objects.bulk_create(rows)
        kept += len(rows)
        for each in some:
            total.add(each)
    StatementClosing.objects.create(
        statement=statement, closed_at=at, by=by, up_to_line=newest, lines=kept, **total.amounts
    )
    audit.record("pantry.statement.closed", at=at, by=by, target=statement)


def _lock_journal(agreement_id: UUID) -> None:
    """FOR UPDATE, not NO KEY: whoever writes an entry of the journal holds its agreement's key (that foreign key is
    checked at once, migration 0012), so none is being written meanwhile."""
    FundingAgreement.objects.select_for_update().get(pk=agreement_id)


def _batches(lines: list[statements.Line]) -> Iterator[list[statements.Line]]:
    for first in range(0, len(lines), ROWS):
        yield lines[first : first + ROWS]


def _is_paid(statement: Statement) -> bool:
    return payment_of(statement) is not None


def locked(statement: Statement) -> Statement:
    both = Statement.objects.select_for_update(of=("self",), no_key=True).select_related(
        "agreement__funder", "agreement__operator", "pantry"
    )
    return both.get(pk=statement.pk)


def check_open(statement: Statement) -> None:
    if StatementClosing.objects.filter(statement=statement).exists():
        raise Refused(
            f"{statement} is agreed by both sides and closed. "
            "What is wrong in it is reversed, and stands in a later month."
        )


def _side(by: User) -> Side:
    side = SIDE_OF.get(by.role)
    if side is None:
        raise Refused("The pantry manager and the council’s finance officer agree statements.")
    return side


def _check_council(by: User) -> None:
    if SIDE_OF.get(by.role) != Side.COUNCIL:
        raise Refused("The council’s finance officer records payments.")


def next_number(rows) -> int:
    return (rows.aggregate(n=Max("number"))["n"] or 0) + 1


def _step(statement: Statement, side: str, kind: str, by: User, at: datetime, **more) -> StatementStep:
    return StatementStep.objects.create(
        statement=statement, number=next_number(statement.steps), side=side, kind=kind, by=by, at=at, **more
    )


def payments(statement: Statement):
    """The agreement's payments in advance that stand, the latest first, with `pence`: to choose from."""
    reversed_ = JournalEntry.objects.filter(reverses=OuterRef("pk"))
    paid = JournalEntry.objects.filter(agreement=statement.agreement_id, kind=EntryKind.PAYMENT).filter(
        ~Exists(reversed_)
    )
    advance = JournalLine.objects.filter(entry=OuterRef("pk"), account=Account.ADVANCE)
    return paid.annotate(pence=advance.values("pence")[:1]).order_by("-effective_on", "-recorded_at")
