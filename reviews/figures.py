"""Every figure once: screen, CSV, chart and PDF show what `compute` returns and count nothing themselves.

Values are integers, dates and ids; words and pounds are made at the edge. What a figure means stands beside it in
`definitions.py` and is printed in every pack. A figure counts the day something happened, never the day it was typed.
"""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from uuid import UUID

from django.db.models import F, Q, QuerySet

from pantry import money
from pantry.models import FundingAgreement, MissedWeek, RenewalDecision
from reviews import breakdowns, entered, first_visits, movement, value, weekly
from reviews.attendance import MISSED, OUTSIDE, Attendance, Member, Week
from reviews.cohort import ANSWERS, STAGES, Cohort, end_of
from reviews.models import Action, Barrier, BarrierMove, BarrierState
from reviews.parts import EVERYONE, Asked, Introduction, Part
from stockport_hubs.core.weeks import weeks_between


@dataclass(frozen=True)
class Hold:
    member_id: UUID
    number: int
    block_no: int
    starts_on: date
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class BarrierRow:
    id: UUID
    person: UUID | None
    pantry: str
    category: str
    state: str
    owner: str
    due_on: date | None
    raised_on: date


@dataclass(frozen=True)
class ActionRow:
    what: str
    owner: str
    due_on: date
    is_overdue: bool
    barrier: UUID | None


