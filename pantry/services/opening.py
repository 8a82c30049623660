"""The opening position: memberships that ran before the agreement was kept here, posted at the cut-over.

Weeks left lie on the open weeks from the cut-over's Monday on. No joining fee, no week before it, nothing drawn: what
was paid before stands against the account of the opening position. Reached through `proposals`: two people agree it.
"""

from collections.abc import Iterable
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from django.db import transaction

from pantry import rules
from pantry.calendar import WeekCalendar
from pantry.models import (
    BlockSource,
    FundingAgreement,
    Membership,
    MembershipMove,
    PaidWeek,
    Pantry,
    Place,
    PrepaidBlock,
)
from pantry.opening import COLUMNS, Line
from pantry.services import blocks, paid_weeks
from pantry.services.blocks import Purchase
from stockport_hubs.accounts.models import User
from stockport_hubs.audit import services as audit
from stockport_hubs.core import money
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.weeks import is_monday, london_date, monday, spoken, sunday

State = Membership.State


class Posted(NamedTuple):
    """What was cut over; money in pence."""

    members: int
    weeks: int
    pence: int
    first_due_on: date | None


def check_cut_over(agreement: FundingAgreement, cut_over: date, today: date) -> None:
    """Raises Refused with why a day is no cut-over: a Monday that has come, up to 28 days back, under the agreement."""
    if not is_monday(cut_over):
        raise Refused(f"The cut-over is a Monday. The Monday of that week is {spoken(monday(cut_over))}.")
    if cut_over > today:
        raise Refused("That Monday has not come yet. Cut over on the day, or choose this week’s Monday.")
    if cut_over < today - rules.LATE:
        raise Refused("The cut-over can be up to 28 days back. Choose a Monday within the last 28 days.")
    if sunday(cut_over) < agreement.starts_on or (agreement.ends_on and agreement.ends_on < cut_over):
        raise Refused(f"{agreement} does not pay for that week. Choose a Monday within its dates.")


def judge(*, agreement: FundingAgreement, lines: list[Line], cut_over: date) -> list[Line]:
    """The same lines, with a problem for each that does not fit what is there; a fixed number of queries."""
    pantries = _pantries(agreement)
    numbers = [line.number for line in lines if line.number]
    there = {m.number: m for m in Membership.objects.filter(operator=agreement.operator_id, number__in=numbers)}
    # The pantry each of them belongs to in the week of the cut-over.
    places = paid_weeks.places([member.pk for member in there.values()])
    ours = {agreement.name.casefold(), agreement.funder.name.casefold()}
    for line in lines:
        _refuse_missing(line)
        pantry = pantries.get(line.pantry.casefold())
        if line.pantry and pantry is None:
            line.refuse("pantry", f"is no pantry of {agreement.operator.name}")
        elif pantry and pantry.closing_on and pantry.closing_on <= cut_over:
            line.refuse("pantry", "closes for good before the cut-over")
        if line.funder and line.funder.casefold() not in ours:
            line.refuse("funder", f"is neither {agreement.funder.name} nor {agreement.name}")
        if line.day and line.day > cut_over:
            line.refuse("joined_on", "is later than the cut-over")
        if member := there.get(line.number):
            home = paid_weeks.pantry_in(places[member.pk], cut_over)
            if why := _why_not(member, cut_over, at_home=pantry is None or home == pantry.pk):
                line.refuse("number", why)
    return lines


def _refuse_missing(line: Line) -> None:
    """The form has refused it too; a proposal is held to the same."""
    told = {column for column, _ in line.problems}
    for name, (said, _) in COLUMNS.items():
        if not getattr(line, name) and said not in told:
            line.refuse(name, "is missing")


def _why_not(member: Membership, cut_over: date, *, at_home: bool) -> str:
    """Why a membership that is there already cannot be paid for from the cut-over on; empty: it can."""
    if member.state != State.OPEN:
        return f"is a membership that is {member.get_state_display().lower()}"
    if member.agreement_id:
        return "is a member an agreement pays for already"
    if member.first_week > cut_over:
        return "is a membership that begins after the cut-over"
    return "" if at_home else "is a member of another pantry"


def total(lines: Iterable[Line]) -> int:
    """Weeks left at their price, in pence: what the control total must be."""
    return sum(line.pence for line in lines)


def check(*, agreement: FundingAgreement, lines: list[Line], cut_over: date, control_pence: int, today: date) -> None:
    """Raises Refused unless every line fits and the total is the control total."""
    check_cut_over(agreement, cut_over, today)
    judge(agreement=agreement, lines=lines, cut_over=cut_over)
    if wrong := sum(1 for line in lines if line.problems):
        first = next(line for line in lines if line.problems)
        column, reason = first.problems[0]
        raise Refused(f"Rows refused: {wrong}. The first is row {first.row}: {column} {reason}. Nothing is cut over.")
    if (found := total(lines)) != control_pence:
        raise Refused(
            f"The rows come to {money.pounds(found)} and the control total is {money.pounds(control_pence)}: "
            f"{money.pounds(abs(found - control_pence))} apart. Put the file or the total right."
        )


