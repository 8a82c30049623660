"""Held renewals as a manager, finance and the pantry read them: facts by membership number, in a few queries."""

from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Max, QuerySet

from pantry import rules
from pantry.calendar import WeekCalendar
from pantry.models import Collection, Membership, Pantry, Place, PrepaidBlock, RenewalDecision
from pantry.services import histories, judging, renewals
from stockport_hubs.accounts.models import Role, User
from stockport_hubs.core.rehearsal import rehearsed

Outcome = RenewalDecision.Outcome
Reason = RenewalDecision.Reason

OF_THE_PANTRY = {Reason.NO_COLLECTION, Reason.PANTRY_CLOSING, Reason.NO_TARIFF}
WAITING = "Waiting for the funder"
LOOKED_BACK = 26  # open weeks
OUTCOMES = {
    Outcome.HELD: ("Held", "yellow"),
    Outcome.RENEWED: ("Renewed", "green"),
    Outcome.SELF_PAY: ("Member pays", "blue"),
    Outcome.STOPPED: ("Stopped", "grey"),
}


@dataclass(frozen=True)
class Row:
    """One decision as this reader may see it."""

    decision: RenewalDecision
    membership: Membership
    pantry: Pantry | None
    reasons: list[str]
    label: str
    colour: str
    is_overdue: bool
    weeks_without: int
    last_collected_on: date | None


def reasons_for(decision: RenewalDecision, user: User) -> list[str]:
    """The reasons of a hold in words; the pantry learns what concerns the pantry, and no other reason."""
    if user.role != Role.PANTRY_MANAGER:
        return decision.reason_labels
    told = [Reason(code).label for code in decision.reasons if code in OF_THE_PANTRY]
    return told if len(told) == len(decision.reasons) else [*told, WAITING]


def is_overdue(decision: RenewalDecision, today: date) -> bool:
    """Nobody has decided and the Monday on which the block would start has come."""
    return decision.outcome == Outcome.HELD and decision.starts_on <= today


def rows(decisions: list[RenewalDecision], user: User, today: date) -> list[Row]:
    """Facts of decisions whose `membership` is selected."""
    members = list({d.membership_id: d.membership for d in decisions}.values())
    homes: dict = {}
    for place in Place.objects.filter(membership__in=members).select_related("pantry").order_by("from_week"):
        homes[place.membership_id] = place.pantry
    calendar = WeekCalendar.for_pantries({pantry.pk: pantry for pantry in homes.values()}.values())
    states = histories.of(members)
    looked_at = {
        m.pk: calendar.open_weeks_before(homes[m.pk].pk, today, LOOKED_BACK, m.first_week, states[m.pk].paused_weeks)
        for m in members
        if m.pk in homes
    }
    came = judging.collected_weeks(looked_at)
    last = dict(
        Collection.objects.counted()
        .filter(membership__in=members)
        .order_by()
        .values_list("membership")
        .annotate(Max("on"))
    )
    return [
        Row(
            decision=d,
            membership=d.membership,
            pantry=homes.get(d.membership_id),
            reasons=reasons_for(d, user),
            label=OUTCOMES[Outcome(d.outcome)][0],
            colour=OUTCOMES[Outcome(d.outcome)][1],
            is_overdue=is_overdue(d, today),
            weeks_without=rules.weeks_without_collection(looked_at.get(d.membership_id, []), came[d.membership_id]),
            last_collected_on=last.get(d.membership_id),
        )
        for d in decisions
    ]


def due_soon(memberships: QuerySet, today: date) -> QuerySet:
    """Whose renewal falls due within the next 28 days."""
    return memberships.filter(next_due_on__gte=today, next_due_on__lte=today + rules.RENEWED_AHEAD)


@dataclass(frozen=True)
class Consequence:
    """What a decision would do, in pence."""

    outcome: str
    block: PrepaidBlock | None = None
    price_pence: int = 0
    from_pool_pence: int = 0
    drawn_pence: int = 0
    last_week: date | None = None
    weeks_unfunded: int = 0


def preview(decision: RenewalDecision, outcome: str, *, by: User, at: datetime, **chosen) -> Consequence:
    """What deciding would do, by doing it and taking it back; refuses as the deed would."""
    with rehearsed():
        done = renewals.decide(decision=decision, outcome=outcome, by=by, at=at, **chosen)
        block = done.block
        bought = sorted(week.week for week in block.paid_weeks.all() if week.week) if block else []
    if block is None:
        return Consequence(outcome)
    return Consequence(
        outcome=outcome,
        block=block,
        price_pence=block.price_pence,
        from_pool_pence=block.from_pool_pence,
        drawn_pence=block.price_pence - block.from_pool_pence,
        last_week=bought[-1],
        weeks_unfunded=len(bought) - len(rules.weeks_within(bought, decision.membership.funded_until)),
    )
