"""The weeks of an agreement's members: who could come and who came, read once for every figure of attendance.

A member's week is one of: came, missed, to come, closed, paused, or outside the membership (rules: States, Weeks).
Weeks are Mondays; the queries are the same number whatever the number of members.
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta
from uuid import UUID

from pantry.calendar import WeekCalendar
from pantry.models import Collection, FundingAgreement, Membership, MembershipMove, PaidWeek, Pantry, Place
from stockport_hubs.core.weeks import WEEK, monday

CAME, MISSED, TO_COME, CLOSED, PAUSED, OUTSIDE = "came", "missed", "to_come", "closed", "paused", "outside"
COULD_COME = (CAME, MISSED, TO_COME)
LAST = 4  # the open weeks that "regular" and "came lately" look at
REGULAR_FROM = 3
LAPSING_FROM = 2
RETAINED_WITHIN = 8 * WEEK


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
    came: set[date] = field(default_factory=set)
    last: tuple[bool, ...] = ()
    funded_to: date | None = None

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
    """Take-up of one week: members who could come, weeks paid for, collections."""

    week: date
    could: int
    paid: int
    came: int
    is_closed: bool


class Attendance:
    """Every member an agreement has paid for by a day, with their weeks."""

    def __init__(self, agreement: FundingAgreement, as_at: date):
        self.agreement, self.as_at = agreement, as_at
        self.members = {member.id: member for member in self._members()}
        self._read_moves()
        self._read_places()
        for membership_id, week in self._of_members(Collection.objects.counted().filter(on__lte=as_at), "week"):
            if membership_id in self.members:
                self.members[membership_id].came.add(week)
        self._read_funded_to()
        for member in self.members.values():
            member.last = self._last_open_weeks(member)

    def _members(self):
        found = Membership.objects.filter(agreement=self.agreement, joined_on__lte=self.as_at)
        found = found.exclude(state=Membership.State.PENDING).order_by("number")
        for key, number, state, first_week, ended_on in found.values_list(
            "pk", "number", "state", "first_week", "ended_on"
        ):
            if ended_on is not None and ended_on > self.as_at:
                state, ended_on = Membership.State.OPEN, None
            yield Member(key, number, state, first_week, ended_on)

    def _of_members(self, rows, *fields):
        return rows.filter(membership__agreement=self.agreement).order_by().values_list("membership_id", *fields)

    def _read_moves(self) -> None:
        moves = MembershipMove.objects.filter(on__lte=self.as_at)
        for membership_id, state, on in self._of_members(moves, "state", "on").order_by("on", "recorded_at"):
            member = self.members.get(membership_id)
            if member is None:
                continue
            paused = bool(member.pauses) and member.pauses[-1][1] is None
            if state == Membership.State.PAUSED and not paused:
                member.pauses.append((on, None))
            elif state != Membership.State.PAUSED and paused:
                member.pauses[-1] = (member.pauses[-1][0], on)
            member.state = state

    def _read_places(self) -> None:
        places: dict[UUID, list] = defaultdict(list)
        for membership_id, *place in self._of_members(Place.objects.all(), "from_week", "to_week", "pantry_id"):
            places[membership_id].append(tuple(place))
        for key, member in self.members.items():
            member.places = sorted(places[key], key=lambda place: place[0])
        used = {pantry_id for each in places.values() for _, _, pantry_id in each}
        self.pantries = {pantry.pk: pantry for pantry in Pantry.objects.filter(pk__in=used).order_by("name")}
        self.calendar = WeekCalendar.for_pantries(self.pantries.values())

    def _read_funded_to(self) -> None:
        weeks = self._of_members(PaidWeek.objects.filter(block__agreement=self.agreement), "week")
        waiting = set()
        for membership_id, week in weeks.filter(state__in=["dated", "parked"]):
            member = self.members.get(membership_id)
            if member is None:
                continue
            if week is None:
                waiting.add(membership_id)
            elif member.funded_to is None or week > member.funded_to:
                member.funded_to = week
        for key in waiting:
            self.members[key].funded_to = None

    def is_over(self, week: date) -> bool:
        """Its Sunday has passed."""
        return week + timedelta(days=6) < self.as_at

    def status(self, member: Member, week: date) -> str:
        """What a week was for a member; a collection makes it an open week whatever was closed later."""
        if week in member.came:
            return CAME
        if week < member.first_week or (member.ended_on is not None and member.ended_on < week):
            return OUTSIDE
        if member.is_paused_in(week):
            return PAUSED
        pantry_id = member.pantry_in(week)
        if pantry_id is not None and self.calendar.is_closed(pantry_id, week):
            return CLOSED
        return MISSED if self.is_over(week) else TO_COME

    def _last_open_weeks(self, member: Member) -> tuple[bool, ...]:
        """Whether they came in each of the last open weeks, the latest first; a week not over counts once they came."""
        found: list[bool] = []
        week, first = monday(self.as_at), min([member.first_week, *member.came])
        while week >= first and len(found) < LAST:
            status = self.status(member, week)
            if status in (CAME, MISSED):
                found.append(status == CAME)
            week -= WEEK
        return tuple(found)

    def by_week(self, weeks: list[date]) -> list[Week]:
        """Take-up of each week; closed when it was closed for every member who could otherwise have come."""
        paid = Counter(
            PaidWeek.objects.dated()
            .filter(block__agreement=self.agreement, block__bought_on__lte=self.as_at)
            .filter(week__in=weeks)
            .order_by()
            .values_list("week", flat=True)
        )
        made = []
        for week in weeks:
            seen = Counter(self.status(member, week) for member in self.members.values())
            could = sum(seen[status] for status in COULD_COME)
            made.append(Week(week, could, paid[week], seen[CAME], is_closed=seen[CLOSED] > 0 and could == 0))
        return made

    def funding_over(self) -> set[UUID]:
        """Members whose last funded week ended so long ago that "retained" can be said."""
        return {
            key
            for key, member in self.members.items()
            if member.funded_to is not None and self.is_over(member.funded_to + RETAINED_WITHIN)
        }

    def retained(self) -> set[UUID]:
        """Of these, who came in the 8 weeks after the last funded week."""
        return {
            key
            for key in self.funding_over()
            if any(
                0 < (week - self.members[key].funded_to).days <= RETAINED_WITHIN.days for week in self.members[key].came
            )
        }
