"""Which weeks are open at a pantry: planned sessions, less closures, less bank holidays of England.

A week is closed when every session planned in it is closed. A week without any planned session (no hours recorded, or
hours that begin later) counts as open: nothing is known against it, and paid weeks must land somewhere.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

import holidays

from pantry import rules
from pantry.models.places import Closure, Pantry
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.kept import Kept, together
from stockport_hubs.core.weeks import LONDON, WEEK, london_date, monday

LONGEST_SEARCH = 520  # weeks looked through for an open one


@lru_cache(maxsize=64)
def bank_holidays(year: int) -> dict[date, str]:
    """The bank holidays of England by date. `holidays` lists a Saturday's or Sunday's festival beside the weekday
    given for it; only weekdays are bank holidays."""
    listed = holidays.country_holidays("GB", subdiv="ENG", years=year)
    return {day: name for day, name in listed.items() if day.weekday() < 5 and day.year == year}


class Hours(NamedTuple):
    """One weekly opening, dated."""

    weekday: int
    opens: time
    closes: time
    from_on: date
    until_on: date | None

    def hold(self, day: date) -> bool:
        """Whether they are in force on a day; not whether it is their weekday."""
        return self.from_on <= day and (self.until_on is None or day <= self.until_on)


class Closed(NamedTuple):
    """Days on which nothing opens; both dates included."""

    from_on: date
    until_on: date
    reason: str


HOURS = Kept(
    lambda pantries: (
        Pantry.objects.filter(pk__in=pantries)
        .order_by("opening_hours__weekday", "opening_hours__opens")
        .values_list("pk", "closes_on_bank_holidays", *(f"opening_hours__{name}" for name in Hours._fields))
    )
)
CLOSURES = Kept(
    lambda pantries: (
        Closure.objects.filter(pantry__in=pantries, withdrawn_at__isnull=True)
        .order_by()
        .values_list("pantry_id", *Closed._fields)
    )
)


@dataclass
class Plan:
    """One pantry's hours and closures."""

    closes_on_bank_holidays: bool
    hours: list[Hours] = field(default_factory=list)
    closures: list[Closed] = field(default_factory=list)
    closed_weeks: dict[date, bool] = field(default_factory=dict)

    def planned(self, day: date) -> list[tuple[time, time]]:
        """(opens, closes) of the hours in force that day, closed or not."""
        return [(h.opens, h.closes) for h in self.hours if h.weekday == day.weekday() and h.hold(day)]

    def is_closed_on(self, day: date) -> bool:
        """A closure or a bank holiday keeps the pantry shut that day."""
        if self.closes_on_bank_holidays and day in bank_holidays(day.year):
            return True
        return any(c.from_on <= day <= c.until_on for c in self.closures)

    def is_closed(self, week: date) -> bool:
        """Every session planned in the week is closed."""
        if week not in self.closed_weeks:
            planned = {day for h in self.hours if h.hold(day := week + timedelta(days=h.weekday))}
            self.closed_weeks[week] = bool(planned) and all(self.is_closed_on(day) for day in planned)
        return self.closed_weeks[week]


class WeekCalendar:
    """Open and closed weeks of some pantries, read once."""

    def __init__(self, plans: dict[UUID, Plan]):
        self.plans = plans

    @classmethod
    def for_pantries(cls, pantries: Iterable[Pantry]) -> "WeekCalendar":
        """Two queries, whatever the number of pantries (and theirs, when `pantries` is a query)."""
        calendar = cls({pantry.pk: Plan(pantry.closes_on_bank_holidays) for pantry in pantries})
        calendar._read(list(calendar.plans))
        return calendar

    def learn(self, pantry_ids: Iterable[UUID]) -> None:
        """Read the pantries not known yet: two queries, or none."""
        self._read([pantry_id for pantry_id in dict.fromkeys(pantry_ids) if pantry_id not in self.plans])

    def _read(self, pantry_ids: list[UUID]) -> None:
        all_hours, closures = together(HOURS.of(pantries=pantry_ids), CLOSURES.of(pantries=pantry_ids))
        for pantry_id, closes_on_bank_holidays, *hours in all_hours:
            plan = self.plans.setdefault(pantry_id, Plan(closes_on_bank_holidays))
            if hours[0] is not None:  # a pantry without hours is a row too
                plan.hours.append(Hours(*hours))
        for pantry_id, *closed in closures:
            self.plans[pantry_id].closures.append(Closed(*closed))

    def is_closed(self, pantry_id, week: date) -> bool:
        """Every session planned in the week of this Monday is closed."""
        return self.plans[pantry_id].is_closed(week)

    def sessions(self, pantry_id, day: date) -> list[tuple[time, time]]:
        """(opens, closes) of the sessions planned on a day and not closed."""
        plan = self.plans[pantry_id]
        return [] if plan.is_closed_on(day) else plan.planned(day)

    def next_open_weeks(self, pantry_id, start: date, n: int, taken=frozenset()) -> list[date]:
        """The first n open weeks from the week of `start` on that are not among those `taken`."""
        return [week for week, _ in self.next_weeks(lambda week: pantry_id, start, n, taken)]

    def next_weeks(
        self, pantry_in: Callable[[date], UUID | None], start: date, n: int, taken=frozenset()
    ) -> list[tuple[date, UUID]]:
        """The same for someone who moves: `pantry_in` says whose week each Monday is; None: nobody's, so not open."""
        week, closed = monday(start), 0
        found: list[tuple[date, UUID]] = []
        while len(found) < n:
            pantry_id = pantry_in(week)
            if pantry_id and week not in taken and not self.plans[pantry_id].is_closed(week):
                found.append((week, pantry_id))
                closed = 0
            elif (closed := closed + 1) > LONGEST_SEARCH:
                raise Refused("The pantry has no open week in the next ten years. Look at its closures first.")
            week += WEEK
        return found

    def next_open_week(self, pantry_id, start: date) -> date:
        """The first open week from the week of `start` on."""
        return self.next_open_weeks(pantry_id, start, 1)[0]

    def open_weeks_before(self, pantry_id, before: date, n: int, since: date, leave_out=frozenset()) -> list[date]:
        """The last n open weeks that begin before the week of `before`, in order; none before `since`."""
        plan, week = self.plans[pantry_id], monday(before) - WEEK
        found: list[date] = []
        while len(found) < n and week >= since:
            if week not in leave_out and not plan.is_closed(week):
                found.append(week)
            week -= WEEK
        return found[::-1]

    def first_week(self, pantry_id, at: datetime, wanted: date | None = None) -> date:
        """The first week of someone accepted at a moment: that week if a session still opens in it, otherwise the next
        open one; not before the wanted week, which may be up to 8 weeks ahead."""
        this_week = monday(london_date(at))
        latest = this_week + rules.WANTED_WEEKS_AHEAD * WEEK
        if wanted is not None and monday(wanted) > latest:
            raise Refused(
                f"The first week can be up to {rules.WANTED_WEEKS_AHEAD} weeks ahead: "
                f"choose {latest:%-d %B %Y} or an earlier Monday."
            )
        days = [this_week + timedelta(days=n) for n in range(7)]
        opens_still = any(
            datetime.combine(day, opens, LONDON) > at for day in days for opens, _ in self.sessions(pantry_id, day)
        )
        start = this_week if opens_still else this_week + WEEK
        if wanted is not None:
            start = max(start, monday(wanted))
        return self.next_open_week(pantry_id, start)
