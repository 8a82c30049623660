"""The year-end of an agreement: what is prepaid at 31 March, what is used and not paid for, the year's purchases, and
the lines for the council's ledger. Pence, counted as at 31 March in a fixed number of queries."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db.models import F, Q, QuerySet, Sum
from django.db.models.functions import Coalesce, TruncMonth

from pantry import money
from pantry.models import (
    Account,
    Budget,
    Collection,
    EntryKind,
    FundingAgreement,
    JournalLine,
    Pantry,
    Place,
    Statement,
    Tariff,
)
from stockport_hubs.core.weeks import financial_year

PREPAYMENTS, ACCRUALS, EXPENDITURE = "Prepayments", "Accruals", "Places at pantries"


@dataclass(frozen=True)
class Accrued:
    """Weeks of members of the agreement that were collected by the day and not bought by then, at one pantry."""

    pantry: Pantry
    weeks: int
    pence: int


@dataclass(frozen=True)
class Bought:
    """One month's purchases by their dates."""

    month: date
    weeks_pence: int
    joining_pence: int
    credit_pence: int

    @property
    def committed_pence(self) -> int:
        """What counts against the budget: not what credit paid for."""
        return self.weeks_pence + self.joining_pence - self.credit_pence


@dataclass(frozen=True)
class LedgerLine:
    """One line for the ledger: a debit or a credit."""

    on: date
    cost_code: str
    account: str
    words: str
    debit_pence: int = 0
    credit_pence: int = 0


@dataclass(frozen=True)
class YearEnd:
    """An agreement at the end of a financial year."""

    agreement: FundingAgreement
    starts_on: date
    position: money.Position
    prepaid: list[money.PantryPosition]
    accrued: list[Accrued]
    bought: list[Bought]
    budget: Budget | None
    paid: list[tuple[str, int]]  # cost code, pence of the year
    cost_code: str

    @property
    def until(self) -> date:
        return year_until(self.starts_on)

    @property
    def accrued_pence(self) -> int:
        return sum(each.pence for each in self.accrued)

    @property
    def accrued_weeks(self) -> int:
        return sum(each.weeks for each in self.accrued)

    @property
    def committed_pence(self) -> int:
        return sum(each.committed_pence for each in self.bought)

    @property
    def left_pence(self) -> int:
        """Of the year's budget."""
        limit = self.budget.limit_pence if self.budget else None
        return 0 if limit is None else limit - self.committed_pence

    @property
    def overdrawn_pence(self) -> int:
        """Bought and not yet paid for in advance."""
        return max(0, -self.position.left_pence)

    @property
    def total(self) -> Bought:
        return Bought(
            self.starts_on,
            sum(each.weeks_pence for each in self.bought),
            sum(each.joining_pence for each in self.bought),
            sum(each.credit_pence for each in self.bought),
        )


def year_until(starts_on: date) -> date:
    """31 March of the year that starts on a 1 April."""
    return date(starts_on.year + 1, 3, 31)


def years(agreement: FundingAgreement, on: date) -> list[date]:
    """The financial years an agreement has touched by a day, the latest first."""
    first, last = financial_year(agreement.starts_on), financial_year(on)
    if agreement.ends_on:
        last = min(last, financial_year(agreement.ends_on))
    return [date(year, 4, 1) for year in range(max(last, first).year, first.year - 1, -1)]


def of(agreement: FundingAgreement, starts_on: date) -> YearEnd:
    """The year that starts on a 1 April; before its end what stands by now counts."""
    until = year_until(starts_on)
    position, pantries = money.statement(agreement, until)
    payments = _payments(agreement, until)
    codes = payments.exclude(entry__cost_code="").order_by("-entry__effective_on", "-entry__recorded_at")
    of_year = payments.filter(entry__effective_on__gte=starts_on).order_by("entry__cost_code")
    return YearEnd(
        agreement=agreement,
        starts_on=starts_on,
        position=position,
        prepaid=[each for each in pantries if each.recoverable_weeks],
        accrued=accrued(agreement, until),
        bought=_bought(agreement, starts_on, until),
        budget=Budget.objects.filter(agreement=agreement, year_starts_on=starts_on).first(),
        paid=list(of_year.values_list("entry__cost_code").annotate(Sum("pence"))),
        cost_code=codes.values_list("entry__cost_code", flat=True).first() or "",
    )


def _payments(agreement: FundingAgreement, until: date) -> QuerySet[JournalLine]:
    return JournalLine.objects.filter(
        money.OF_PAYMENTS, entry__agreement=agreement, account=Account.ADVANCE, entry__effective_on__lte=until
    )


def _bought(agreement: FundingAgreement, starts_on: date, until: date) -> list[Bought]:
    """Blocks and top-ups, less what was reversed of them, by the month of the purchase."""
    kinds = [EntryKind.PURCHASE, EntryKind.TOP_UP]
    lines = JournalLine.objects.filter(
        Q(entry__kind__in=kinds) | Q(entry__reverses__kind__in=kinds),
        entry__agreement=agreement,
        entry__effective_on__range=(starts_on, until),
    ).order_by()

    def of_account(account: str):
        return Coalesce(Sum("pence", filter=Q(account=account)), 0)

    rows = (
        lines.annotate(month=TruncMonth("entry__effective_on"))
        .values_list("month")
        .annotate(weeks=of_account(Account.WEEKS), fees=of_account(Account.JOINING), pool=of_account(Account.POOL))
        .order_by("month")
    )
    return [Bought(month, weeks, fees, -pool) for month, weeks, fees, pool in rows]