@dataclass(kw_only=True)
class Figures:
    """All figures of an agreement for a period, as at a day: each is counted when it is first asked for, and once.

    `known`: what has been entered since is told apart. Figures of a part: `reviews.partial`.
    """

    agreement: FundingAgreement
    period_from: date
    period_to: date
    as_at: date
    known: entered.Known | None = None
    asked: Asked = EVERYONE
    part: Part | None = None

    @cached_property
    def attendance(self) -> Attendance:
        return Attendance(self.agreement, self.as_at)

    @cached_property
    def cohort(self) -> Cohort:
        return Cohort(self.agreement, self.attendance)

    @cached_property
    def mondays(self) -> list[date]:
        """The weeks of the period; those later than `as_at` are left out."""
        return weeks_between(self.period_from, min(self.period_to, self.as_at))

    @property
    def standing(self) -> dict[UUID, Member]:
        """Whose state, and how they came lately, is counted."""
        return self.attendance.members

    @cached_property
    def rows(self) -> list[weekly.Row]:
        """What each week of the period was for each member."""
        return weekly.rows(self.attendance, self.mondays, self.part)

    @cached_property
    def weeks(self) -> list[Week]:
        return weekly.by_week(self.rows, self.mondays)

    @cached_property
    def paid(self) -> dict[date, int]:
        """Paid weeks that fall in each week of the period; weeks without any are left out."""
        return self.attendance.paid(self.mondays)

    @cached_property
    def missed(self) -> Counter:
        return _missed(self.agreement, self.rows, self.mondays)

    @cached_property
    def mondays_before(self) -> list[date]:
        """The weeks of the period before, which is as long and ends where this one begins."""
        last = self.period_from - timedelta(days=1)
        mondays = weeks_between(last - (self.period_to - self.period_from), last)
        return [week for week in mondays if week not in self.mondays]

    @cached_property
    def weeks_before(self) -> list[Week]:
        return weekly.by_week(weekly.rows(self.attendance, self.mondays_before, self.part), self.mondays_before)

    @cached_property
    def movement(self) -> movement.Movement:
        """From the evening before the period to the day of the figures."""
        return movement.between(self.agreement.pk, self.period_from - timedelta(days=1), self.as_at, self.part)

    @cached_property
    def by_pantry_shares(self) -> list[breakdowns.Share]:
        names = self.attendance.pantries
        return breakdowns.by_pantry(self.rows, self.standing.values(), self.mondays, self.as_at, names)

    @cached_property
    def by_advisor(self) -> list[breakdowns.Share]:
        asked = (self.rows, self.standing.values(), self.mondays, self.as_at)
        return breakdowns.by_advisor(self.agreement, *asked, self.cohort.person_of.get)

    @cached_property
    def _introductions(self) -> list[Introduction]:
        return (self.part or Part(self.agreement, self.asked, self.as_at)).introductions

    def _concerns(self, introduction: Introduction) -> bool:
        return self.part is None or introduction.person in self.part.people

    @cached_property
    def first_visits(self) -> first_visits.FirstVisits:
        return first_visits.first_visits(self.agreement, self.as_at, self._introductions, self._concerns)

    @cached_property
    def food(self) -> value.Food:
        came = {(share.key, week): n for share in self.by_pantry_shares for week, n in share.came.items() if n}
        return value.food(self.agreement, came, sum(each.could for each in self.weeks))

    @cached_property
    def entered(self) -> entered.Entered | None:
        """None where nobody asked what was known when."""
        return entered.entered_since(self.attendance_known, self.known.at) if self.known else None

    @cached_property
    def attendance_known(self) -> Attendance:
        """As at the day of the moment that is asked about, as it is known now."""
        if self.known is None or self.known.as_at == self.as_at:
            return self.attendance
        return Attendance(self.agreement, self.known.as_at)

    @cached_property
    def _books(self) -> money.Books:
        return money.books(self.agreement, self.as_at, self.attendance.calendar)

    @cached_property
    def position(self) -> money.Position:
        return money.position(self.agreement, self.as_at, known=self._books)

    @cached_property
    def by_pantry(self) -> list[money.PantryPosition]:
        return money.by_pantry(self.agreement, self.as_at, self._books)

    @cached_property
    def holds(self) -> list[Hold]:
        return _holds(self.agreement, self.as_at)

    @cached_property
    def barriers(self) -> list[BarrierRow]:
        return _barriers(self.agreement, self.as_at)

    @cached_property
    def _actions(self) -> tuple[list[ActionRow], int]:
        return _actions(self.agreement, self.period_from, self.as_at)

    @property
    def actions(self) -> list[ActionRow]:
        return self._actions[0]

    @property
    def actions_done(self) -> int:
        return self._actions[1]

    @cached_property
    def members(self) -> dict[str, set[UUID]]:
        return how_they_stand(self.standing.values())

    @property
    def stages(self) -> dict[str, set[UUID]]:
        """Young people by the steps they have reached."""
        return self.cohort.stages

    @property
    def answered(self) -> dict[str, set[UUID]]:
        """Who was offered and has not agreed, by their latest answer."""
        return self.cohort.answers

    @property
    def funding_over(self) -> set[UUID]:
        return self.cohort.funding_over

    @property
    def outside(self) -> set[UUID]:
        return self.cohort.outside

    @property
    def funnel(self) -> list[tuple[str, int]]:
        return [(stage, len(self.stages[stage])) for stage in STAGES]

    @property
    def answers(self) -> dict[str, int]:
        return {answer: len(self.answered[answer]) for answer in ANSWERS}


def compute(
    agreement: FundingAgreement,
    period_from: date,
    period_to: date,
    as_at: date,
    known: entered.Known | None = None,
) -> Figures:
    """The figures; the number of queries does not depend on the rows."""
    return Figures(agreement=agreement, period_from=period_from, period_to=period_to, as_at=as_at, known=known)


def how_they_stand(members: Collection[Member]) -> dict[str, set[UUID]]:
    """Members by key: their states, and how the open ones came lately."""
    open_now = [member for member in members if member.is_open]
    return {
        "open": {member.id for member in open_now},
        "paused": {member.id for member in members if member.state == "paused"},
        "ended": {member.id for member in members if member.state == "ended"},
        "had_weeks": {member.id for member in open_now if member.last},
        "came_last4": {member.id for member in open_now if any(member.last)},
        "lapsing": {member.id for member in open_now if member.missed_in_a_row in (2, 3)},
        "lapsed": {member.id for member in open_now if member.missed_in_a_row >= 4},
    }


