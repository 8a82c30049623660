"""The states of memberships by day, from their moves."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date
from uuid import UUID

from pantry.models import Membership, MembershipMove
from stockport_hubs.core.weeks import WEEK, monday, sunday

PAUSED = Membership.State.PAUSED


class History:
    """The states of one membership, by day."""

    def __init__(self) -> None:
        self.moves: list[tuple[date, str]] = []

    def on(self, day: date) -> str | None:
        """The state at the end of a day."""
        return next((state for on, state in reversed(self.moves) if on <= day), None)

    @property
    def paused_weeks(self) -> set[date]:
        """The weeks on whose Sunday the member was paused, up to the last change."""
        if all(state != PAUSED for _, state in self.moves):
            return set()
        first, last = sunday(self.moves[0][0]), sunday(self.moves[-1][0])
        sundays = [first + WEEK * n for n in range((last - first).days // 7 + 1)]
        return {monday(day) for day in sundays if self.on(day) == PAUSED}


def of(memberships: Iterable[Membership]) -> dict[UUID, History]:
    """The changes of state of each membership, by its id."""
    return of_ids([membership.pk for membership in memberships])


def of_ids(membership_ids: Iterable[UUID]) -> dict[UUID, History]:
    """The same from ids: one query."""
    found: dict[UUID, History] = defaultdict(History)
    moves = MembershipMove.objects.filter(membership__in=membership_ids).order_by("on", "recorded_at")
    for membership_id, on, state in moves.values_list("membership", "on", "state"):
        found[membership_id].moves.append((on, state))
    return found
