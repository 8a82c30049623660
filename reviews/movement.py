"""What explains a change of a total: who joined, returned, paused, resumed, left, came into the part or went out of it.

Start and moves together are the end, for open, paused and ended members each. It is told by the rows of moves alone, so
that it proves the totals, which are read otherwise (reviews.attendance).
"""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from pantry.models import Membership
from reviews.parts import Part
from stockport_hubs.core.kept import Kept

State = Membership.State
COUNTED = (State.OPEN.value, State.PAUSED.value, State.ENDED.value)
JOINED, RETURNED, PAUSED, RESUMED, LEFT, IN, OUT = "joined", "returned", "paused", "resumed", "left", "in", "out"
KINDS = (JOINED, RETURNED, PAUSED, RESUMED, LEFT, IN, OUT)

MOVES = Kept(
    lambda agreement, until: (
        Membership.objects.filter(agreement=agreement, joined_on__lte=until)
        .exclude(state=State.PENDING)
        .order_by("moves__on", "moves__recorded_at")
        .values_list("pk", "joined_on", "previous_id", "moves__state", "moves__on", "moves__recorded_at")
    )
)


@dataclass(slots=True)
class Path:
    """One membership's states in order, each with its day and when it was entered."""

    joined_on: date
    is_return: bool
    steps: list[tuple[date, str, datetime]] = field(default_factory=list)

    def state_on(self, day: date) -> str | None:
        """None before it was there, and while it waited to be confirmed."""
        if day < self.joined_on:
            return None
        state: str = State.OPEN.value
        for on, became, _ in self.steps:
            if on > day:
                break
            state = became
        return state if state in COUNTED else None


@dataclass(kw_only=True)
class Movement:
    """From the end of one day to the end of another; `members` holds who is behind each kind."""

    since: date
    until: date
    start: Counter = field(default_factory=Counter)
    end: Counter = field(default_factory=Counter)
    steps: dict[str, Counter] = field(default_factory=lambda: {kind: Counter() for kind in KINDS})
    members: dict[str, set[UUID]] = field(default_factory=lambda: {kind: set() for kind in KINDS})
    times: Counter = field(default_factory=Counter)

    def count(self, kind: str, member: UUID, before: str | None, after: str | None) -> None:
        """One move of one member from a state to another; None: not counted there."""
        if before:
            self.steps[kind][before] -= 1
        if after:
            self.steps[kind][after] += 1
        self.members[kind].add(member)
        self.times[kind] += 1


def paths(agreement: UUID, until: date) -> dict[UUID, Path]:
    """Of every member the agreement has paid for by the day; one query."""
    found: dict[UUID, Path] = {}
    for member, joined_on, previous, state, on, recorded_at in MOVES(agreement=agreement, until=until):
        path = found.get(member)
        if path is None:
            path = found[member] = Path(joined_on, previous is not None)
        if on is not None and on <= until:
            path.steps.append((on, state, recorded_at))
    return found


def between(agreement: UUID, since: date, until: date, part: Part | None = None) -> Movement:
    """The moves after `since`, up to and with `until`."""
    made = Movement(since=since, until=until)
    for member, path in paths(agreement, until).items():
        start, end = path.state_on(since), path.state_on(until)
        if part is not None:
            start = start if part.holds(member, since) else None
            end = end if part.holds(member, until) else None
        if start:
            made.start[start] += 1
        if end:
            made.end[end] += 1
        _follow(made, member, path, part)
    return made


def _follow(made: Movement, member: UUID, path: Path, part: Part | None) -> None:
    """Day by day: first whether the part has them, then what became of them."""
    if part is None and max([path.joined_on, *(on for on, _, _ in path.steps)]) <= made.since:
        return
    became: dict[date, list[str]] = defaultdict(list)
    if not path.steps or path.steps[0][0] > path.joined_on:
        became[path.joined_on].append(State.OPEN.value)
    for on, after, _ in path.steps:
        became[max(on, path.joined_on)].append(after)
    turns = part.turns(member) if part is not None else []
    days = {day for day in became if made.since < day <= made.until}
    days |= {day for each in turns for day, _ in each if made.since < day <= made.until}
    if not days:
        return
    state: str | None = path.state_on(made.since)
    is_in = part is None or part.holds(member, made.since)
    for day in sorted(days):
        now_in = part is None or part.holds(member, day)
        if now_in != is_in and state:
            made.count(IN if now_in else OUT, member, None if now_in else state, state if now_in else None)
        is_in = now_in
        for after in became.get(day, []):
            following = after if after in COUNTED else None
            if is_in and following != state:
                made.count(kind_of(state, following, path), member, state, following)
            state = following


def kind_of(before: str | None, after: str | None, path: Path) -> str:
    if before is None and after != State.ENDED:
        return RETURNED if path.is_return else JOINED
    return {State.PAUSED.value: PAUSED, State.OPEN.value: RESUMED}.get(after or "", LEFT)
