"""What pages about pantries show: openings in words, next dates, prices in force."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, time, timedelta
from typing import NamedTuple

from django.db.models import Count, QuerySet

from pantry.models import Membership, OpeningHours, Pantry, Place, Tariff
from pantry.services import sessions
from stockport_hubs.accounts.models import Organisation

DAYS_LOOKED_THROUGH = 16 * 7
DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def openings_in_words(hours: list[OpeningHours], today: date) -> list[str]:
    """ "Wednesday, 10:00 to 12:00", with its first or last day where that is still to come; past ones are left out.

    Three and more days in a row at the same times are said together: "Monday to Friday, 10:00 to 16:00".
    """
    said: dict[str, list[int]] = {}
    for h in sorted(hours, key=lambda h: (h.weekday, h.opens, h.from_on)):
        if h.until_on and h.until_on < today:
            continue
        words = f"{h.opens:%H:%M} to {h.closes:%H:%M}"
        if h.from_on > today:
            words += f", from {h.from_on:%-d %B %Y}"
        if h.until_on:
            words += f", until {h.until_on:%-d %B %Y}"
        said.setdefault(words, []).append(h.weekday)
    lines = [(days[0], f"{name}, {words}") for words, weekdays in said.items() for days, name in _days(weekdays)]
    return [line for _, line in sorted(lines, key=lambda line: line[0])]


def _days(weekdays: list[int]) -> list[tuple[list[int], str]]:
    """Runs of days and their names: [0, 1, 2, 4] → Monday to Wednesday, Friday."""
    runs: list[list[int]] = []
    for day in weekdays:
        if runs and day == runs[-1][-1] + 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    if runs == [list(range(7))]:
        return [(runs[0], "Every day")]
    named = []
    for run in runs:
        if len(run) > 2:
            named.append((run, f"{DAY_NAMES[run[0]]} to {DAY_NAMES[run[-1]]}"))
        else:
            named += [([day], DAY_NAMES[day]) for day in run]
    return named


@dataclass(frozen=True)
class Opening:
    on: date
    opens: time
    closes: time


def next_openings(pantry: Pantry, today: date, n: int = 4) -> list[Opening]:
    """The next n sessions that do open, today's included, within 16 weeks; two queries."""
    [plan] = sessions.plans([pantry], today)
    found: list[Opening] = []
    for offset in range(DAYS_LOOKED_THROUGH):
        day = today + timedelta(days=offset)
        found += [Opening(day, opens, closes) for opens, closes in plan.openings(day)]
        if len(found) >= n:
            break
    return found[:n]


def operators() -> QuerySet[Organisation]:
    """The organisations that run pantries: a council chooses among them for an agreement."""
    return Organisation.objects.filter(kind=Organisation.Kind.OPERATOR).order_by("name")


class Counted(NamedTuple):
    """A pantry and its members: memberships that have not ended and whose place there has no end."""

    pantry: Pantry
    members: int


def with_members(pantries: Iterable[Pantry]) -> list[Counted]:
    """Pantries in their order with how many members each has: one query for all of them."""
    pantries = list(pantries)
    here = Place.objects.filter(pantry__in=pantries, to_week__isnull=True)
    here = here.exclude(membership__state=Membership.State.ENDED).order_by()
    counts = dict(here.values_list("pantry").annotate(Count("pk")))
    return [Counted(pantry, counts.get(pantry.pk, 0)) for pantry in pantries]


def room(capacity: int | None, members: int) -> str:
    """Whether someone can still join, without the number of members."""
    if capacity is None:
        return "No limit"
    return "Full" if members >= capacity else "Has room"


TARIFF_STATES = {
    "waiting": ("Waiting for finance", "yellow"),
    "sent_back": ("Sent back", "red"),
    "taken_back": ("Taken back", "grey"),
    "in_force": ("In force", "green"),
    "to_come": ("Agreed, to come", "blue"),
    "past": ("Ended", "grey"),
}


def tariff_states(tariffs: list[Tariff], today: date) -> list[Tariff]:
    """The tariffs (of any pantries, all of each) with `state`, `label` and `colour` set; latest start first."""
    in_force: dict = {}
    for tariff in tariffs:
        if tariff.agreed_at and not tariff.withdrawn_at and tariff.from_week <= today:
            best = in_force.get(tariff.pantry_id)
            if best is None or tariff.from_week > best.from_week:
                in_force[tariff.pantry_id] = tariff
    for tariff in tariffs:
        tariff.state = _state(tariff, in_force, today)
        tariff.label, tariff.colour = TARIFF_STATES[tariff.state]
    return sorted(tariffs, key=lambda t: (t.from_week, t.proposed_at), reverse=True)


def in_force(stated: list[Tariff]) -> Tariff | None:
    """The price in force among the tariffs of one pantry that `tariff_states` has looked at."""
    return next((tariff for tariff in stated if tariff.state == "in_force"), None)


def _state(tariff: Tariff, in_force: dict, today: date) -> str:
    if tariff.sent_back_by_id:
        return "sent_back"
    if tariff.withdrawn_at:
        return "taken_back"
    if not tariff.agreed_at:
        return "waiting"
    if tariff.from_week > today:
        return "to_come"
    return "in_force" if in_force[tariff.pantry_id] is tariff else "past"
