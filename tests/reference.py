"""The money and the weeks once more, in plain Python: no Django, no database, nothing of the services.

Two pantries, open on Wednesdays (0) and Thursdays (1) at 10:00; whatever happens, happens at 09:00. Written from the
rules alone; tests hold random histories of the services against it (M4).
"""

from dataclasses import dataclass, field
from datetime import date, timedelta

WEEK = timedelta(days=7)
SESSION = (2, 3)  # weekday of the one session of each pantry
BLOCK = 26


def monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


@dataclass
class Week:
    block: int
    position: int
    week: date | None
    pantry: int
    pence: int
    state: str = "dated"


@dataclass
class Member:
    number: int
    first_week: date
    places: list[tuple[date, int]]  # from which Monday, at which pantry
    since: list[tuple[date, str]]  # every change of state
    weeks: list[Week] = field(default_factory=list)
    held: bool = False
    left_on: date | None = None
    blocks: int = 0
    bought_on: list[date] = field(default_factory=list)

    @property
    def state(self) -> str:
        return self.since[-1][1]

    def state_on(self, day: date) -> str:
        return [state for on, state in self.since if on <= day][-1:][0] if self.since[0][0] <= day else ""

    def pantry_in(self, week: date) -> int:
        found = self.places[0][1]
        for start, pantry in self.places:
            if start <= week:
                found = pantry
        return found

    def paused_weeks(self) -> set[date]:
        if all(state != "paused" for _, state in self.since):
            return set()
        week, last = monday(self.since[0][0]), monday(self.since[-1][0])
        found = set()
        while week <= last:
            if self.state_on(week + timedelta(days=6)) == "paused":
                found.add(week)
            week += WEEK
        return found


