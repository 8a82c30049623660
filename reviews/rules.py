"""Moves of barriers and meetings (rules.md, States) and the period a meeting looks at. No database, no clock."""

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