@transaction.atomic
def post(
    *, agreement: FundingAgreement, lines: list[Line], cut_over: date, control_pence: int, by: User, at: datetime
) -> Posted:
    """All of it or nothing: memberships run, each with one block of the weeks left at its price."""
    pantries = _pantries(agreement, locked=True)
    check(
        agreement=agreement,
        lines=lines,
        cut_over=cut_over,
        control_pence=control_pence,
        today=london_date(at),
    )
    members = _members(agreement, lines, cut_over, pantries, by, at)
    calendar = WeekCalendar.for_pantries(pantries.values())
    numbers, taken = _had(members)
    purchases = []
    for line in lines:
        member, pantry = members[line.number], pantries[line.pantry.casefold()]
        purchases.append(
            Purchase(
                membership_id=member.pk,
                member_number=member.number,
                block_no=numbers.get(member.pk, 0) + 1,
                agreement_id=agreement.pk,
                pantry_id=pantry.pk,
                weeks=calendar.next_open_weeks(pantry.pk, cut_over, line.weeks_left, taken.get(member.pk, set())),
                weekly_pence=line.weekly_pence,
                source=BlockSource.OPENING,
            )
        )
    blocks.write(purchases, on=cut_over, at=at, by=by)
    keys = [member.pk for member in members.values()]
    paid_weeks.set_due(keys)
    subjects = [(audit.MEMBERSHIP, key) for key in keys]
    audit.record("pantry.opening.posted", at=at, by=by, target=agreement, subjects=subjects)
    first = Membership.objects.filter(pk__in=keys, next_due_on__isnull=False).order_by("next_due_on").first()
    return Posted(len(keys), sum(line.weeks_left for line in lines), total(lines), first.next_due_on if first else None)


def _pantries(agreement: FundingAgreement, locked: bool = False) -> dict[str, Pantry]:
    """The operator's pantries by name in small letters. Locked, with the operator: a join gives no number meanwhile."""
    rows = Pantry.objects.filter(operator=agreement.operator_id).select_related("operator").order_by("pk")
    if locked:
        rows = rows.select_for_update(of=("self", "operator"), no_key=True)
    return {pantry.name.casefold(): pantry for pantry in rows}


def _members(agreement, lines: list[Line], cut_over: date, pantries, by: User, at: datetime) -> dict[int, Membership]:
    """The memberships by number: those that pay at the counter are paid for from now on, the others are made."""
    numbers = [line.number for line in lines]
    rows = Membership.objects.select_for_update(of=("self",), no_key=True).order_by("pk")
    members = {m.number: m for m in rows.filter(operator=agreement.operator_id, number__in=numbers)}
    for member in members.values():
        member.agreement, member.self_pay_from = agreement, None
    Membership.objects.bulk_update(members.values(), ["agreement", "self_pay_from"], batch_size=200)
    new = [
        Membership(
            operator_id=agreement.operator_id,
            number=line.number,
            state=State.OPEN,
            joined_on=date.fromisoformat(line.joined_on),
            first_week=cut_over,
            agreement=agreement,
            created_at=at,
        )
        for line in lines
        if line.number not in members
    ]
    Membership.objects.bulk_create(new, batch_size=blocks.ROWS)
    at_pantry = {line.number: pantries[line.pantry.casefold()] for line in lines}
    MembershipMove.objects.bulk_create(
        [MembershipMove(membership=m, state=State.OPEN, on=m.joined_on, by=by, recorded_at=at) for m in new],
        batch_size=blocks.ROWS,
    )
    Place.objects.bulk_create(
        [Place(membership=m, pantry=at_pantry[m.number], from_week=cut_over) for m in new], batch_size=blocks.ROWS
    )
    return members | {m.number: m for m in new}


def _had(members: dict[int, Membership]) -> tuple[dict[UUID, int], dict[UUID, set[date]]]:
    """The last block number of each who has one, and the weeks they have paid for."""
    keys = [member.pk for member in members.values()]
    numbers: dict[UUID, int] = {}
    for key, number in (
        PrepaidBlock.objects.filter(membership__in=keys).order_by("block_no").values_list("membership", "block_no")
    ):
        numbers[key] = number
    taken: dict[UUID, set[date]] = {}
    for key, week in PaidWeek.objects.dated().filter(membership__in=keys).values_list("membership", "week"):
        if week:
            taken.setdefault(key, set()).add(week)
    return numbers, taken
