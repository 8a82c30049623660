"""The young people behind figures that `reviews.behind` has no condition for: of a part, of one week, of a movement.

Their keys are counted in Python, as the figures are; the page asks the database for those of them it shows.
"""

from collections.abc import Callable
from datetime import date
from uuid import UUID

from django.db.models import Q

from pantry.models import MissedWeek
from reviews import behind
from reviews.attendance import CAME, COULD_COME, MISSED
from reviews.cohort import ANSWERS, STAGES
from reviews.figures import Figures
from stockport_hubs.core.among import Among

OF_WEEKS = {"could": COULD_COME, "came": (CAME,), "missed": (MISSED,)}
OF_INTRODUCTIONS: dict[str, Callable] = {
    "days_to_first": lambda found: found.came,
    "came_first": lambda found: found.came_first,
    "waiting_first": lambda found: found.waiting,
}
CHANGE = "change_"


def people(figures: Figures, key: str, *, week: date | None = None, reason: str = "", category: str = "") -> Q:
    """The condition on young people; KeyError for no such figure."""
    if key in OF_INTRODUCTIONS:
        return Q(Among("pk", OF_INTRODUCTIONS[key](figures.first_visits)))
    if "-" in key:
        return behind.people(figures, key)
    if key == "barriers" and (category or figures.part):
        of_kind = (each for each in figures.barriers if category in ("", each.category))
        return Q(Among("pk", {each.person for each in of_kind if each.person}))
    if figures.part and key in STAGES:
        return Q(Among("pk", figures.stages[key]))
    if figures.part and key in ANSWERS:
        return Q(Among("pk", figures.answered[key]))
    members = _members(figures, key, week, reason)
    return behind.people(figures, key) if members is None else Q(Among("pk", figures.cohort.people(members)))


def without_person(
    figures: Figures, key: str, *, week: date | None = None, reason: str = "", category: str = ""
) -> int:
    """How many members of a figure are known by number only: no introduction of theirs is on record."""
    if key in OF_INTRODUCTIONS or key in STAGES or key in ANSWERS or key == "barriers" or "-" in key:
        return 0
    members = _members(figures, key, week, reason)
    if members is None:
        return behind.without_person(figures, key)
    return sum(1 for member in members if member not in figures.cohort.person_of)


def _members(figures: Figures, key: str, week: date | None, reason: str) -> set[UUID] | None:
    """None: `reviews.behind` knows them."""
    if key in OF_WEEKS:
        return _of_weeks(figures, OF_WEEKS[key], week, reason)
    if key.startswith(CHANGE):
        return figures.movement.members[key.removeprefix(CHANGE)]
    if key == "regular_members":
        return {member.id for member in figures.standing.values() if member.is_open and member.is_regular}
    if not figures.part:
        return None
    return {hold.member_id for hold in figures.holds} if key == "holds" else figures.members[key]


def _of_weeks(figures: Figures, statuses: tuple[str, ...], week: date | None, reason: str) -> set[UUID]:
    """Members with such a week in the period, or with that very one; of missed ones, with that reason."""
    found = {
        (member.id, monday)
        for member, of_weeks in figures.rows
        for monday, status in zip(figures.mondays, of_weeks, strict=True)
        if status in statuses and week in (None, monday)
    }
    if reason:
        recorded = MissedWeek.objects.filter(membership__agreement=figures.agreement)
        said = {(key, monday): why for key, monday, why in recorded.values_list("membership_id", "week", "reason")}
        found = {each for each in found if said.get(each, "none") == reason}
    return {member for member, _ in found}
