"""A statement as it is shown: its figures, frozen once it is closed, and the agreement's credit."""

from collections.abc import Collection as Keys
from dataclasses import dataclass
from functools import cached_property
from uuid import UUID

from django.db.models import Exists, OuterRef, Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from pantry.models import (
    AMOUNTS,
    Account,
    EntryKind,
    JournalLine,
    Membership,
    PrepaidBlock,
    Statement,
    StatementClosing,
    StatementLine,
)
from pantry.statements.counting import lines, totals
from pantry.statements.lines import Line
from pantry.statements.scope import MONTH, OPENING, PRIOR, Scope, members_of, scope


@dataclass(frozen=True)
class Pool:
    """The agreement's credit over the month. Other pantries share it."""

    opening_pence: int
    given_pence: int  # credited here
    spent_pence: int  # paid for here
    elsewhere_pence: int
    closing_pence: int


def pool(found: Scope, total: Line) -> Pool:
    """`total`: the month's and the prior line together. One query."""
    rows = found.journal.filter(account=Account.POOL)
    here = JournalLine.objects.filter(entry=OuterRef("entry"), pantry=found.pantry)
    moved, spent = ~Q(part=OPENING), Q(~Q(entry__kind=EntryKind.CREDIT), Exists(here))
    sums = rows.aggregate(
        opening=Coalesce(Sum("pence", filter=Q(part=OPENING)), 0),
        moved=Coalesce(Sum("pence", filter=moved), 0),
        spent=Coalesce(Sum("pence", filter=moved & spent), 0),
    )
    given, spent_here = -total.credited_pence, -sums["spent"]
    return Pool(
        opening_pence=sums["opening"],
        given_pence=given,
        spent_pence=spent_here,
        elsewhere_pence=sums["moved"] - given + spent_here,
        closing_pence=sums["opening"] + sums["moved"],
    )


def in_journal(found: Scope) -> tuple[int, int]:
    """(weeks, joining fees) of the month and what was entered late, straight from the journal."""
    sums = found.here.exclude(part=OPENING).aggregate(
        weeks=Coalesce(Sum("pence", filter=Q(account=Account.WEEKS)), 0),
        joining=Coalesce(Sum("pence", filter=Q(account=Account.JOINING)), 0),
    )
    return sums["weeks"], sums["joining"]


def from_frozen(row: StatementLine) -> Line:
    """A line as it was agreed."""
    made = _line({name: getattr(row, name) for name in AMOUNTS}, is_prior=row.is_prior)
    made.membership, made.number = row.membership_id, row.membership.number if row.membership else None
    return made


def _line(amounts: dict[str, int], *, is_prior: bool) -> Line:
    made = Line(is_prior=is_prior)
    for name, value in amounts.items():
        setattr(made, name, value)
    return made


@dataclass
class Shown:
    """A statement, and its figures: frozen once it is closed."""

    statement: Statement
    scope: Scope
    month: Line
    prior: Line
    closing: StatementClosing | None

    @property
    def total(self) -> Line:
        return Line().add(self.month).add(self.prior)

    @cached_property
    def pool(self) -> Pool:
        return pool(self.scope, self.total)

    @property
    def drawn_pence(self) -> int:
        """Of what was charged, what credit did not pay."""
        return self.total.charged_pence - self.pool.spent_pence

    @cached_property
    def apart(self) -> int:
        """How far the lines and the journal are apart, in pence; nothing, unless somebody has altered one of them."""
        weeks, joining = in_journal(self.scope)
        total = self.total
        return abs(total.weeks_pence - weeks) + abs(total.joining_pence - joining)

    def keys(self) -> QuerySet:
        """The members with a line, by number, for a page of them."""
        if self.closing is not None:
            held = StatementLine.objects.filter(statement=self.statement, membership=OuterRef("pk"))
            return Membership.objects.filter(Exists(held)).order_by("number")
        return members_of(self.scope)

    def lines(self, members: Keys[UUID] | None = None) -> list[Line]:
        """All of them, or of some members."""
        if self.closing is None:
            return lines(self.scope, members)
        rows = StatementLine.objects.filter(statement=self.statement).select_related("membership")
        if members is not None:
            rows = rows.filter(membership__in=members)
        return [from_frozen(row) for row in rows]

    def of_nobody(self) -> list[Line]:
        """The lines of no one member."""
        if self.closing is not None:
            rows = StatementLine.objects.filter(statement=self.statement, membership__isnull=True)
            return [from_frozen(row) for row in rows]
        blocks = PrepaidBlock.objects.filter(pk=OuterRef("source_id"))
        found = self.scope.here.filter(~Exists(blocks)).exclude(entry__kind=EntryKind.TOP_UP)
        made = {MONTH: Line(), PRIOR: Line(is_prior=True)}
        grouped = found.values_list("part", "entry__kind", "account").annotate(Sum("pence"))
        for part, kind, account, pence in grouped:
            if part == OPENING:
                made[MONTH].opening_pence += pence if account == Account.WEEKS else 0
                continue
            made[part].post(kind, account, pence)
        return [line for line in made.values() if not line.is_empty]


def show(statement: Statement) -> Shown:
    """The figures of a statement, in a fixed number of queries."""
    closing = StatementClosing.objects.filter(statement=statement).select_related("by").first()
    found = scope(statement, closing)
    if closing is None:
        return Shown(statement, found, *totals(found), None)
    sums = {
        is_prior: dict(zip(AMOUNTS, row, strict=True))
        for is_prior, *row in StatementLine.objects.filter(statement=statement)
        .order_by()
        .values_list("is_prior")
        .annotate(**{f"sum_{name}": Sum(name) for name in AMOUNTS})
    }
    month, prior = (_line(sums.get(is_prior, {}), is_prior=is_prior) for is_prior in (False, True))
    return Shown(statement, found, month, prior, closing)
