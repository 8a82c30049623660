"""Pantry sessions open by themselves: the rows of a day are made when someone first looks at it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, time, timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Subquery

from pantry.calendar import WeekCalendar, bank_holidays
from pantry.models import Collection, Pantry, PantrySession
from stockport_hubs.accounts.models import Role, User
from stockport_hubs.core.kept import Kept, columns, whole

AHEAD = 8 * 7  # days looked through for the next session


def _open_to(role: str) -> Kept:
    return Kept(
        lambda user, organisation, today, key: (
            PantrySession.objects.for_user(User(pk=user, role=role, organisation_id=organisation), today)
            .filter(pk=key)
            .order_by()
            .values_list(*columns(PantrySession), *columns(Pantry, "pantry__"))
        )
    )


# Asked with every page and every recording of a session.
OPEN_TO = {role: _open_to(role) for role in (Role.PANTRY_VOLUNTEER, Role.PANTRY_MANAGER)}


def open_to(user: User, key: UUID | None, *, today: date) -> PantrySession | None:
    """The session, with its pantry, if it is one of those this user may see."""
    if key is None or user.role not in OPEN_TO:
        return None
    found = OPEN_TO[Role(user.role)](user=user.pk, organisation=user.organisation_id, today=today, key=key)
    if not found:
        return None
    session = whole(PantrySession, found[0][: len(columns(PantrySession))])
    session.pantry = whole(Pantry, found[0][len(columns(PantrySession)) :])
    return session


@dataclass(frozen=True)
class Plan:
    """When one pantry opens."""

    pantry: Pantry
    calendar: WeekCalendar

    def openings(self, day: date) -> list[tuple[time, time]]:
        """(opens, closes) of the sessions that open on that day, each once."""
        if self.pantry.closing_on and day >= self.pantry.closing_on:
            return []
        return sorted(set(self.calendar.sessions(self.pantry.pk, day)))

    def closed_because(self, day: date) -> str:
        """Why the sessions planned on that day do not open, as a phrase; "" when nothing closes any."""
        plan = self.calendar.plans[self.pantry.pk]
        if self.pantry.closing_on and day >= self.pantry.closing_on:
            return "the pantry has closed for good"
        if not plan.planned(day):
            return ""
        if closure := next((c for c in plan.closures if c.from_on <= day <= c.until_on), None):
            return closure.reason
        name = bank_holidays(day.year).get(day, "") if plan.closes_on_bank_holidays else ""
        return f"bank holiday ({name})" if name else ""

    def next_opening(self, after: date) -> tuple[date, time, time] | None:
        """The first opening after that day, within eight weeks."""
        for day in (after + timedelta(days=n) for n in range(1, AHEAD + 1)):
            if found := self.openings(day):
                return day, *found[0]
        return None


def plans(pantries: Iterable[Pantry], on: date) -> list[Plan]:
    """The pantries' plans, good for that day and any other: two queries for any number of pantries."""
    pantries = list(pantries)
    calendar = WeekCalendar.for_pantries(pantries)
    return [Plan(pantry, calendar) for pantry in pantries]


@transaction.atomic
def _open_day(plans: list[Plan], on: date) -> dict[object, list[PantrySession]]:
    """The day's sessions by pantry id, by their opening time; makes the planned rows that are missing.

    A session that was given up after something was recorded in it stays: its rows must be found again.
    """
    pantries = [plan.pantry for plan in plans]
    wanted = {(plan.pantry.pk, opens): (plan.pantry, closes) for plan in plans for opens, closes in plan.openings(on)}
    used = Exists(Collection.objects.filter(session=OuterRef("pk")))
    of_day = PantrySession.objects.filter(pantry__in=pantries, on=on).annotate(used=used).select_related("pantry")

    def read() -> dict[tuple, PantrySession]:
        return {(session.pantry_id, session.opens): session for session in of_day.order_by("opens")}

    found = read()
    if missing := [key for key in wanted if key not in found]:
        PantrySession.objects.bulk_create(
            [PantrySession(pantry=wanted[k][0], on=on, opens=k[1], closes=wanted[k][1]) for k in missing],
            ignore_conflicts=True,  # someone else may be looking at the same moment
        )
        found = read()
    shown: dict[object, list[PantrySession]] = {pantry.pk: [] for pantry in pantries}
    for key, session in found.items():
        if key in wanted or session.used:  # type: ignore[attr-defined]
            shown[key[0]].append(session)
    return shown


def for_day(*, pantry: Pantry, on: date) -> list[PantrySession]:
    """The sessions of one pantry planned that day, none when it is closed."""
    return _open_day(plans([pantry], on), on)[pantry.pk]


@dataclass(frozen=True)
class Day:
    """What one pantry does on a day: its sessions, or why there are none, and what came before and comes next."""

    pantry: Pantry
    sessions: list[PantrySession]
    closed_because: str
    last: PantrySession | None
    next: tuple[date, time, time] | None


def overview(*, pantries: Iterable[Pantry], on: date) -> list[Day]:
    """One Day for each pantry, opening the day's sessions; a fixed number of queries for any number of pantries."""
    read = plans(pantries, on)
    opened = _open_day(read, on)
    quiet = [plan.pantry for plan in read if not opened[plan.pantry.pk]]
    latest = PantrySession.objects.filter(pantry=OuterRef("pantry"), on__lt=on).order_by("-on", "-opens").values("pk")
    last = {s.pantry_id: s for s in PantrySession.objects.filter(pantry__in=quiet, pk=Subquery(latest[:1]))}
    return [
        Day(
            pantry=plan.pantry,
            sessions=opened[plan.pantry.pk],
            closed_because=plan.closed_because(on),
            last=last.get(plan.pantry.pk),
            next=None if opened[plan.pantry.pk] else plan.next_opening(on),
        )
        for plan in read
    ]
