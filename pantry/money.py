"""Where the money of an agreement is, as at a day: one definition for screens, packs and checks (rules.md, Money).

Payments, draws, joining fees and credit in the pool are read from the journal; what became of the weeks is counted from
paid weeks. Everything is integer pence, in a handful of queries whatever the number of members.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date, timedelta
from typing import NamedTuple
from uuid import UUID

from django.db.models import (
    Case,
    CharField,
    Count,
    Exists,
    FilteredRelation,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    Value,
    When,
)
from django.db.models.functions import Cast, Coalesce

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
from stockport_hubs.core.among import Among
from stockport_hubs.core.kept import Kept, together

PAYS = (EntryKind.PAYMENT, EntryKind.BY_HAND)  # what is paid over, and what two people have put right by hand
OF_PAYMENTS = Q(entry__kind__in=PAYS) | Q(entry__kind=EntryKind.REVERSAL, entry__reverses__kind__in=PAYS)


@dataclass(frozen=True, kw_only=True)
class Weekly:
    """Weekly money and weeks: bought = collected + missed + closed + to come + credited.

    collected  a dated week with a counted collection of that member in it
    missed     a dated week whose Sunday has passed, not closed, without a counted collection
    closed     a dated week whose Sunday has passed and which closed after it had begun; nearly always nothing
    to_come    dated weeks whose Sunday has not passed without a collection yet, and parked weeks
    credited   weeks given back to the pool: the block ended early, or two people agreed it
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


class Books(NamedTuple):
    """What `position` and `by_pantry` of one day are made of."""

    weeks: dict  # what became of them, by pantry
    sums: tuple
    blocks: tuple


def books(agreement: FundingAgreement, as_at: date, calendar: WeekCalendar | None = None) -> Books:
    """3 queries, sent together, and those of the calendar."""
    ours = {"agreement": agreement.pk, "as_at": as_at}
    groups, sums, blocks = together(OF_AGREEMENT.of(**ours, over=as_at - SIX_DAYS), SUMS.of(**ours), BLOCKS.of(**ours))
    return Books(_tally(groups, calendar), next(iter(sums), (None, 0, 0, 0, 0)), next(iter(blocks), (None, 0, 0)))


def position(
    agreement: FundingAgreement, as_at: date, calendar: WeekCalendar | None = None, known: Books | None = None
) -> Position:
    """The whole agreement at the end of a day. `known`: the `books` of that day."""
    tallies, (_, paid, left, joining, pool), (_, blocks, members) = known or books(agreement, as_at, calendar)
    return Position(
        as_at=as_at,
        blocks=blocks,
        members=members,
        joining_pence=joining,
        paid_in_advance_pence=paid,
        drawn_pence=paid - left,
        left_pence=left,
        in_pool_pence=pool,
        **_add(tallies.values()),
    )


def by_pantry(agreement: FundingAgreement, as_at: date, known: Books | None = None) -> list[PantryPosition]:
    """The agreement's money at each pantry that has any of it, by name; adds up to `position`."""
    return _by_pantry(agreement, as_at, (known or books(agreement, as_at)).weeks)


def statement(agreement: FundingAgreement, as_at: date) -> tuple[Position, list[PantryPosition]]:
    """`position` and `by_pantry` with the weeks counted once."""
    known = books(agreement, as_at)
    return position(agreement, as_at, known=known), by_pantry(agreement, as_at, known)


def _by_pantry(
    agreement: FundingAgreement, as_at: date, tallies: dict, lines: QuerySet[JournalLine] | None = None
) -> list[PantryPosition]:
    """`lines`: of these alone come the joining fees."""
    joining = dict(
        (JournalLine.objects.all() if lines is None else lines)
        .filter(
            entry__agreement=agreement, entry__effective_on__lte=as_at, account=Account.JOINING, pantry__isnull=False
        )
        .order_by()
        .values_list("pantry")
        .annotate(Sum("pence"))
    )
    pantries = Pantry.objects.filter(pk__in={*tallies, *joining}).order_by("name")
    return [
        PantryPosition(pantry=pantry, joining_pence=joining.get(pantry.pk, 0), **tallies[pantry.pk])
        for pantry in pantries
    ]


def of_blocks(blocks: list[PrepaidBlock], as_at: date) -> dict[object, Weekly]:
    """What became of each block's weeks, by block id: for a page of blocks, or one."""
    weeks = PaidWeek.objects.filter(block__in=[block.pk for block in blocks])
    tallies = _tally(_groups(weeks, as_at, as_at - SIX_DAYS, "block_id"))
    return {block.pk: Weekly(**tallies[block.pk]) for block in blocks}


def counted(paid_weeks: QuerySet, as_at: date, key: str, calendar: WeekCalendar | None = None) -> dict:
    """What became of some paid weeks at the end of a day: {key: WEEKLY_FIELDS}, `key` being a column of theirs."""
    return _tally(_groups(paid_weeks, as_at, as_at - SIX_DAYS, key), calendar)


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


