"""Looking ahead: what an agreement's renewals will cost, month by month, and when its budget runs out.

Assumptions, said on the page: everyone whose next renewal is due goes on and is renewed on that day, for the
agreement's weeks at the price agreed for the block's first Monday; pantries do not close; nobody joins. Not counted:
who is paused or flagged, whose renewal is held (told apart), whose funding, number of blocks, pantry or agreement ends
first. Money is integer pence; a fixed number of queries, whatever the number of members.
"""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from django.db.models import Case, Count, F, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce

from pantry import rules
from pantry.models import Budget, FundingAgreement, Membership, Pantry, PrepaidBlock, RenewalDecision
from pantry.money import SUMS
from pantry.services import top_ups
from stockport_hubs.core.weeks import WEEK, add_months, financial_year, monday

MONTHS = 12


@dataclass(frozen=True)
class Month:
    """What falls due in a calendar month; `budget_left_pence` at its end, None: no limit, below zero: short."""

    first: date
    renewals: int
    pence: int
    from_pool_pence: int
    budget_left_pence: int | None


@dataclass(frozen=True)
class Forecast:
    """The months ahead of a day, and the Monday of the week in which something runs out (None: it does not)."""

    as_at: date
    months: tuple[Month, ...]
    committed_pence: int
    limit_pence: int | None
    advance_left_pence: int
    pool_pence: int
    held: int
    held_pence: int
    not_counted: int
    budget_out: date | None
    advance_out: date | None
    pool_out: date | None

    @property
    def renewals(self) -> int:
        return sum(month.renewals for month in self.months)

    @property
    def pence(self) -> int:
        return sum(month.pence for month in self.months)

    @property
    def budget_left_pence(self) -> int | None:
        """Of this financial year, today."""
        return None if self.limit_pence is None else self.limit_pence - self.committed_pence


@dataclass(frozen=True)
class Ahead:
    """How many share a pantry, a last funded day and a number of blocks had."""

    pantry_id: UUID
    funded_until: date | None
    had: int


class _Prices:
    """What a block costs that starts on a Monday at a pantry, top-ups to prices agreed already included."""

    def __init__(self, agreement: FundingAgreement, pantries: set[UUID], weekly_pence: int | None) -> None:
        self.agreement, self.weekly_pence = agreement, weekly_pence
        self.agreed = top_ups.agreed(pantries)
        self.known: dict[tuple[UUID, date], int | None] = {}

    def of(self, pantry_id: UUID, start: date) -> int | None:
        """None: no price is agreed."""
        key = (pantry_id, start)
        if key not in self.known:
            self.known[key] = self._price(pantry_id, start)
        return self.known[key]

    def _price(self, pantry_id: UUID, start: date) -> int | None:
        n = self.agreement.block_weeks
        if self.weekly_pence is not None:
            return n * self.weekly_pence
        tariffs = self.agreed[pantry_id]
        tariff = next((each for each in reversed(tariffs) if each.from_week <= start), None)
        if tariff is None:
            return None
        weeks = [start + k * WEEK for k in range(n)]
        later = top_ups.later(self.agreement, start, tariffs)
        return n * tariff.weekly_pence + top_ups.cost(weeks, tariff.weekly_pence, later)


def of(agreement: FundingAgreement, as_at: date, weekly_pence: int | None = None) -> Forecast:
    """The next twelve months with this one; `weekly_pence`: what if every block from now on cost that a week."""
    first = as_at.replace(day=1)
    end = add_months(first, MONTHS) - timedelta(days=1)
    due = _due(agreement, as_at, end)
    held = _held(agreement)
    ids = {each.pantry_id for groups in due.values() for each in groups} | {pantry_id for _, pantry_id in held}
    pantries = Pantry.objects.in_bulk(ids)
    prices = _Prices(agreement, ids, weekly_pence)
    spent, renewals, not_counted = _spend(agreement, due, end, pantries, prices)
    left = _Left(agreement, as_at)
    limit, committed = left.limit[financial_year(as_at)], left.committed[financial_year(as_at)]
    advance, pool = left.advance, left.pool
    from_pool = {day: left.spend(day, spent[day]) for day in sorted(spent)}
    months = []
    for n in range(MONTHS):
        month = add_months(first, n)
        days = [day for day in spent if day.replace(day=1) == month]
        months.append(
            Month(
                first=month,
                renewals=sum(renewals[day] for day in days),
                pence=sum(spent[day] for day in days),
                from_pool_pence=sum(from_pool[day] for day in days),
                budget_left_pence=left.budget_after(month),
            )
        )
    return Forecast(
        as_at=as_at,
        months=tuple(months),
        committed_pence=committed,
        limit_pence=limit,
        advance_left_pence=advance,
        pool_pence=pool,
        held=sum(held.values()),
        held_pence=sum(n * (prices.of(pantry_id, start) or 0) for (start, pantry_id), n in held.items()),
        not_counted=not_counted,
        budget_out=left.budget_out,
        advance_out=left.advance_out,
        pool_out=left.pool_out,
    )


