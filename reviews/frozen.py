"""Figures as JSON, one function a key: movement, breakdowns, first visits, food, what was entered since.

What the threshold does to them (rules.md, Small numbers): attendance, weeks and money are exact for both organisations
about their own members, so `movement`, `before`, `pantries`, `food` and `entered` are whole; of `first_visits` days are
left out where fewer than the threshold came. `advisors` and `ages` are facts about care leavers: they are not in
Stockport Homes' figures at all.
"""

from collections import Counter
from collections.abc import Mapping
from uuid import UUID

from pantry import money
from reviews import breakdowns, weekly
from reviews.attendance import Attendance
from reviews.entered import Entered, Entry
from reviews.figures import Figures, how_they_stand
from reviews.models import BarrierCategory
from stockport_hubs.core.weeks import weeks_between

LISTED = 200  # entries listed one by one; sums are of all
OF_SHARE = ("open", "paused", "ended", "could", "came", "regular", "lapsed")
MONEY = (
    *("paid_in_advance_pence", "drawn_pence", "left_pence", "in_pool_pence", "joining_pence"),
    *("bought_pence", "credited_pence"),
)
STANDING = ("open", "paused", "ended", "came_last4", "lapsing", "lapsed")
AGES = (("up_to_4", 4), ("up_to_12", 12), ("older", 10_000))  # weeks since it was raised, the last one included


class Names:
    """Names by young person; `shown` are those whose name stands somewhere."""

    def __init__(self, names: Mapping[UUID | None, str]) -> None:
        self._names = names
        self.shown: set[UUID | None] = set()

    def show(self, person: UUID | None, otherwise: str = "") -> str:
        """The name, to be written down; `otherwise` where there is none to be told."""
        if person not in self._names:
            return otherwise
        self.shown.add(person)
        return self._names[person]


def more(figures: Figures, ours: bool, threshold: int, names: Names) -> dict:
    """The keys of this module; `ours` for the Leaving Care Team."""
    made = {
        "movement": movement(figures),
        "before": before(figures),
        "pantries": pantries(figures),
        "first_visits": first_visits(figures, threshold),
        "food": food(figures),
    }
    if ours:
        made |= {"advisors": advisors(figures), "ages": ages(figures)}
    if figures.asked:
        made["part"] = part(figures)
    if figures.entered:
        made["entered"] = entered(figures, figures.entered, names)
    return made


def of_any_day(frozen: dict) -> dict:
    """What Stockport Homes gets for a period, a day and a part of its choice: no count that is hidden when small, for
    one such answer less another would give it away. They are in the packs."""

    def hidden(counts: dict) -> dict:
        return dict.fromkeys(counts)

    before = dict.fromkeys(("identified", "offered", "agreed"))
    told = {key: value for key, value in frozen.items() if key not in ("wellbeing", "volunteering")}
    return told | {
        "funnel": frozen["funnel"] | before,
        "answers": hidden(frozen["answers"]),
        "missed": hidden(frozen["missed"]),
        "holds": frozen["holds"] | {"reasons": hidden(frozen["holds"]["reasons"])},
        "barriers": frozen["barriers"] | {"categories": hidden(frozen["barriers"]["categories"])},
    }


def part(figures: Figures) -> dict:
    """What was asked for, in words."""
    asked = figures.asked
    return {
        "pantry": asked.pantry.name if asked.pantry else "",
        "advisor": asked.advisor.name if asked.advisor else "",
        "cohort": asked.cohort,
    }


def movement(figures: Figures) -> dict:
    """Start, moves, end: of open, paused and ended members."""
    found = figures.movement
    return {
        "since": found.since.isoformat(),
        "start": {key: found.start[key] for key in ("open", "paused", "ended")},
        "end": {key: found.end[key] for key in ("open", "paused", "ended")},
        "steps": [
            {"kind": kind, "times": found.times[kind]} | {key: step[key] for key in ("open", "paused", "ended")}
            for kind, step in found.steps.items()
        ],
    }


def before(figures: Figures) -> dict | None:
    """Take-up of the period before; None where it has no week."""
    weeks = figures.weeks_before
    if not weeks:
        return None
    return {
        "from": weeks[0].week.isoformat(),
        "weeks": len(weeks),
        "could": sum(each.could for each in weeks),
        "came": sum(each.came for each in weeks),
    }


