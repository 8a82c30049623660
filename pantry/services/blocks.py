"""Prepaid blocks: write what was bought, buy by hand, move weeks that fall on closed weeks."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Exists, F, Max, OuterRef, Q, Subquery

from pantry import rules
from pantry.models import (
    Account,
    BlockSource,
    Closure,
    Collection,
    EntryKind,
    FundingAgreement,
    Membership,
    PaidWeek,
    Pantry,
    Place,
    PrepaidBlock,
    Tariff,
)
from pantry.services import journal, paid_weeks, top_ups
from pantry.services.funds import Funds
from pantry.services.journal import Leg, Posting
from stockport_hubs.accounts.models import User
from stockport_hubs.core import money
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.kept import Kept
from stockport_hubs.core.weeks import london_date

ROWS = 1000  # rows of one insert


@dataclass(frozen=True, kw_only=True)
class Purchase:
    """A block about to be written; money in pence, weeks are Mondays in order."""

    membership_id: UUID
    member_number: int
    block_no: int
    agreement_id: UUID | None  # None: the member has paid
    pantry_id: UUID
    weeks: list[date]
    weekly_pence: int
    joining_pence: int = 0
    from_pool_pence: int = 0
    source: str = BlockSource.FUNDED
    later: tuple[Tariff, ...] = ()  # `top_ups.later`: agreed prices that its later weeks are topped up to

    @property
    def price_pence(self) -> int:
        return self.joining_pence + len(self.weeks) * self.weekly_pence


def write(
    purchases: list[Purchase],
    *,
    on: date,
    at: datetime,
    by: User | None = None,
    job: str = "",
    funds: Funds | None = None,
) -> list[PrepaidBlock]:
    """Insert blocks, paid weeks and journal: a fixed number of inserts for each batch of 200.

    In the caller's transaction, with the memberships and the agreements' funds locked; `funds` pay what later prices
    add, and are the caller's to save. Refuses nothing: the unique keys
    (membership, block_no), (membership, week) and (source, leg) decide.
    """
    blocks = [
        PrepaidBlock(
            membership_id=p.membership_id,
            member_number=p.member_number,
            block_no=p.block_no,
            source=p.source,
            agreement_id=p.agreement_id,
            weeks=len(p.weeks),
            weekly_pence=p.weekly_pence,
            joining_pence=p.joining_pence,
            from_pool_pence=p.from_pool_pence,
            starts_on=p.weeks[0],
            bought_on=on,
            bought_by=by,
        )
        for p in purchases
    ]
    PrepaidBlock.objects.bulk_create(blocks, batch_size=ROWS)
    bought = list(zip(purchases, blocks, strict=True))
    rows = [
        PaidWeek(
            block_id=block.pk,
            membership_id=p.membership_id,
            position=position,
            week=week,
            pantry_id=p.pantry_id,
            pence=p.weekly_pence,
        )
        for p, block in bought
        for position, week in enumerate(p.weeks, 1)
    ]
    PaidWeek.objects.bulk_create(rows, batch_size=ROWS)
    journal.post([_posting(p, block, on) for p, block in bought if p.agreement_id], at=at, by=by, job=job)
    for p, block in bought:
        block.topped_up_pence = top_ups.cost(p.weeks, p.weekly_pence, p.later)
    if funds and any(p.later for p in purchases):
        top_ups.pay_bought(rows, {b.pk: (b, p.later) for p, b in bought}, funds, on=on, at=at, by=by, job=job)
    _link_collections([p for p in purchases if p.weeks[0] <= on])
    begins = Place.objects.filter(from_week__gt=on).exclude(from_week=F("membership__first_week"))
    moving = set(
        begins.filter(membership__in=[p.membership_id for p in purchases]).values_list("membership", flat=True)
    )
    if moving:  # weeks beyond a move belong to the next pantry
        paid_weeks.settle(moving, on=on, at=at, by=by, job=job)
    return blocks


def _posting(p: Purchase, block: PrepaidBlock, on: date) -> Posting:
    def leg(account, pence, pantry_id=None):
        return Leg(account, pence, "block", block.pk, account, pantry_id)

    opening = p.source == BlockSource.OPENING  # paid before the agreement was kept here
    legs = [
        leg(Account.OPENING if opening else Account.ADVANCE, p.from_pool_pence - p.price_pence),
        leg(Account.POOL, -p.from_pool_pence),
        leg(Account.JOINING, p.joining_pence, p.pantry_id),
        leg(Account.WEEKS, len(p.weeks) * p.weekly_pence, p.pantry_id),
    ]
    assert p.agreement_id is not None
    return Posting(EntryKind.OPENING if opening else EntryKind.PURCHASE, p.agreement_id, on, legs)


def _link_collections(late: list[Purchase]) -> None:
    """Collections taken before their week was bought now have their paid week."""
    if not late:
        return
    week = PaidWeek.objects.dated().filter(membership=OuterRef("membership"), week=OuterRef("week"))
    unfunded = Collection.objects.counted().filter(
        membership__in=[p.membership_id for p in late],
        week__gte=min(p.weeks[0] for p in late),
        paid_week__isnull=True,
    )
    unfunded.filter(Exists(week)).update(paid_week=Subquery(week.values("pk")[:1]))


def tariff_in_force(pantry: Pantry, week: date) -> Tariff | None:
    """The agreed price of a pantry in this week: of a block that starts in it, and at the counter."""
    agreed = Tariff.objects.agreed().filter(pantry=pantry, withdrawn_at__isnull=True, from_week__lte=week)
    return agreed.order_by("-from_week").first()


class Price(NamedTuple):
    """What an agreed tariff says, in pence."""

    weekly_pence: int
    joining_pence: int


PRICES = Kept(
    lambda pantries, week: (
        Tariff.objects.agreed()
        .filter(pantry__in=pantries, withdrawn_at__isnull=True, from_week__lte=week)
        .order_by("from_week")
        .values_list("pantry_id", "weekly_pence", "joining_pence")
    )
)


def prices_in_force(pantries: Iterable[UUID], week: date) -> dict[UUID, Price]:
    """What tariff_in_force says for several pantries, by their ids."""
    return {pantry: Price(*pence) for pantry, *pence in PRICES(pantries=list(pantries), week=week)}


def buy_one(
    *,
    membership: Membership,
    agreement: FundingAgreement,
    pantry: Pantry,
    block_no: int,
    weeks: list[date],
    on: date,
    at: datetime,
    by: User,
    previous_left_on: date | None = None,
    with_fee: bool = False,
) -> PrepaidBlock:
    """Price and write one block; in words when there is no agreed tariff or the budget does not hold it.

    In the caller's transaction, the membership locked (or new in it).
    """
    tariff = tariff_in_force(pantry, weeks[0])
    if tariff is None:
        raise Refused(
            f"{pantry.name} has no agreed price for the week of {weeks[0]:%-d %B %Y}. "
            "The pantry manager proposes one and a finance officer agrees it."
        )
    fee = rules.joining_fee(tariff.joining_pence, on, previous_left_on) if with_fee else 0
    price = fee + len(weeks) * tariff.weekly_pence
    tariffs = top_ups.agreed([pantry.pk])[pantry.pk] if agreement.tops_up_price_rises else []
    later = top_ups.later(agreement, weeks[0], tariffs)
    cost = price + top_ups.cost(weeks, tariff.weekly_pence, later)
    funds = Funds([agreement], on)
    fund = funds[agreement.pk]
    if not fund.fits(cost):
        raise Refused(
            f"The block costs {money.pounds(cost)} and the year’s budget of {agreement.name} has "
            f"{money.pounds(fund.budget_left_pence or 0)} left. A larger budget can be entered on the agreement."
        )
    purchase = Purchase(
        membership_id=membership.pk,
        member_number=membership.number,
        block_no=block_no,
        agreement_id=agreement.pk,
        pantry_id=pantry.pk,
        weeks=weeks,
        weekly_pence=tariff.weekly_pence,
        joining_pence=fee,
        from_pool_pence=fund.draw(price),
        later=later,
    )
    [block] = write([purchase], on=on, at=at, by=by, funds=funds)
    funds.save()
    return block


def locked(membership_id: UUID) -> Membership:
    """The membership with its row locked: every purchase, decision and leaving starts here."""
    rows = Membership.objects.select_for_update(of=("self",), no_key=True).select_related("agreement")
    return rows.get(pk=membership_id)


def last_no(membership: Membership) -> int:
    """The number of the member's last block; 0 before the first."""
    return PrepaidBlock.objects.filter(membership=membership).aggregate(n=Max("block_no"))["n"] or 0


