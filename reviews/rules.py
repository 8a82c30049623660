"""Moves of barriers, meetings and disagreements (rules.md, States) and the days of meetings. No database, no clock."""

from collections.abc import Callable
from datetime import date, timedelta

from stockport_hubs.core.weeks import WEEK, monday

# State → where it can go. "Will not be resolved" asks for a reason; a closed barrier is raised anew, not reopened.
BARRIER_MOVES = {
    "open": ("in_hand", "resolved", "will_not"),
    "in_hand": ("in_hand", "resolved", "will_not"),
    "resolved": (),
    "will_not": (),
}
CLOSED = ("resolved", "will_not")
MEETING_MOVES = {
    "planned": ("agenda_out", "held"),
    "agenda_out": ("held",),
    "held": ("minutes_agreed",),
    "minutes_agreed": (),
}
EDITABLE = ("planned", "agenda_out")
USUAL_WEEKS = 26
TOP_RUNG = 3
REMINDED_AHEAD = timedelta(days=3)


def usual_period(on: date, previous_to: date | None) -> tuple[date, date]:
    """What a meeting looks at: the whole weeks since the last one's period, or the last 26; to the Sunday before."""
    last = monday(on) - timedelta(days=1)
    first = monday(last) - (USUAL_WEEKS - 1) * WEEK
    if previous_to is not None and previous_to < last:
        first = previous_to + timedelta(days=1)
    return first, last


def figures_as_at(period_to: date, today: date) -> date:
    """The day a period's figures are told as of: its last day, or today while it is not over."""
    return min(period_to, today)


def next_meeting_on(
    last: date | None, weeks: int, from_on: date, today: date, is_holiday: Callable[[date], bool]
) -> date:
    """The day proposed: `weeks` after the last meeting, or the rhythm's first day; when that has passed, the first such
    week day from a week on; a week later when it is a bank holiday."""
    day = max(last + weeks * WEEK, from_on) if last else from_on
    if day <= today:
        day += ((today - day).days // 7 + 1) * WEEK
    while is_holiday(day) or day.weekday() > 4:
        day += WEEK if day.weekday() <= 4 else timedelta(days=7 - day.weekday())
    return day


def next_rungs(rung: int) -> tuple[int, ...]:
    """Where a disagreement can be taken up from here: higher only."""
    return tuple(range(rung + 1, TOP_RUNG + 1))


def times(number: int) -> str:
    """ "once", "twice", "3 times"."""
    return {1: "once", 2: "twice"}.get(number, f"{number} times")
