"""Where the money of an agreement is, as at a day: one definition for screens, packs and checks (rules.md, Money).

Payments, draws, joining fees and credit in the pool are read from the journal; what became of the weeks is counted from
paid weeks. Everything is integer pence, in a handful of queries whatever the number of members.
"""

from collections import defaultdict
from dataclasses import dataclass, fields
from datetime import date, timedelta

from django.db.models import Case, CharField, Count, Exists, OuterRef, Q, QuerySet, Subquery, Sum, Value, When
from django.db.models.functions import Coalesce

from pantry.calendar import WeekCalendar
from pantry.models import (
    Account,
    Collection,
    EntryKind,
    FundingAgreement,
    JournalLine,
    PaidWeek,
    Pantry,
    PrepaidBlock,
)

OF_PAYMENTS = Q(entry__kind=EntryKind.PAYMENT) | Q(
    entry__kind=EntryKind.REVERSAL, entry__reverses__kind=EntryKind.PAYMENT
)


@dataclass(frozen=True, kw_only=True)
class Weekly:
    """Weekly money and weeks: bought = collected + missed + closed + to come + credited.

    collected  a dated week with a counted collection of that member in it
    missed     a dated week whose Sunday has passed, not closed, without a counted collection
    closed     a dated week whose Sunday has passed and which closed after it had begun; nearly always nothing
    to_come    dated weeks whose Sunday has not passed without a collection yet, and parked weeks
    credited   weeks given back to the pool because the block ended early
    recoverable is what would be credited if everyone left today: a part of to_come, of weeks whose Monday is later.
    """

    bought_pence: int = 0
    collected_pence: int = 0
    missed_pence: int = 0
    closed_pence: int = 0
    to_come_pence: int = 0
    credited_pence: int = 0
    recoverable_pence: int = 0
    bought_weeks: int = 0
    collected_weeks: int = 0
    missed_weeks: int = 0
    closed_weeks: int = 0
    to_come_weeks: int = 0
    credited_weeks: int = 0
    recoverable_weeks: int = 0

    @property
    def used_pence(self) -> int:
        """Collected and missed: a week is used whether or not the member came."""
        return self.collected_pence + self.missed_pence


WEEKLY_FIELDS = tuple(field.name for field in fields(Weekly))


@dataclass(frozen=True, kw_only=True)
class Position(Weekly):
    """An agreement as at a day. paid_in_advance = drawn + left; left below zero: blocks bought before the payment."""

    as_at: date
    blocks: int
    members: int
    joining_pence: int
    paid_in_advance_pence: int
    drawn_pence: int
    left_pence: int
    in_pool_pence: int


@dataclass(frozen=True, kw_only=True)
class PantryPosition(Weekly):
    """The same money at one pantry; a week counts where the member's place now has it."""

    pantry: Pantry
    joining_pence: int


def position(agreement: FundingAgreement, as_at: date) -> Position:
    """The whole agreement at the end of a day; 5 queries and those of the calendar."""
    return _position(agreement, as_at, _tally(_paid_weeks(agreement, as_at), as_at))


def by_pantry(agreement: FundingAgreement, as_at: date) -> list[PantryPosition]:
    """The agreement's money at each pantry that has any of it, by name; adds up to `position`."""
    return _by_pantry(agreement, as_at, _tally(_paid_weeks(agreement, as_at), as_at))


def statement(agreement: FundingAgreement, as_at: date) -> tuple[Position, list[PantryPosition]]:
    """`position` and `by_pantry` with the weeks counted once."""
    tallies = _tally(_paid_weeks(agreement, as_at), as_at)
    return _position(agreement, as_at, tallies), _by_pantry(agreement, as_at, tallies)


def _position(agreement: FundingAgreement, as_at: date, tallies: dict) -> Position:
    lines = JournalLine.objects.filter(entry__agreement=agreement, entry__effective_on__lte=as_at)
    advance = Q(account=Account.ADVANCE)
    sums = lines.aggregate(
        paid=_sum(advance & OF_PAYMENTS),
        left=_sum(advance),
        joining=_sum(Q(account=Account.JOINING)),
        pool=_sum(Q(account=Account.POOL)),
    )
    counts = _blocks(agreement, as_at).aggregate(blocks=Count("pk"), members=Count("membership", distinct=True))
    return Position(
        as_at=as_at,
        blocks=counts["blocks"],
        members=counts["members"],
        joining_pence=sums["joining"],
        paid_in_advance_pence=sums["paid"],
        drawn_pence=sums["paid"] - sums["left"],
        left_pence=sums["left"],
        in_pool_pence=sums["pool"],
        **_add(tallies.values()),
    )


def _by_pantry(agreement: FundingAgreement, as_at: date, tallies: dict) -> list[PantryPosition]:
    joining = dict(
        JournalLine.objects.filter(
            entry__agreement=agreement, entry__effective_on__lte=as_at, account=Account.JOINING, pantry__isnull=False
        )
        .order_by()
        .values_list("pantry")
        .annotate(Sum("pence"))
    )
    weekly: dict = defaultdict(list)
    for (pantry_id, _), tally in tallies.items():
        weekly[pantry_id].append(tally)
    pantries = Pantry.objects.filter(pk__in={*weekly, *joining}).order_by("name")
    return [
        PantryPosition(pantry=pantry, joining_pence=joining.get(pantry.pk, 0), **_add(weekly[pantry.pk]))
        for pantry in pantries
    ]


