"""What each week of a period was for each member, told once for every figure that counts weeks."""

from collections import Counter
from collections.abc import Iterable
from datetime import date

from reviews.attendance import CAME, CLOSED, COULD_COME, OUTSIDE, Attendance, Member, Week
from reviews.parts import Part

Row = tuple[Member, list[str]]  # a member and what each week was for them


def rows(attendance: Attendance, mondays: list[date], part: Part | None = None) -> list[Row]:
    """By number. Of a part: its members' weeks; by pantry the weeks spent there, also by those who have moved on."""
    members = attendance.members.values()
    if part is None:
        statuses = attendance.statuses(mondays)
        return [(member, statuses(member)) for member in members]
    here = part.asked.pantry.pk if part.asked.pantry else None
    found = []
    for member in members:
        if here and all(pantry != here for _, _, pantry in member.places):
            continue
        if not part.holds(member.id, attendance.as_at, wherever=True):
            continue
        found.append((member, [_status(attendance, member, week, here) for week in mondays]))
    return found


def _status(attendance: Attendance, member: Member, week: date, here) -> str:
    if here and (member.pantry_in(week) or _nearest(member, week)) != here:
        return OUTSIDE
    return attendance.status(member, week)


def _nearest(member: Member, week: date):
    """The pantry of a week outside every place: the last one begun, or the first."""
    begun = [pantry for start, _, pantry in member.places if start <= week]
    return begun[-1] if begun else member.places[0][2]


def by_week(rows: list[Row], mondays: list[date]) -> list[Week]:
    """Take-up of each week; closed when it was closed for every member who could otherwise have come."""
    columns: Iterable[Iterable[str]] = [()] * len(mondays)
    if rows:
        columns = zip(*(statuses for _, statuses in rows), strict=True)
    seen = [Counter(column) for column in columns]
    made = []
    for week, counts in zip(mondays, seen, strict=True):
        could = sum(counts[status] for status in COULD_COME)
        made.append(Week(week, could, counts[CAME], is_closed=counts[CLOSED] > 0 and could == 0))
    return made
