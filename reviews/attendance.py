"""The weeks of an agreement's members: who could come and who came, read once for every figure of attendance.

A member's week is one of: came, missed, to come, closed, paused, or outside the membership (rules: States, Weeks).
Weeks are Mondays. The database adds up: one row a member comes back, however many weeks they have been coming.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cached_property
from uuid import UUID

from django.db import models
from django.db.models import BigIntegerField, Count, DateField, Exists, F, Func, Min, OuterRef, Q, Sum, Value, When

from pantry.calendar import WeekCalendar
from pantry.models import Collection, FundingAgreement, Membership, MembershipMove, PaidWeek, Pantry
from stockport_hubs.core.kept import Kept, Question, together
from stockport_hubs.core.weeks import WEEK, monday

CAME, MISSED, TO_COME, CLOSED, PAUSED, OUTSIDE = "came", "missed", "to_come", "closed", "paused", "outside"
COULD_COME = (CAME, MISSED, TO_COME)
LAST = 4  # the open weeks that "regular" and "came lately" look at
REGULAR_FROM = 3
RETAINED_WITHIN = 8 * WEEK
BITS = 60  # weeks in one number of the database


class Bit(Func):
    """1 for the first of two Mondays itself, 2 for a second one a week before it, 4 for the one before that."""

    template, arg_joiner, arity = "(1::bigint << ((%(expressions)s) / 7))", " - ", 2
    output_field = BigIntegerField()

    def as_sqlite(self, compiler, connection, **extra):
        days = "(1 << CAST((julianday(%(expressions)s)) / 7 AS INTEGER))"
        return self.as_sql(compiler, connection, template=days, arg_joiner=") - julianday(", **extra)


def _moves(agreement, as_at):
    """Of members who have ever been anything but open: the others are what their row says."""
    other = MembershipMove.objects.filter(membership=OuterRef("membership")).exclude(state=Membership.State.OPEN)
    moves = MembershipMove.objects.filter(Exists(other), membership__agreement=agreement, on__lte=as_at)
    return moves.order_by("on", "recorded_at").values_list("membership_id", "state", "on")


def came_by(as_at: date) -> models.QuerySet[Collection]:
    """Every counted collection by a day."""
    return Collection.objects.counted().filter(on__lte=as_at).order_by()


def _came(agreement, as_at, week, since):
    """(member, their first week of all, a bit for each week after `since` back from `week`)."""
    bit = Bit(Value(week, output_field=DateField()), F("week"))
    counted = came_by(as_at).filter(membership__agreement=agreement)
    recent = Q(week__gt=since, week__lte=week)
    return counted.values_list("membership_id").annotate(first=Min("week"), bits=Sum(bit, filter=recent))


def members_on(agreement: UUID, as_at: date) -> models.QuerySet:
    """Every member the agreement has paid for by a day, with their state that day as `standing`."""
    moves = MembershipMove.objects.filter(membership=OuterRef("pk"), on__lte=as_at)
    standing = models.Case(
        When(ended_on__lte=as_at, then=Value(Membership.State.ENDED)),
        When(
            Exists(moves.exclude(state=Membership.State.OPEN)),
            then=models.Subquery(moves.order_by("-on", "-recorded_at").values("state")[:1]),
        ),
        default=Value(Membership.State.OPEN),
        output_field=models.CharField(),
    )
    paid_for = Membership.objects.filter(agreement=agreement, joined_on__lte=as_at)
    return paid_for.exclude(state=Membership.State.PENDING).annotate(standing=standing)


MEMBERS = Kept(
    lambda agreement, as_at: (
        members_on(agreement, as_at)
        .order_by("number", "places__from_week")
        .values_list(
            *("pk", "number", "standing", "first_week", "ended_on"),
            *("places__from_week", "places__to_week", "places__pantry_id"),
        )
    )
)
MOVES = Kept(_moves)
COLLECTED = Kept(_came)


def _funded_to(agreement, before):
    """(member, their last funded week), where that was before a day and none waits for its week: the database looks up
    one week a member."""
    funded = PaidWeek.objects.filter(membership=OuterRef("pk"), block__agreement=agreement)
    last = funded.dated().order_by("-week").values("week")[:1]
    waiting = funded.filter(state=PaidWeek.State.PARKED)
    members = Membership.objects.filter(~Exists(waiting), agreement=agreement).order_by()
    return members.annotate(last=models.Subquery(last)).filter(last__lt=before).values_list("pk", "last")


FUNDED_TO = Kept(_funded_to)
PAID = Kept(
    lambda agreement, as_at, first, last: (
        PaidWeek.objects.dated()
        .filter(block__agreement=agreement, block__bought_on__lte=as_at, week__range=(first, last))
        .order_by()
        .values_list("week")
        .annotate(Count("pk"))
    )
)


@dataclass(slots=True)
class Member:
    """One membership as at a day."""

    id: UUID
    number: int
    state: str
    first_week: date
    ended_on: date | None
    pauses: list[tuple[date, date | None]] = field(default_factory=list)
    places: list[tuple[date, date | None, UUID]] = field(default_factory=list)
    came: int = 0  # bit n: came n weeks before the week of `as_at`
    first_came: date = date.max
    last: tuple[bool, ...] = ()

    @property
    def is_open(self) -> bool:
        return self.state == Membership.State.OPEN

    def pantry_in(self, week: date) -> UUID | None:
        """Where the member belonged in a week."""
        for start, end, pantry_id in self.places:
            if start <= week and (end is None or week <= end):
                return pantry_id
        return None

    def is_paused_in(self, week: date) -> bool:
        """Paused before the week began, and not back when it did: a week is used once its Monday has come."""
        return any(start < week and (end is None or week < end) for start, end in self.pauses)

    @property
    def missed_in_a_row(self) -> int:
        """Up to `LAST`, counted back from the latest open week."""
        return next((n for n, came in enumerate(self.last) if came), len(self.last))

    @property
    def is_regular(self) -> bool:
        return sum(self.last) >= REGULAR_FROM


@dataclass(frozen=True)
class Week:
    """Take-up of one week: members who could come, members who came."""

    week: date
    could: int
    came: int
    is_closed: bool


class Attendance:
    """Every member an agreement has paid for by a day, by number, with their weeks and their pantries' calendar."""

    def __init__(self, agreement: FundingAgreement, as_at: date):
        self.agreement, self.as_at, self.week = agreement, as_at, monday(as_at)
        self.members: dict[UUID, Member] = {}
        self.calendar = WeekCalendar({})
        of_agreement = {"agreement": agreement.pk, "as_at": as_at}
        members, moves, came = together(
            MEMBERS.of(**of_agreement), MOVES.of(**of_agreement), self._came_until(self.week)
        )
        self._read_members(members)
        self._read_pauses(moves)
        self._read_came(came)
        self.calendar.learn(pantry for member in self.members.values() for _, _, pantry in member.places)
        statuses = self.statuses([self.week - n * WEEK for n in reversed(range(LAST + 2))])  # nearly always enough
        for member in self.members.values():
            member.last = self._last_open_weeks(member, statuses(member)[::-1])

    def _read_members(self, rows: list) -> None:
        for key, number, state, first_week, ended_on, *place in rows:
            if key not in self.members:
                if ended_on is not None and ended_on > self.as_at:
                    ended_on = None
                self.members[key] = Member(key, number, state, first_week, ended_on)
            if place[0] is not None:
                self.members[key].places.append((place[0], place[1], place[2]))

    def _read_pauses(self, rows: list) -> None:
        for membership_id, state, on in rows:
            member = self.members.get(membership_id)
            if member is None:
                continue
            paused = bool(member.pauses) and member.pauses[-1][1] is None
            if state == Membership.State.PAUSED and not paused:
                member.pauses.append((on, None))
            elif state != Membership.State.PAUSED and paused:
                member.pauses[-1] = (member.pauses[-1][0], on)

    def _came_until(self, week: date) -> Question:
        return COLLECTED.of(agreement=self.agreement.pk, as_at=self.as_at, week=week, since=week - BITS * WEEK)

    def _read_came(self, rows: list) -> None:
        """`BITS` weeks at a time, back to the first collection of all: nearly always what is read already."""
        week, shift = self.week, 0
        oldest = min((first for _, first, _ in rows), default=week)
        while True:
            for membership_id, first, bits in rows:
                if member := self.members.get(membership_id):
                    member.first_came, member.came = first, member.came | (bits or 0) << shift
            week, shift = week - BITS * WEEK, shift + BITS
            if oldest > week:
                return
            [rows] = together(self._came_until(week))

    @cached_property
    def pantries(self) -> dict[UUID, str]:
        """Names of the pantries where members belong, by name."""
        return dict(Pantry.objects.filter(pk__in=self.calendar.plans).order_by("name").values_list("pk", "name"))

    def came_in(self, member: Member, week: date) -> bool:
        """A counted collection in the week of this Monday, at any pantry."""
        back = (self.week - week).days // 7
        return back >= 0 and bool(member.came >> back & 1)

    def is_over(self, week: date) -> bool:
        """Its Sunday has passed."""
        return week + timedelta(days=6) < self.as_at

    def status(self, member: Member, week: date) -> str:
        """What a week was for a member; a collection makes it an open week whatever was closed later."""
        back = (self.week - week).days // 7
        if back >= 0 and member.came >> back & 1:  # as `came_in`: asked for every member and week
            return CAME
        if week < member.first_week or (member.ended_on is not None and member.ended_on < week):
            return OUTSIDE
        if member.is_paused_in(week):
            return PAUSED
        pantry_id = member.pantry_in(week)
        if pantry_id is not None and self.calendar.is_closed(pantry_id, week):
            return CLOSED
        return MISSED if self.is_over(week) else TO_COME

    def statuses(self, weeks: list[date]) -> Callable[[Member], list[str]]:
        """`status` of each of these Mondays, in order, for one member after the other. Nearly all have one place, no
        pause and no end: for them a pantry's weeks are told once, and then who came."""
        backs = [(self.week - week).days // 7 for week in weeks]
        over = [MISSED if self.is_over(week) else TO_COME for week in weeks]
        of_pantry: dict[UUID, list[str]] = {}

        def usual(pantry_id: UUID) -> list[str]:
            if pantry_id not in of_pantry:
                closed = (self.calendar.is_closed(pantry_id, week) for week in weeks)
                of_pantry[pantry_id] = [
                    CLOSED if is_closed else what for is_closed, what in zip(closed, over, strict=True)
                ]
            return of_pantry[pantry_id]

        def of(member: Member) -> list[str]:
            place = member.places[0] if len(member.places) == 1 else None
            if place is None or place[1] is not None or place[0] > member.first_week:
                return [self.status(member, week) for week in weeks]
            if member.pauses or member.ended_on is not None:
                return [self.status(member, week) for week in weeks]
            before = bisect_left(weeks, member.first_week)
            found = [OUTSIDE] * before + usual(place[2])[before:]
            came = member.came
            for n, back in enumerate(backs):
                if back >= 0 and came >> back & 1:
                    found[n] = CAME
            return found

        return of

    def _last_open_weeks(self, member: Member, latest: Sequence[str] = ()) -> tuple[bool, ...]:
        """Whether they came in each of the last open weeks, the latest first; a week not over counts once they came.
        `latest`: what the last weeks were for them, this one first, as far as that is known."""
        found = [status == CAME for status in latest if status in (CAME, MISSED)][:LAST]
        week, first = self.week - len(latest) * WEEK, min(member.first_week, member.first_came)
        while week >= first and len(found) < LAST:
            status = self.status(member, week)
            if status in (CAME, MISSED):
                found.append(status == CAME)
            week -= WEEK
        return tuple(found)

    def paid(self, weeks: list[date]) -> dict[date, int]:
        """How many paid weeks fall in each week."""
        if not weeks:
            return {}
        return dict(PAID(agreement=self.agreement.pk, as_at=self.as_at, first=weeks[0], last=weeks[-1]))

    def ask_funded_to(self) -> Question:
        """The last funded week of members for whom it is so long ago that "retained" can be said."""
        before = self.as_at - RETAINED_WITHIN - timedelta(days=6)
        return FUNDED_TO.of(agreement=self.agreement.pk, before=before)

    def read_funded_to(self, rows: list) -> dict[UUID, date]:
        """Keeps what `ask_funded_to` found, for it may have been asked together with something else."""
        self._funded_to = {key: last for key, last in rows if key in self.members}
        return self._funded_to

    @cached_property
    def _funded_to(self) -> dict[UUID, date]:
        return self.read_funded_to(*together(self.ask_funded_to()))

    def regular(self) -> set[UUID]:
        """Open members who came in most of their last open weeks."""
        return {key for key, member in self.members.items() if member.is_open and member.is_regular}

    def funding_over(self) -> set[UUID]:
        """Members whose last funded week ended so long ago that "retained" can be said."""
        return set(self._funded_to)

    def retained(self) -> set[UUID]:
        """Of these, who came in the 8 weeks after the last funded week."""
        after = [WEEK * n for n in range(1, RETAINED_WITHIN // WEEK + 1)]
        return {
            key
            for key, last in self._funded_to.items()
            if any(self.came_in(self.members[key], last + weeks) for weeks in after)
        }
