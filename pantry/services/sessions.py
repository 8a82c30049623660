"""Pantry sessions open by themselves: the rows of a day are made when someone first looks at it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, time, timedelta

import holidays
from django.db import transaction
from django.db.models import Exists, OuterRef, Q

from pantry.models import Closure, Collection, OpeningHours, Pantry, PantrySession

AHEAD = 8 * 7  # days looked through for the next session


@dataclass
class Plan:
    """When one pantry opens, read once for any number of days."""

    pantry: Pantry
    hours: list[OpeningHours] = field(default_factory=list)
    closures: list[Closure] = field(default_factory=list)

    def closed_because(self, day: date) -> str:
        """Why no session opens on that day, as a phrase; "" when nothing closes it."""
        if self.pantry.closing_on and day >= self.pantry.closing_on:
            return "the pantry has closed for good"
        for closure in self.closures:
            if closure.from_on <= day <= closure.until_on:
                return closure.reason
        if self.pantry.closes_on_bank_holidays and (name := bank_holiday(day)):
            return f"bank holiday ({name})"
        return ""

    def planned(self, day: date) -> list[tuple[time, time]]:
        """(opens, closes) of that weekday in the hours then in force, closed or not."""
        return sorted(
            {
                (h.opens, h.closes)
                for h in self.hours
                if h.weekday == day.weekday() and h.from_on <= day and (h.until_on is None or h.until_on >= day)
            }
        )

    def openings(self, day: date) -> list[tuple[time, time]]:
        """(opens, closes) of the sessions that do open on that day."""
        return [] if self.closed_because(day) else self.planned(day)

    def next_opening(self, after: date) -> tuple[date, time, time] | None:
        """The first opening after that day, within eight weeks."""
        for day in (after + timedelta(days=n) for n in range(1, AHEAD + 1)):
            if found := self.openings(day):
                return day, *found[0]
        return None


def bank_holiday(day: date) -> str:
    """The bank holiday of England on that day, or ""."""
    return holidays.country_holidays("GB", subdiv="ENG", years=day.year).get(day, "")


def plans(pantries: Iterable[Pantry], on: date) -> list[Plan]:
    """The pantries' plans for that day and the weeks after it: two queries for any number of pantries."""
    made = {pantry.pk: Plan(pantry) for pantry in pantries}
    still = Q(until_on__isnull=True) | Q(until_on__gte=on)
    for hours in OpeningHours.objects.filter(still, pantry__in=made):
        made[hours.pantry_id].hours.append(hours)
    for closure in Closure.objects.filter(pantry__in=made, until_on__gte=on, withdrawn_at__isnull=True):
        made[closure.pantry_id].closures.append(closure)
    return list(made.values())


@transaction.atomic
def open_day(*, plans: Iterable[Plan], on: date) -> dict[object, list[PantrySession]]:
    """The day's sessions by pantry id, by their opening time; makes the planned rows that are missing.

    A session that was given up after something was recorded in it stays: its rows must be found again.
    """
    used = Exists(Collection.objects.filter(session=OuterRef("pk")))
    wanted = {(plan.pantry.pk, opens): (plan.pantry, closes) for plan in plans for opens, closes in plan.openings(on)}
    of_day = PantrySession.objects.filter(pantry__in=[plan.pantry for plan in plans], on=on).annotate(used=used)

    def read() -> dict[tuple, PantrySession]:
        return {(s.pantry_id, s.opens): s for s in of_day.select_related("pantry").order_by("opens")}

    found = read()
    if missing := [key for key in wanted if key not in found]:
        PantrySession.objects.bulk_create(
            [PantrySession(pantry=wanted[k][0], on=on, opens=k[1], closes=wanted[k][1]) for k in missing],
            ignore_conflicts=True,  # someone else may be looking at the same moment
        )
        found = read()
    shown: dict[object, list[PantrySession]] = {plan.pantry.pk: [] for plan in plans}
    for key, session in found.items():
        if key in wanted or session.used:
            shown[key[0]].append(session)
    return shown


def for_day(*, pantry: Pantry, on: date) -> list[PantrySession]:
    """The sessions of one pantry planned that day, none when it is closed."""
    return open_day(plans=plans([pantry], on), on=on)[pantry.pk]
