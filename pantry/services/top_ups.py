"""Topping up: where an agreement says so, a price rise reaches the weeks it has bought and that are not yet used.

Not raised: weeks that have begun, parked weeks (they come back at their price), goodwill, weeks that members pay for,
and weeks in which a later agreed price holds. A price fall changes nothing.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby
from uuid import UUID

from django.db.models import F, OuterRef, Subquery
from django.db.models.functions import Coalesce

from pantry import rules
from pantry.models import (
    Account,
    BlockSource,
    EarlierPrice,
    EntryKind,
    FundingAgreement,
    PaidWeek,
    PrepaidBlock,
    Tariff,
    TopUp,
)
from pantry.services import journal, paid_weeks
from pantry.services.funds import Fund, Funds
from pantry.services.journal import Leg, Posting
from stockport_hubs.accounts.models import User
from stockport_hubs.audit import services as audit
from stockport_hubs.core import money
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.rehearsal import rehearsed

PAID = (BlockSource.FUNDED, BlockSource.OPENING)


@dataclass(frozen=True)
class Rise:
    """The weeks of one agreement that a price raises, as they are before it."""

    agreement: FundingAgreement
    tariff: Tariff
    rows: list[PaidWeek]

    @property
    def weeks(self) -> int:
        return len(self.rows)

    @property
    def members(self) -> int:
        return len({row.membership_id for row in self.rows})

    @property
    def pence(self) -> int:
        return sum(self.tariff.weekly_pence - row.pence for row in self.rows)


def agreed(pantry_ids: Iterable[UUID]) -> dict[UUID, list[Tariff]]:
    """The agreed prices of each pantry, in the order of their Mondays."""
    found: dict[UUID, list[Tariff]] = defaultdict(list)
    rows = Tariff.objects.agreed().filter(pantry__in=list(pantry_ids), withdrawn_at__isnull=True)
    for tariff in rows.order_by("from_week"):
        found[tariff.pantry_id].append(tariff)
    return found


def later(agreement: FundingAgreement, start: date, tariffs: list[Tariff]) -> tuple[Tariff, ...]:
    """Of a pantry's agreed prices those to which a block that starts on a Monday is topped up."""
    return tuple(t for t in tariffs if t.from_week > start) if agreement.tops_up_price_rises else ()


def cost(weeks: list[date], weekly_pence: int, later: Iterable[Tariff]) -> int:
    """What topping up a block costs on the day it is bought."""
    prices = [(tariff.from_week, tariff.weekly_pence) for tariff in later]
    return sum(rules.topped_up(week, weekly_pence, prices) - weekly_pence for week in weeks) if prices else 0


def rises(tariff: Tariff, on: date) -> list[Rise]:
    """What agreeing this price on a day raises, by agreement; nothing where it is no rise. Two queries."""
    others = agreed([tariff.pantry_id])[tariff.pantry_id]
    before = [other for other in others if other.from_week <= tariff.from_week]
    if not before or tariff.weekly_pence <= before[-1].weekly_pence:
        return []
    found = PaidWeek.objects.dated().filter(
        pantry=tariff.pantry_id,
        week__gt=on,
        week__gte=tariff.from_week,
        pence__lt=tariff.weekly_pence,
        block__source__in=PAID,
        block__agreement__tops_up_price_rises=True,
    )
    if len(before) < len(others):
        found = found.filter(week__lt=others[len(before)].from_week)
    last = EarlierPrice.objects.filter(paid_week=OuterRef("pk")).order_by("-pence").values("until_on")[:1]
    rows = found.annotate(since=Coalesce(Subquery(last), F("block__bought_on")))
    rows = rows.select_related("block__agreement").order_by("block__agreement_id", "pk")
    return [Rise(agreement, tariff, list(of_it)) for agreement, of_it in groupby(rows, lambda row: row.block.agreement)]


def why_not(found: list[Rise], *, by: User, on: date) -> str:
    """Why the budgets of today do not hold these rises, in a sentence; empty: they do. Changes nothing."""
    try:
        with rehearsed():
            _check_can_pay(found, _funds(found, on), by)
    except Refused as why:
        return str(why)
    return ""