class Reference:
    """What everything must come to."""

    def __init__(self, weekly: int = 350) -> None:
        self.members: list[Member] = []
        self.closures: list[tuple[int, date, date]] = []
        self.prices: list[list[tuple[date, int]]] = [[(date(2020, 1, 6), weekly)], [(date(2020, 1, 6), weekly)]]
        self.pool = self.advance = 0
        self.joining = 1000

    # -- the calendar

    def is_open(self, pantry: int, week: date) -> bool:
        day = week + timedelta(days=SESSION[pantry])
        return not any(p == pantry and first <= day <= last for p, first, last in self.closures)

    def first_week(self, pantry: int, today: date) -> date:
        week = monday(today)
        session = week + timedelta(days=SESSION[pantry])
        if session < today or not self.is_open(pantry, week):
            week += WEEK
        while not self.is_open(pantry, week):
            week += WEEK
        return week

    def free(self, member: Member, start: date, n: int, taken: set[date]) -> list[date]:
        found, week = [], start
        while len(found) < n:
            if week not in taken and self.is_open(member.pantry_in(week), week):
                found.append(week)
            week += WEEK
        return found

    # -- money

    def price(self, pantry: int, week: date) -> int:
        return [pence for start, pence in self.prices[pantry] if start <= week][-1]

    def buy(
        self,
        member: Member,
        today: date,
        start: date,
        taken: set[date],
        *,
        fee: int = 0,
        n: int = BLOCK,
        free: bool = False,
    ) -> None:
        """A block is laid at one pantry from a Monday on; what lies beyond a move then moves."""
        pantry = member.pantry_in(start)
        weeks = self.free(Member(0, start, [(start, pantry)], []), start, n, taken)
        pence = 0 if free else self.price(pantry, weeks[0])
        member.blocks += 1
        member.bought_on.append(today)
        for position, week in enumerate(weeks, 1):
            member.weeks.append(Week(member.blocks, position, week, pantry, pence))
        cost = fee + n * pence
        credit = min(cost, self.pool)
        self.pool -= credit
        self.advance -= cost - credit
        self.settle(member, today)

    def next_start(self, member: Member) -> date | None:
        """The Monday of the block that would follow; None: none does."""
        there = [week.week for week in member.weeks if week.week]
        if not there or any(week.state == "parked" for week in member.weeks):
            return None
        start = max(there) + WEEK
        here = Member(0, start, [(start, member.pantry_in(start))], [])
        return self.free(here, start, 1, member.paused_weeks())[0]

    def due(self, member: Member) -> date | None:
        if member.held or member.state not in ("open", "paused"):
            return None
        start = self.next_start(member)
        return start - 4 * WEEK if start else None

    # -- what happens

    def join(self, number: int, pantry: int, today: date, before: Member | None = None) -> Member:
        first = self.first_week(pantry, today)
        member = Member(number, first, [(first, pantry)], [(today, "open")])
        fee = self.joining
        if before and before.left_on and today <= _a_year_after(before.left_on):
            fee = 0
        self.members.append(member)
        self.buy(member, today, first, set(), fee=fee)
        return member

    def sweep(self, today: date) -> None:
        found = [(due, m.number, m) for m in self.members if (due := self.due(m)) is not None and due <= today]
        for due, _, member in sorted(found, key=lambda each: each[:2]):
            at_once = len(member.bought_on) > 1 and min(member.bought_on[-2:]) >= due
            if at_once or member.state == "paused" or member.state_on(due) == "paused":
                member.held = True
            else:
                self.renew(member, today)

    def renew(self, member: Member, today: date) -> None:
        start = self.next_start(member)
        assert start
        self.buy(member, today, start, member.paused_weeks())
        member.held = False

    def pause(self, member: Member, day: date) -> None:
        member.since.append((day, "paused"))
        for week in member.weeks:
            if week.state == "dated" and week.week and week.week > day:
                week.state, week.week = "parked", None

    def resume(self, member: Member, today: date) -> None:
        member.since.append((today, "open"))
        start = max(self.first_week(member.pantry_in(today), today), member.first_week)
        taken = {week.week for week in member.weeks if week.state == "dated" and week.week and week.week >= start}
        parked = [week for week in member.weeks if week.state == "parked"]
        self.lay(member, parked, start, taken)

    def lay(self, member: Member, rows: list[Week], start: date, taken: set[date]) -> None:
        rows = sorted(rows, key=lambda row: (row.block, row.position))
        for row, week in zip(rows, self.free(member, start, len(rows), taken), strict=True):
            row.week, row.state, row.pantry = week, "dated", member.pantry_in(week)

    def settle(self, member: Member, today: date) -> None:
        rows = [week for week in member.weeks if week.state == "dated" and week.week and week.week > today]
        rows.sort(key=lambda row: (row.block, row.position))
        for n, row in enumerate(rows):
            assert row.week
            if row.pantry != member.pantry_in(row.week) or not self.is_open(row.pantry, row.week):
                taken = {each.week for each in rows[:n] if each.week}
                self.lay(member, rows[n:], row.week, taken)
                return

    def move(self, member: Member, pantry: int, from_week: date, today: date) -> None:
        if from_week <= member.places[-1][0]:
            member.places[-1] = (member.places[-1][0], pantry)
        else:
            member.places.append((from_week, pantry))
        self.settle(member, today)
        for week in member.weeks:
            if week.state == "parked":
                week.pantry = pantry

    def close(self, pantry: int, first: date, last: date, today: date) -> None:
        self.closures.append((pantry, first, last))
        for member in self.members:
            if member.state != "ended":
                self.settle(member, today)

    def leave(self, member: Member, day: date) -> None:
        for week in member.weeks:
            if week.state == "parked" or (week.state == "dated" and week.week and week.week > day):
                week.state = "credited"
                self.pool += week.pence
        member.since.append((day, "ended"))
        member.left_on, member.held = day, False

    def credit(self, member: Member, week: date) -> None:
        row = next(each for each in member.weeks if each.week == week and each.state == "dated")
        row.state = "credited"
        self.pool += row.pence

    def goodwill(self, member: Member, n: int, today: date) -> None:
        dated = [week.week for week in member.weeks if week.state == "dated" and week.week]
        start = max(member.first_week, monday(today), max(dated) + WEEK if dated else monday(today))
        self.buy(member, today, start, member.paused_weeks(), n=n, free=True)


def _a_year_after(day: date) -> date:
    try:
        return day.replace(year=day.year + 1)
    except ValueError:
        return day.replace(year=day.year + 1, day=28)