def _missed(agreement: FundingAgreement, rows: list[weekly.Row], weeks: list[date]) -> Counter:
    """Missed weeks of the period by their reason; "" where nobody has recorded one."""
    if not weeks:
        return Counter()
    recorded = MissedWeek.objects.filter(membership__agreement=agreement, week__range=(weeks[0], weeks[-1]))
    place, of_member = {week: n for n, week in enumerate(weeks)}, {member.id: statuses for member, statuses in rows}
    counts = Counter(
        reason
        for key, week, reason in recorded.values_list("membership_id", "week", "reason")
        if key in of_member and of_member[key][place[week]] == MISSED
    )
    counts[""] += sum(statuses.count(MISSED) for statuses in of_member.values()) - counts.total()
    return counts


def held(agreement: FundingAgreement, as_at: date) -> QuerySet[RenewalDecision]:
    """Renewals decided to be held by the end of the day, and undecided since."""
    of_agreement = RenewalDecision.objects.filter(membership__agreement=agreement, decided_at__lt=end_of(as_at))
    return of_agreement.filter(outcome=RenewalDecision.Outcome.HELD)


def _holds(agreement: FundingAgreement, as_at: date) -> list[Hold]:
    found = held(agreement, as_at).order_by("starts_on", "membership__number")
    rows = found.values_list("membership_id", "membership__number", "block_no", "starts_on", "reasons")
    return [Hold(member, number, block, starts, tuple(why)) for member, number, block, starts, why in rows]


def open_barriers(agreement: FundingAgreement, as_at: date) -> QuerySet[Barrier]:
    """Barriers not closed at the end of the day; those of other operators' pantries left out."""
    of_agreement = Q(pantry__isnull=True) | Q(pantry__operator=agreement.operator_id)
    not_closed = Q(closed_on__isnull=True) | Q(closed_on__gt=as_at)
    return Barrier.objects.filter(of_agreement, not_closed, council=agreement.funder_id, raised_on__lte=as_at)


def _barriers(agreement: FundingAgreement, as_at: date) -> list[BarrierRow]:
    """The open ones, the first due first, in the state they had that day."""
    found = open_barriers(agreement, as_at)
    moves = BarrierMove.objects.filter(barrier__in=found.order_by().values("pk"), at__lt=end_of(as_at)).order_by("at")
    latest = dict(moves.values_list("barrier_id", "state"))
    return [
        BarrierRow(
            id=barrier.pk,
            person=barrier.care_leaver_id,
            pantry=barrier.pantry.name if barrier.pantry else "",
            category=barrier.category,
            state=latest.get(barrier.pk, BarrierState.OPEN),
            owner=barrier.owner.name,
            due_on=barrier.due_on,
            raised_on=barrier.raised_on,
        )
        for barrier in found.select_related("pantry", "owner").order_by(
            F("due_on").asc(nulls_last=True), "raised_on", "id"
        )
    ]


def _actions(agreement: FundingAgreement, period_from: date, as_at: date) -> tuple[list[ActionRow], int]:
    """Actions not done by the day, of the agreement's meetings and open barriers; and how many the period saw done."""
    ours = Q(meeting__agreement=agreement) | Q(barrier__in=open_barriers(agreement, as_at).values("pk"))
    made = Action.objects.filter(ours, made_at__lt=end_of(as_at))
    waiting = made.filter(Q(done_on__isnull=True) | Q(done_on__gt=as_at)).order_by("due_on", "made_at")
    rows = waiting.values_list("what", "owner__name", "due_on", "barrier_id")
    done = made.filter(done_on__range=(period_from, as_at)).count()
    return [ActionRow(what, owner, due, due < as_at, barrier) for what, owner, due, barrier in rows], done


def grid(figures: Figures) -> list[tuple]:
    """(member, pantry's name, statuses by week) of members with a week in the period, by number."""
    names, rows = figures.attendance.pantries, []
    for member, statuses in with_weeks(figures):
        pantry = member.pantry_in(figures.mondays[-1])
        rows.append((member, names[pantry] if pantry else "", statuses))
    return rows


def with_weeks(figures: Figures) -> list[weekly.Row]:
    """The rows of those who had a week of the period."""
    weeks = len(figures.mondays)
    return [row for row in figures.rows if row[1].count(OUTSIDE) < weeks]