def pay(*, tariff: Tariff, on: date, by: User, at: datetime) -> list[TopUp]:
    """Raise the weeks that a price to be agreed now raises: one entry for each agreement, drawn and committed today.

    In the caller's transaction, the tariff's row locked and not yet agreed. Locks the pantry, its members, then funds.
    """
    its = FundingAgreement.objects.filter(operator=tariff.pantry.operator_id, tops_up_price_rises=True)
    if not its.exists():
        return []
    paid_weeks.lock(
        tariff.pantry, on
    )  # what is bought, moved or credited meanwhile is seen here, or sees the new price
    found = rises(tariff, on)
    funds = _funds(found, on)
    _check_can_pay(found, funds, by)
    made = [_write(each, funds[each.agreement.pk], on=on, by=by, at=at) for each in found]
    funds.save()
    return made


def pay_bought(
    rows: list[PaidWeek],
    bought: dict[UUID, tuple[PrepaidBlock, tuple[Tariff, ...]]],
    funds: Funds,
    *,
    on: date,
    at: datetime,
    by: User | None,
    job: str,
) -> None:
    """Raise the weeks of blocks just bought, by their ids with their `later` prices: so it does not matter whether a
    price was agreed first or a block bought. The caller has seen that `cost` fits, and saves the funds."""
    raised: dict[tuple[UUID, UUID], Rise] = {}
    for row in rows:
        block, later = bought[row.block_id]
        in_force = [tariff for tariff in later if row.week and tariff.from_week <= row.week]
        if in_force and in_force[-1].weekly_pence > row.pence and block.agreement_id:
            fund, tariff = funds[block.agreement_id], in_force[-1]
            raised.setdefault((block.agreement_id, tariff.pk), Rise(fund.agreement, tariff, [])).rows.append(row)
            row.since = on  # type: ignore[attr-defined]
    for (agreement_id, _), rise in raised.items():
        _write(rise, funds[agreement_id], on=on, at=at, by=by, job=job)


def _funds(found: list[Rise], on: date) -> Funds:
    return Funds([each.agreement for each in found], on)


def _check_can_pay(found: list[Rise], funds: Funds, by: User) -> None:
    """Refuse in words; another council's figures are not for this finance officer."""
    said = []
    for each in found:
        lacking = funds[each.agreement.pk].lacking(each.pence)
        if lacking and each.agreement.funder_id != by.organisation_id:
            said.append(
                "Another council tops up weeks at this pantry, and its budget does not hold this price. "
                "Its leaving care manager has to enter a larger budget first."
            )
        elif lacking:
            said.append(
                f"Topping up {said_weeks(each.weeks, each.members)} costs {money.pounds(each.pence)}, and the year’s "
                f"budget of {each.agreement.name} is {money.pounds(lacking)} short of it. A leaving care manager can "
                "enter a larger budget on the agreement; then this price can be agreed."
            )
    if said:
        raise Refused(" ".join(dict.fromkeys(said)))


def said_weeks(weeks: int, members: int) -> str:
    """ "13 weeks of 1 member"."""
    return f"{weeks:,} week{'' if weeks == 1 else 's'} of {members:,} member{'' if members == 1 else 's'}"


def _write(rise: Rise, fund: Fund, *, on: date, at: datetime, by: User | None, job: str = "") -> TopUp:
    tariff, pence = rise.tariff, rise.pence
    credit = fund.draw_top_up(pence)
    made = TopUp.objects.create(tariff=tariff, agreement=rise.agreement, on=on, pence=pence, from_pool_pence=credit)
    EarlierPrice.objects.bulk_create(
        [
            EarlierPrice(top_up=made, paid_week=row, pence=row.pence, from_on=row.since, until_on=on)  # type: ignore[attr-defined]
            for row in rise.rows
        ],
        batch_size=journal.ROWS,
    )
    PaidWeek.objects.filter(earlier_prices__top_up=made).update(pence=tariff.weekly_pence)

    def leg(account: str, amount: int, pantry_id=None) -> Leg:
        return Leg(account, amount, "top_up", made.pk, account, pantry_id)

    legs = [
        leg(Account.ADVANCE, credit - pence),
        leg(Account.POOL, -credit),
        leg(Account.WEEKS, pence, tariff.pantry_id),
    ]
    journal.post([Posting(EntryKind.TOP_UP, rise.agreement.pk, on, legs)], at=at, by=by, job=job)
    subjects = sorted({(audit.MEMBERSHIP, row.membership_id) for row in rise.rows}, key=str)
    audit.record("pantry.weeks.topped_up", at=at, by=by, job=job, target=made, subjects=subjects)
    return made