def accrued(agreement: FundingAgreement, until: date) -> list[Accrued]:
    """Weeks used and not paid for at the end of a day: collected by then, and bought later or not at all. A week the
    member pays for is none. A week bought later counts at what was paid for it, another at the price of its pantry."""
    came = Collection.objects.counted().filter(on__lte=until).order_by()
    sums: dict[UUID, list[int]] = defaultdict(lambda: [0, 0])
    late = came.filter(paid_week__block__agreement=agreement, paid_week__block__bought_on__gt=until)
    for pantry_id, pence in late.values_list("paid_week__pantry", "paid_week__pence"):
        sums[pantry_id][0] += 1
        sums[pantry_id][1] += pence
    pays = Q(membership__self_pay_from__isnull=False, membership__self_pay_from__lte=F("week"))
    unpaid = came.unfunded().filter(membership__agreement=agreement).exclude(pays)  # type: ignore[attr-defined]
    rows = list(unpaid.values_list("membership_id", "pantry_id", "week"))
    places, prices = _places({member for member, _, _ in rows}), _prices(agreement)
    for member, given_at, week in rows:
        pantry_id = next((pantry for first, last, pantry in places[member] if first <= week <= last), given_at)
        sums[pantry_id][0] += 1
        sums[pantry_id][1] += next((pence for since, pence in prices[pantry_id] if since <= week), 0)
    pantries = Pantry.objects.filter(pk__in=sums).order_by("name")
    return [Accrued(pantry, *sums[pantry.pk]) for pantry in pantries]


def _places(members: set[UUID]) -> dict[UUID, list[tuple[date, date, UUID]]]:
    """(first week, last day, pantry) of each member's places: given here, paid there."""
    found: dict[UUID, list[tuple[date, date, UUID]]] = defaultdict(list)
    if members:
        rows = Place.objects.filter(membership__in=members).order_by("from_week")
        for member, pantry, first, last in rows.values_list("membership_id", "pantry_id", "from_week", "to_week"):
            found[member].append((first, last or date.max, pantry))
    return found


def _prices(agreement: FundingAgreement) -> dict[UUID, list[tuple[date, int]]]:
    """(Monday, pence a week) of the operator's agreed prices, the latest first."""
    found: dict[UUID, list[tuple[date, int]]] = defaultdict(list)
    rows = Tariff.objects.agreed().filter(pantry__operator=agreement.operator_id, withdrawn_at__isnull=True)
    for pantry, since, pence in rows.order_by("-from_week").values_list("pantry_id", "from_week", "weekly_pence"):
        found[pantry].append((since, pence))
    return found


def ledger(found: YearEnd) -> list[LedgerLine]:
    """Lines at 31 March and the same the other way round on 1 April; debits and credits sum to nothing on each day.

    What is paid in advance was charged to the cost code when it was paid, so what of it is not used by 31 March leaves
    it: prepaid weeks, credit, money not drawn. What is used or bought and not paid for comes to it.
    """
    made = [*_postings(found)]
    back = date(found.starts_on.year + 1, 4, 1)
    made += [
        LedgerLine(back, each.cost_code, each.account, f"Back: {each.words}", each.credit_pence, each.debit_pence)
        for each in made
    ]
    return made


def _postings(found: YearEnd) -> Iterator[LedgerLine]:
    def pair(account: str, pence: int, words: str) -> Iterator[LedgerLine]:
        """A prepayment takes from the expenditure, an accrual adds to it."""
        if not pence:
            return
        debit, credit = (account, EXPENDITURE) if account == PREPAYMENTS else (EXPENDITURE, account)
        for name, sums in ((debit, {"debit_pence": pence}), (credit, {"credit_pence": pence})):
            code = found.cost_code if name == EXPENDITURE else ""
            yield LedgerLine(found.until, code, name, words, **sums)

    for here in found.prepaid:
        weeks = f"{here.recoverable_weeks} week{'' if here.recoverable_weeks == 1 else 's'}"
        yield from pair(PREPAYMENTS, here.recoverable_pence, f"{here.pantry.name}: {weeks} starting later")
    yield from pair(PREPAYMENTS, found.position.in_pool_pence, "Credit for the next blocks")
    yield from pair(PREPAYMENTS, max(0, found.position.left_pence), "Paid in advance and not drawn")
    yield from pair(ACCRUALS, found.overdrawn_pence, "Bought and not yet paid")
    for each in found.accrued:
        weeks = f"{each.weeks} week{'' if each.weeks == 1 else 's'}"
        yield from pair(ACCRUALS, each.pence, f"{each.pantry.name}: {weeks} used and not paid for")


def has_open_months(agreement: FundingAgreement, until: date) -> bool:
    """Whether a month by then is not agreed by both sides yet."""
    return Statement.objects.filter(agreement=agreement, month__lte=until, closing__isnull=True).exists()
