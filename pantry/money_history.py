"""A member's money, move by move: a sentence for all that was bought, given, paid, moved, credited or decided."""

from collections import defaultdict
from datetime import date
from uuid import UUID

from django.db.models import Count, F, Sum

from pantry.members import Event
from pantry.models import (
    Account,
    BlockSource,
    EarlierPrice,
    EntryKind,
    JournalLine,
    Membership,
    MembershipMove,
    PrepaidBlock,
    Proposal,
    RenewalDecision,
)
from stockport_hubs.accounts.models import Role, User
from stockport_hubs.core.money import pounds
from stockport_hubs.core.weeks import london_date, spoken

Outcome = RenewalDecision.Outcome
State = Membership.State


def of(member: Membership, user: User) -> list[Event]:
    """The earliest first; at most 7 queries. People of another organisation appear as that organisation, and the pantry
    does not read why the council decided what it did."""
    blocks = list(member.blocks.select_related("bought_by__organisation"))
    if not blocks and member.agreement_id is None:
        return []
    found = [(block.bought_on, _bought(block), block.bought_by) for block in blocks]
    found += _posted({block.pk: block for block in blocks})
    found += _topped_up(member)
    found += _pauses(member)
    found += _decided(member)
    if user.role != Role.PANTRY_MANAGER:
        found += _agreed(member)
    found.sort(key=lambda each: each[0])
    return [Event(on, what, _who(by, user)) for on, what, by in found]


def _who(by: User | None, user: User) -> str:
    if by is None:
        return "by itself"
    return by.name if by.organisation_id == user.organisation_id else by.organisation.name


def _weeks(n: int) -> str:
    return f"{n} week{'' if n == 1 else 's'}"


def _bought(block: PrepaidBlock) -> str:
    start = f"from the week of {spoken(block.starts_on)}"
    if block.source == BlockSource.GOODWILL:
        return f"{_weeks(block.weeks)} given as goodwill for £0.00, {start}."
    if block.source == BlockSource.SELF_PAY:
        return f"The member paid {pounds(block.price_pence)} for the week of {spoken(block.starts_on)}."
    if block.source == BlockSource.OPENING:
        worth = f"{_weeks(block.weeks)} left at {pounds(block.weekly_pence)}, {pounds(block.price_pence)}"
        return f"Opening position: {worth}, {start}. No joining fee."
    fee = f"{pounds(block.joining_pence)} joining fee and " if block.joining_pence else ""
    paid = f"{pounds(block.from_pool_pence)} of it from credit, " if block.from_pool_pence else ""
    price = f"{fee}{block.weeks} × {pounds(block.weekly_pence)} = {pounds(block.price_pence)}"
    return f"Block {block.block_no} bought: {price}, {paid}{start}."


def _posted(blocks: dict[UUID, PrepaidBlock]) -> list[tuple[date, str, User | None]]:
    """Credits and transfers, from the journal: one sentence for each entry and block."""
    lines = JournalLine.objects.filter(
        source_id__in=blocks,
        account=Account.WEEKS,
        entry__kind__in=[EntryKind.CREDIT, EntryKind.TRANSFER],
    ).select_related("entry__by__organisation", "pantry")
    grouped: dict[tuple, list[JournalLine]] = defaultdict(list)
    for line in lines.order_by("pk"):
        way = line.pence > 0 if line.entry.kind == EntryKind.TRANSFER else False
        grouped[line.entry_id, line.source_id, way].append(line)
    found = []
    for (_, block_id, comes), rows in grouped.items():
        entry, pence = rows[0].entry, abs(sum(row.pence for row in rows))
        block = f"block {blocks[block_id].block_no}"
        if entry.kind == EntryKind.CREDIT:
            found.append((entry.effective_on, f"{pounds(pence)} of {block} went back as credit.", entry.by))
        elif comes:
            where = ", ".join(sorted({row.pantry.name for row in rows if row.pantry}))
            found.append((entry.effective_on, f"{pounds(pence)} of {block} moved to {where}, at its price.", entry.by))
    return found


def _topped_up(member: Membership) -> list[tuple[date, str, User | None]]:
    raised = F("top_up__tariff__weekly_pence") - F("pence")
    rows = EarlierPrice.objects.filter(paid_week__membership=member).order_by()
    grouped = rows.values_list("top_up__on", "top_up__tariff__weekly_pence").annotate(n=Count("pk"), more=Sum(raised))
    return [(on, f"{_weeks(n)} topped up to {pounds(price)}: {pounds(more)}.", None) for on, price, n, more in grouped]


def _pauses(member: Membership) -> list[tuple[date, str, User | None]]:
    """A pause costs nothing; its weeks wait and keep their price."""
    found: list[tuple[date, str, User | None]] = []
    before = ""
    for move in MembershipMove.objects.filter(membership=member).select_related("by__organisation"):
        if move.state == State.PAUSED and before != State.PAUSED:
            found.append((move.on, "Paused: weeks not yet begun wait, at their price. £0.00.", move.by))
        elif move.state == State.OPEN and before == State.PAUSED:
            found.append((move.on, "Started again: the weeks that waited are dated, at their price. £0.00.", move.by))
        before = move.state
    return found


def _decided(member: Membership) -> list[tuple[date, str, User | None]]:
    rows = RenewalDecision.objects.filter(membership=member).exclude(outcome=Outcome.RENEWED)
    found: list[tuple[date, str, User | None]] = []
    for each in rows.select_related("decided_by__organisation"):
        block = f"block {each.block_no}"
        what = {
            Outcome.HELD: f"The renewal of {block} is held for a manager. Nothing is bought.",
            Outcome.SELF_PAY: f"In place of {block} the member pays each week.",
            Outcome.STOPPED: f"No {block} is bought.",
        }[Outcome(each.outcome)]
        found.append((london_date(each.decided_at), what, each.decided_by))
    return found


def _agreed(member: Membership) -> list[tuple[date, str, User | None]]:
    """What two people agreed by hand."""
    rows = Proposal.objects.filter(membership=member, state=Proposal.State.APPROVED)
    found: list[tuple[date, str, User | None]] = []
    for each in rows.select_related("proposed_by", "answered_by__organisation"):
        assert each.answered_at is not None
        what = f"{each}, {pounds(each.pence)}: proposed by {each.proposed_by}, approved by {each.answered_by}."
        found.append((london_date(each.answered_at), what, each.answered_by))
    return found