def _due(agreement: FundingAgreement, as_at: date, end: date) -> dict[date, dict[Ahead, int]]:
    """How many of each kind fall due first, by day; what is overdue, today."""
    cap = end + rules.RENEWED_AHEAD + agreement.block_weeks * WEEK  # a day beyond it changes nothing here
    members = Membership.objects.filter(
        agreement=agreement,
        state=Membership.State.OPEN,
        stop_renewal=False,
        next_due_on__isnull=False,
        next_due_on__lte=end,
        places__to_week__isnull=True,
    ).order_by()
    until = Case(When(funded_until__lte=cap, then=F("funded_until")), default=None)
    had: object = Value(0)
    if agreement.blocks_per_person is not None:
        paid = PrepaidBlock.objects.filter(membership=OuterRef("pk"), source__in=top_ups.PAID).order_by()
        had = Coalesce(Subquery(paid.values("membership").annotate(n=Count("pk")).values("n")), 0)
    groups = members.annotate(until=until, had=had).values_list("next_due_on", "places__pantry_id", "until", "had")
    found: dict[date, dict[Ahead, int]] = defaultdict(lambda: defaultdict(int))
    for day, pantry_id, funded_until, n_had, n in groups.annotate(Count("pk")):
        found[max(day, as_at)][Ahead(pantry_id, funded_until, n_had)] += n
    return found


def _held(agreement: FundingAgreement) -> dict[tuple[date, UUID], int]:
    """How many renewals wait for a decision, by the Monday of their block and pantry."""
    rows = RenewalDecision.objects.filter(
        Q(membership__places__to_week__isnull=True),
        membership__agreement=agreement,
        outcome=RenewalDecision.Outcome.HELD,
        membership__places__isnull=False,
    ).order_by()
    grouped = rows.values_list("starts_on", "membership__places__pantry_id").annotate(n=Count("pk"))
    return {(start, pantry_id): n for start, pantry_id, n in grouped}


def _spend(agreement, due, end: date, pantries, prices: _Prices) -> tuple[dict[date, int], dict[date, int], int]:
    """(pence by day, renewals by day, how many are not counted), each renewal bringing on the next."""
    spent: dict[date, int] = defaultdict(int)
    renewals: dict[date, int] = defaultdict(int)
    not_counted = 0
    while due:
        day = min(due)
        for each, n in due.pop(day).items():
            start = monday(rules.starts_on(day))
            last_day = start + agreement.block_weeks * WEEK - timedelta(days=1)
            closing = pantries[each.pantry_id].closing_on
            price = prices.of(each.pantry_id, start)
            ends = (each.funded_until, closing and closing - timedelta(days=1))
            if (
                price is None
                or any(last is not None and last < last_day for last in ends)
                or (agreement.ends_on is not None and agreement.ends_on < start)
                or (agreement.blocks_per_person is not None and each.had >= agreement.blocks_per_person)
            ):
                not_counted += n
                continue
            spent[day] += n * price
            renewals[day] += n
            again = rules.due_on(start + agreement.block_weeks * WEEK)
            if again <= end:
                more = each.had + 1 if agreement.blocks_per_person is not None else each.had
                due[max(again, day)][Ahead(each.pantry_id, each.funded_until, more)] += n
    return spent, renewals, not_counted


class _Left:
    """Credit, the year's budget and the money paid in advance, as they are spent day by day."""

    def __init__(self, agreement: FundingAgreement, as_at: date) -> None:
        sums = next(iter(SUMS(agreement=agreement.pk, as_at=as_at)), (None, 0, 0, 0, 0))
        self.advance: int = sums[2]
        self.pool: int = sums[4]
        rows = {
            row.year_starts_on: row for row in Budget.objects.filter(agreement=agreement).order_by("year_starts_on")
        }
        year = financial_year(as_at)
        self.limit: dict[date, int | None] = {}
        self.committed: dict[date, int] = {}
        before = [row.limit_pence for start, row in rows.items() if start < year]
        limit = before[-1] if before else None
        for each in (year, financial_year(add_months(as_at, 12)), financial_year(add_months(as_at, 24))):
            limit = rows[each].limit_pence if each in rows else limit  # the limit carries on into a year nobody has set
            self.limit[each], self.committed[each] = limit, rows[each].committed_pence if each in rows else 0
        self.spent: dict[date, int] = defaultdict(int)  # of the budget, by month
        self.budget_out: date | None = None
        self.advance_out: date | None = monday(as_at) if self.advance < 0 else None
        self.pool_out: date | None = None

    def spend(self, day: date, pence: int) -> int:
        """Credit first, the rest from what was paid in advance and out of the year's budget; gives the credit."""
        credit = rules.from_pool(pence, self.pool)
        if credit and credit == self.pool:
            self.pool_out = self.pool_out or monday(day)
        self.pool -= credit
        self.advance -= pence - credit
        year = financial_year(day)
        self.committed[year] += pence - credit
        self.spent[day.replace(day=1)] += pence - credit
        limit = self.limit[year]
        if limit is not None and self.committed[year] > limit:
            self.budget_out = self.budget_out or monday(day)
        if self.advance < 0:
            self.advance_out = self.advance_out or monday(day)
        return credit

    def budget_after(self, month: date) -> int | None:
        """What is left of the month's financial year at its end, once everything is spent."""
        year = financial_year(month)
        if (limit := self.limit[year]) is None:
            return None
        later = sum(pence for each, pence in self.spent.items() if each > month and financial_year(each) == year)
        return limit - self.committed[year] + later