def of_blocks(blocks: list[PrepaidBlock], as_at: date) -> dict[object, Weekly]:
    """What became of each block's weeks, by block id: for a page of blocks, or one."""
    weeks = PaidWeek.objects.filter(block__in=[block.pk for block in blocks])
    by_block: dict = defaultdict(list)
    for (block_id, _), tally in _tally(weeks, as_at, key="block_id").items():
        by_block[block_id].append(tally)
    return {block.pk: Weekly(**_add(by_block[block.pk])) for block in blocks}


def with_left(agreements: QuerySet) -> QuerySet:
    """Annotates `left_pence`: what is left today of the money paid in advance."""
    advance = JournalLine.objects.filter(entry__agreement=OuterRef("pk"), account=Account.ADVANCE).order_by()
    total = advance.values("entry__agreement").annotate(total=Sum("pence")).values("total")
    return agreements.annotate(left_pence=Coalesce(Subquery(total), 0))


def with_advance(entries: QuerySet) -> QuerySet:
    """Journal entries, latest first; annotates `advance_pence`, what each moved into the money paid in advance."""
    advance = JournalLine.objects.filter(entry=OuterRef("pk"), account=Account.ADVANCE).order_by()
    total = advance.values("entry").annotate(total=Sum("pence")).values("total")
    return entries.annotate(advance_pence=Coalesce(Subquery(total), 0)).order_by("-effective_on", "-recorded_at", "pk")


def prepaid(agreement: FundingAgreement, on: date) -> int:
    """The prepayment at the end of a day (31 March): the weeks starting after it at the price paid."""
    return position(agreement, on).recoverable_pence


def _sum(condition: Q):
    return Coalesce(Sum("pence", filter=condition), 0)


def _blocks(agreement: FundingAgreement, as_at: date) -> QuerySet:
    return PrepaidBlock.objects.filter(agreement=agreement, bought_on__lte=as_at)


def _paid_weeks(agreement: FundingAgreement, as_at: date) -> QuerySet:
    return PaidWeek.objects.filter(block__agreement=agreement, block__bought_on__lte=as_at)


def _tally(paid_weeks: QuerySet, as_at: date, key: str = "pantry_id") -> dict:
    """{(key, week): figures} of paid weeks, a group per pantry, week and what became of it, added up by the database.

    A block that ended after `as_at` still had its weeks then, so its credited weeks count as to come.
    """
    State = PaidWeek.State
    collected = Collection.objects.counted().filter(
        membership=OuterRef("membership"), week=OuterRef("week"), on__lte=as_at
    )
    ended = Q(block__ended_on__isnull=True) | Q(block__ended_on__lte=as_at)
    groups = (
        paid_weeks.exclude(state=State.REVERSED)
        .annotate(
            became=Case(
                When(Q(state=State.CREDITED) & ended, then=Value("credited")),
                When(state=State.PARKED, then=Value("parked")),
                When(week__gt=as_at, then=Value("open")),  # spares looking for a collection
                When(Exists(collected), then=Value("collected")),
                default=Value("open"),
                output_field=CharField(),
            )
        )
        .order_by()
        .values(*{key, "pantry_id"}, "week", "became")
        .annotate(weeks=Count("pk"), money=Sum("pence"))
    )
    rows = list(groups)
    calendar = _calendar({row["pantry_id"] for row in rows if _is_over(row, as_at)})
    tallies: dict = defaultdict(lambda: dict.fromkeys(WEEKLY_FIELDS, 0))
    for row in rows:
        week, became = row["week"], row["became"]
        if _is_over(row, as_at):
            kind = "closed" if calendar.is_closed(row["pantry_id"], week) else "missed"
        elif became in ("open", "parked"):
            kind = "to_come"
        else:
            kind = became
        kinds = ["bought", kind]
        if kind == "to_come" and (week is None or week > as_at):
            kinds.append("recoverable")
        for name in kinds:
            tallies[row[key], week][f"{name}_weeks"] += row["weeks"]
            tallies[row[key], week][f"{name}_pence"] += row["money"]
    return tallies


def _is_over(row: dict, as_at: date) -> bool:
    """The group is of dated weeks without a collection whose Sunday has passed."""
    return row["became"] == "open" and row["week"] is not None and row["week"] + timedelta(days=6) < as_at


def _calendar(pantry_ids: set):
    return WeekCalendar.for_pantries(Pantry.objects.filter(pk__in=pantry_ids)) if pantry_ids else None


def _add(tallies) -> dict[str, int]:
    total = dict.fromkeys(WEEKLY_FIELDS, 0)
    for tally in tallies:
        for name, value in tally.items():
            total[name] += value
    return total