def of_members(
    agreement: FundingAgreement, as_at: date, members: Iterable[UUID], calendar: WeekCalendar | None = None
) -> list[PantryPosition]:
    """`by_pantry` of some members alone; joining fees are those bought with their blocks."""
    members = list(members)
    weeks = PaidWeek.objects.filter(
        Among("membership", members), block__agreement=agreement, block__bought_on__lte=as_at
    )
    tallies = _tally(_groups(weeks, as_at, as_at - SIX_DAYS, "pantry_id"), calendar)
    fees = JournalLine.objects.filter(
        source_type="block", source_id__in=_blocks(agreement, as_at, members).values("pk")
    )
    return _by_pantry(agreement, as_at, tallies, fees)


def blocks_of(agreement: FundingAgreement, as_at: date, members: Iterable[UUID]) -> tuple[int, int]:
    """How many blocks were bought for these members by a day, and for how many of them."""
    counted = _blocks(agreement, as_at, members).aggregate(
        blocks=Count("pk"), members=Count("membership", distinct=True)
    )
    return counted["blocks"], counted["members"]


def _blocks(agreement: FundingAgreement, as_at: date, members: Iterable[UUID]) -> QuerySet[PrepaidBlock]:
    return PrepaidBlock.objects.filter(
        Among("membership", members), agreement=agreement, bought_on__lte=as_at
    ).order_by()


def prepaid(agreement: FundingAgreement, on: date) -> int:
    """The prepayment at the end of a day (31 March): the weeks starting after it at the price paid."""
    return position(agreement, on).recoverable_pence


def _sum(condition: Q):
    return Coalesce(Sum("pence", filter=condition), 0)


def _groups(paid_weeks: QuerySet, as_at: date, over: date, key: str) -> QuerySet:
    """(key, pantry, what became of them, weeks, pence), added up by the database; weeks before `over` have had their
    Sunday, and those of them that nobody collected are told apart by their Monday, for they may have been closed.

    One choice says all that: whether somebody came is what takes the database its time, and is asked once a week.

    A week credited after `as_at` counts as what it was then. A week topped up after `as_at` counts at the one earlier
    price that held then.
    """
    State = PaidWeek.State
    collected = Collection.objects.counted().filter(
        membership=OuterRef("membership"), week=OuterRef("week"), on__lte=as_at
    )
    became = Case(
        When(credited_on__lte=as_at, then=Value("credited")),
        When(Q(state=State.PARKED) | Q(week__isnull=True) | Q(week__gt=as_at), then=Value("recoverable")),
        When(Exists(collected), then=Value("collected")),
        When(week__lt=over, then=Cast("week", CharField())),
        default=Value("to_come"),
        output_field=CharField(),
    )
    groups = paid_weeks.exclude(state=State.REVERSED).annotate(became=became).order_by()
    groups = groups.values_list(key, "pantry_id", "became")
    held = Q(earlier_prices__from_on__lte=as_at, earlier_prices__until_on__gt=as_at)
    groups = groups.annotate(earlier=FilteredRelation("earlier_prices", condition=held))
    return groups.annotate(weeks=Count("pk"), money=Sum(Coalesce("earlier__pence", "pence")))


SIX_DAYS = timedelta(days=6)
OF_AGREEMENT = Kept(
    lambda agreement, as_at, over: _groups(
        PaidWeek.objects.filter(block__agreement=agreement, block__bought_on__lte=as_at), as_at, over, "pantry_id"
    )
)
OF_ADVANCE = Q(account=Account.ADVANCE)
SUMS = Kept(
    lambda agreement, as_at: (
        JournalLine.objects.filter(entry__agreement=agreement, entry__effective_on__lte=as_at)
        .order_by()
        .values_list("entry__agreement")
        .annotate(
            paid=_sum(OF_ADVANCE & OF_PAYMENTS),
            left=_sum(OF_ADVANCE),
            joining=_sum(Q(account=Account.JOINING)),
            pool=_sum(Q(account=Account.POOL)),
        )
    )
)
BLOCKS = Kept(
    lambda agreement, as_at: (
        PrepaidBlock.objects.filter(agreement=agreement, bought_on__lte=as_at)
        .order_by()
        .values_list("agreement")
        .annotate(blocks=Count("pk"), members=Count("membership", distinct=True))
    )
)


def _tally(groups: Iterable, calendar: WeekCalendar | None = None) -> dict:
    """{key: figures} of groups of paid weeks; a key without any has noughts."""
    groups, calendar = list(groups), calendar or WeekCalendar({})
    over = {became: date.fromisoformat(became) for _, _, became, _, _ in groups if became[0].isdigit()}
    calendar.learn(pantry_id for _, pantry_id, became, _, _ in groups if became in over)
    tallies: dict = defaultdict(lambda: dict.fromkeys(WEEKLY_FIELDS, 0))
    for key, pantry_id, became, weeks, pence in groups:
        if became in over:
            kinds = ["closed" if calendar.is_closed(pantry_id, over[became]) else "missed"]
        else:
            kinds = ["to_come", became] if became == "recoverable" else [became]
        tally = tallies[key]
        for name in ("bought", *kinds):
            tally[f"{name}_weeks"] += weeks
            tally[f"{name}_pence"] += pence
    return tallies


def _add(tallies) -> dict[str, int]:
    total = dict.fromkeys(WEEKLY_FIELDS, 0)
    for tally in tallies:
        for name, value in tally.items():
            total[name] += value
    return total