def check_can_buy(membership: Membership) -> FundingAgreement:
    """The agreement that pays, or a refusal in words."""
    if membership.state == Membership.State.ENDED:
        raise Refused(f"{membership} left on {membership.ended_on:%-d %B %Y}, so no more weeks can be bought.")
    if membership.state == Membership.State.PAUSED:
        raise Refused(f"{membership} is paused. Nothing is bought until the pause ends.")
    if membership.agreement is None:
        raise Refused(f"No agreement pays for {membership}.")
    return membership.agreement


def home(membership: Membership, week: date) -> Pantry:
    """The pantry of the member's place in a week."""
    pantry_id = paid_weeks.pantry_in(paid_weeks.places([membership.pk])[membership.pk], week)
    if pantry_id is None:
        raise Refused(f"{membership} has no place at a pantry in the week of {week:%-d %B %Y}.")
    return Pantry.objects.get(pk=pantry_id)


@transaction.atomic
def redate_after_closure(*, closure: Closure, by: User, at: datetime) -> int:
    """Unused weeks that the closure closes move to the next free open ones; the number of members whose weeks moved."""
    return paid_weeks.redate(pantry=closure.pantry, on=london_date(at), at=at, by=by)


@transaction.atomic
def redate(*, pantry: Pantry, by: User, at: datetime) -> int:
    """The same after other hours, another bank-holiday rule, or a closure taken back (then only due dates move)."""
    return paid_weeks.redate(pantry=pantry, on=london_date(at), at=at, by=by)


def funded_before(previous: dict[UUID, UUID | None]) -> dict[UUID, int]:
    """How many funded blocks were bought under earlier memberships of the same people, by membership id.

    `previous` maps a membership to the one it names; a query for each step back, and none when nobody has rejoined.
    """
    had = dict.fromkeys(previous, 0)
    while previous := {key: earlier for key, earlier in previous.items() if earlier}:
        rows = Membership.objects.filter(pk__in=previous.values()).annotate(
            n=Count("blocks", filter=Q(blocks__source__in=top_ups.PAID))
        )
        found = {pk: (earlier, n) for pk, earlier, n in rows.order_by().values_list("pk", "previous", "n")}
        for key, earlier in previous.items():
            had[key] += found[earlier][1]
        previous = {key: found[earlier][0] for key, earlier in previous.items()}
    return had
