"""Beyond the pantry: onward links offered in a period with what came of them, and who has begun to volunteer."""

from collections import Counter
from collections.abc import Set
from datetime import date, timedelta
from functools import cached_property
from uuid import UUID

from referrals.models import CommunityLinkMove, DirectoryEntry, VolunteeringMove
from stockport_hubs.core.kept import Kept

OFFERED = "offered"
LINK_STATES = ("taken_up", "not_taken_up", "helped", "did_not_help")
KINDS = list(DirectoryEntry.Kind.values)

# Every step that counts, in order: what came of a link by a day is its last one.
LINK_STEPS = Kept(
    lambda council, first, last, as_at: (
        CommunityLinkMove.objects.filter(
            undone_at__isnull=True,
            on__lte=as_at,
            link__offered_on__range=(first, last),
            link__care_leaver__council=council,
        )
        .order_by("link_id", "number")
        .values_list("link_id", "state", "link__care_leaver_id", "link__entry__kind")
    )
)
VOLUNTEERING_STEPS = Kept(
    lambda council, as_at: (
        VolunteeringMove.objects.filter(
            undone_at__isnull=True, on__lte=as_at, offer__care_leaver__council=council
        )
        .order_by("offer_id", "number")
        .values_list("offer__care_leaver_id", "state")
    )
)  # fmt: skip


class LinkFigures:
    """Links these people were offered in a period, with what came of each by a day."""

    def __init__(self, council: UUID, people: Set[UUID], first: date, last: date, as_at: date) -> None:
        self.council, self.people = council, people
        self.first, self.last, self.as_at = first, min(last, as_at), as_at

    @cached_property
    def _links(self) -> dict[UUID, tuple[UUID, str, set[str]]]:
        """Of each link: whose, what kind, and every state it has been in."""
        found: dict[UUID, tuple[UUID, str, set[str]]] = {}
        last = max(self.last, self.first - timedelta(days=1))
        for key, state, person, kind in LINK_STEPS(council=self.council, first=self.first, last=last, as_at=self.as_at):
            if person in self.people:
                found.setdefault(key, (person, kind, set()))[2].add(state)
        return {key: link for key, link in found.items() if OFFERED in link[2]}

    def behind(self, state: str) -> set[UUID]:
        """The young people of the links that have been in a state."""
        return {person for person, _, states in self._links.values() if state in states}

    def by_kind(self) -> dict[str, Counter]:
        """Links by kind and by each state they have been in: one that helped was taken up as well."""
        found = {kind: Counter[str]() for kind in KINDS}
        for _, kind, states in self._links.values():
            found[kind].update(states)
        return found


class VolunteeringFigures:
    """How far these people are on the way to volunteering by a day."""

    def __init__(self, council: UUID, people: Set[UUID], as_at: date) -> None:
        self.council, self.people, self.as_at = council, people, as_at

    @cached_property
    def _steps(self) -> dict[UUID, list[str]]:
        found: dict[UUID, list[str]] = {}
        for person, state in VOLUNTEERING_STEPS(council=self.council, as_at=self.as_at):
            if person in self.people:
                found.setdefault(person, []).append(state)
        return found

    def begun(self) -> set[UUID]:
        """Who has volunteered at least once: each counted once."""
        return {person for person, steps in self._steps.items() if "volunteering" in steps}

    def now(self) -> dict[str, set[UUID]]:
        """People by the latest step."""
        found: dict[str, set[UUID]] = {}
        for person, steps in self._steps.items():
            found.setdefault(steps[-1], set()).add(person)
        return found