def _shares(shares: list[breakdowns.Share]) -> list[dict]:
    return [
        {"key": str(each.key), "name": each.name} | {name: each.counts[name] for name in OF_SHARE} for each in shares
    ]


def pantries(figures: Figures) -> list[dict]:
    return _shares(figures.by_pantry_shares)


def advisors(figures: Figures) -> list[dict]:
    return _shares(figures.by_advisor)


def first_visits(figures: Figures, threshold: int) -> dict:
    found = figures.first_visits
    shown = len(found.days) >= max(threshold, 1)
    return {
        "came": len(found.came),
        "came_first": len(found.came_first),
        "waiting": len(found.waiting),
        **{name: found.within(n) if shown else None for n, name in enumerate(("quarter", "half", "three_quarters"), 1)},
    }


def food(figures: Figures) -> dict:
    found, position = figures.food, figures.position
    used, collected = position.joining_pence + position.used_pence, position.collected_weeks
    return {
        "collections": found.collections,
        "without_value": found.without_value,
        "value_pence": found.value_pence,
        "lost_pence": found.lost_pence,
        "used_pence": used,
        "collected_weeks": collected,
        "cost_each_pence": (2 * used + collected) // (2 * collected) if collected else None,
    }


def ages(figures: Figures) -> dict[str, dict[str, int]]:
    """Open barriers by category: how many in each state and of each age."""
    counts: dict[str, Counter] = {}
    for each in figures.barriers:
        weeks = (figures.as_at - each.raised_on).days // 7
        band = next(name for name, most in AGES if weeks <= most)
        counts.setdefault(each.category, Counter()).update([each.state, band])
    return {category: dict(counts[category]) for category in BarrierCategory.values if category in counts}


def entered(figures: Figures, found: Entered, names: Names) -> dict:
    """[then, now] of each figure that counts by the day, and the latest entries."""
    assert figures.known is not None
    now, then = figures.attendance_known, found.then
    entries = [each for each in found.entries if _concerns(figures, each)]
    mondays = weeks_between(figures.known.period_from, min(figures.period_to, found.as_at))
    weeks = [weekly.by_week(weekly.rows(each, mondays, figures.part), mondays) for each in (then, now)]
    stand = [how_they_stand(_standing(figures, each)) for each in (then, now)]
    position = money.position(figures.agreement, found.as_at, now.calendar)
    return {
        "known_at": found.known_at.isoformat(),
        "as_at": found.as_at.isoformat(),
        "count": len(entries),
        "entries": [_entry(figures, each, names) for each in entries[-LISTED:]],
        "weeks": [
            {"week": a.week.isoformat(), "could": [a.could, b.could], "came": [a.came, b.came]}
            for a, b in zip(*weeks, strict=True)
            if (a.could, a.came) != (b.could, b.came)
        ],
        "came": [sum(each.came for each in side) for side in weeks],
        "could": [sum(each.could for each in side) for side in weeks],
        "members": {key: [len(side[key]) for side in stand] for key in STANDING},
        "money": {name: [getattr(position, name) - found.money[name], getattr(position, name)] for name in MONEY},
    }


def _standing(figures: Figures, attendance: Attendance) -> list:
    part = figures.part
    members = attendance.members.items()
    return [member for key, member in members if part is None or part.holds(key, attendance.as_at)]


def _concerns(figures: Figures, entry: Entry) -> bool:
    """Money is the whole agreement's, whatever part was asked for."""
    if figures.part is None or (entry.member is None and entry.pantry is None):
        return True
    if entry.member is None:
        return figures.asked.pantry is None or figures.asked.pantry.pk == entry.pantry
    return figures.part.holds(entry.member, figures.as_at)


def _entry(figures: Figures, entry: Entry, names: Names) -> dict:
    made: dict[str, object] = {
        "kind": entry.kind,
        "on": entry.on.isoformat(),
        "recorded_at": entry.recorded_at.isoformat(),
    }
    if entry.number is not None:
        made["number"] = entry.number
        if name := names.show(figures.cohort.person_of.get(entry.member) if entry.member else None):
            made["name"] = name
    if entry.pantry is not None:
        made["pantry"] = figures.attendance.pantries.get(entry.pantry, "")
    if entry.pence is not None:
        made["pence"] = entry.pence
    return made
