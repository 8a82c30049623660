"""Take-up by pantry and by personal advisor, counted from the same members and weeks as the totals they add up to."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from careleavers.models import AdvisorAllocation
from pantry.models import FundingAgreement
from reviews.attendance import CAME, COULD_COME, REGULAR_FROM, Member
from reviews.parts import home
from reviews.weekly import Row

NOBODY, BY_NUMBER = "nobody", "by_number"  # in place of an advisor


@dataclass
class Share:
    """One pantry's, or one advisor's, part of the whole; a member stands where they are as at the day, a week where it
    was spent."""

    key: Any  # a pantry, an advisor, NOBODY or BY_NUMBER
    name: str
    counts: Counter = field(default_factory=Counter)
    came: Counter = field(default_factory=Counter)  # by week

    def stands(self, member: Member) -> None:
        self.counts[member.state] += 1
        if member.is_open:
            self.counts["regular"] += sum(member.last) >= REGULAR_FROM
            self.counts["lapsed"] += member.missed_in_a_row >= 4

    def spent(self, status: str) -> None:
        self.counts["could"] += status in COULD_COME
        self.counts["came"] += status == CAME


def home_of(member: Member, day: date) -> UUID | None:
    """The pantry whose member someone is on a day."""
    return home([(start, pantry) for start, _, pantry in member.places], day)


def by_pantry(
    rows: Iterable[Row], standing: Iterable[Member], mondays: list[date], as_at: date, names: dict[UUID, str]
) -> list[Share]:
    """By name; every pantry that has a member or a week."""
    shares: dict[UUID, Share] = {}

    def share(pantry: UUID) -> Share:
        return shares.setdefault(pantry, Share(pantry, names[pantry]))

    for member in standing:
        if pantry := home_of(member, as_at):
            share(pantry).stands(member)
    for member, statuses in rows:
        alone = member.places[0][2] if len({pantry for _, _, pantry in member.places}) == 1 else None
        for week, status in zip(mondays, statuses, strict=True):
            if status in COULD_COME and (pantry := alone or member.pantry_in(week) or home_of(member, week)):
                mine = share(pantry)
                mine.spent(status)
                mine.came[week] += status == CAME
    return sorted(shares.values(), key=lambda each: each.name)


def by_advisor(
    agreement: FundingAgreement,
    rows: Iterable[Row],
    standing: Iterable[Member],
    as_at: date,
    person_of: Callable[[UUID], UUID | None],
) -> list[Share]:
    """By name of who was allocated that day; then members whose young person had nobody, or is not on record."""
    allocated = AdvisorAllocation.objects.in_force_on(as_at).filter(care_leaver__council=agreement.funder_id)
    advisors = {
        person: (advisor, name)
        for person, advisor, name in allocated.order_by("from_on").values_list(
            "care_leaver_id", "advisor_id", "advisor__name"
        )
    }
    shares: dict[UUID | str, Share] = {}

    def share(member: Member) -> Share:
        person = person_of(member.id)
        key, name = (BY_NUMBER, "") if person is None else advisors.get(person, (NOBODY, ""))
        return shares.setdefault(key, Share(key, name))

    for member in standing:
        share(member).stands(member)
    for member, statuses in rows:
        mine = share(member)
        for status in statuses:
            mine.spent(status)
    return sorted(shares.values(), key=lambda each: (each.key == BY_NUMBER, each.key == NOBODY, each.name))
