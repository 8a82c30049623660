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

    def spent(self, mondays: list[date], statuses: list[str]) -> None:
        """What these weeks were for one member."""
        self.counts["could"] += sum(statuses.count(status) for status in COULD_COME)
        self.counts["came"] += statuses.count(CAME)
        self.came.update(week for week, status in zip(mondays, statuses, strict=True) if status == CAME)


def home_of(member: Member, day: date) -> UUID | None:
    """The pantry whose member someone is on a day."""
    return home([(start, pantry) for start, _, pantry in member.places], day)


def by_pantry(
    rows: Iterable[Row], standing: Iterable[Member], mondays: list[date], as_at: date, names: dict[UUID, str]
) -> list[Share]:
    """By name; every pantry that has a member or a week."""
    shares: dict[UUID, Share] = {}

    def share(pantry: UUID) -> Share:
        if pantry not in shares:
            shares[pantry] = Share(pantry, names[pantry])
        return shares[pantry]

    for member in standing:
        if pantry := home_of(member, as_at):
            share(pantry).stands(member)
    for member, statuses in rows:
        if len({pantry for _, _, pantry in member.places}) == 1:
            if any(status in COULD_COME for status in statuses):
                share(member.places[0][2]).spent(mondays, statuses)
            continue
        for week, status in zip(mondays, statuses, strict=True):
            if status in COULD_COME and (pantry := member.pantry_in(week) or home_of(member, week)):
                share(pantry).spent([week], [status])
    return sorted(shares.values(), key=lambda each: each.name)


def by_advisor(
    agreement: FundingAgreement,
    rows: Iterable[Row],
    standing: Iterable[Member],
    mondays: list[date],
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
        if key not in shares:
            shares[key] = Share(key, name)
        return shares[key]

    for member in standing:
        share(member).stands(member)
    for member, statuses in rows:
        share(member).spent(mondays, statuses)
    return sorted(shares.values(), key=lambda each: (each.key == BY_NUMBER, each.key == NOBODY, each.name))
