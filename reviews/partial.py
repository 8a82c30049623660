"""The same figures of a part of an agreement: a pantry, an advisor, those in or out of the cohort.

Each definition stays as it is; what it counts is less. Money paid in advance, drawn, left and in the pool belongs to
the whole agreement and stays so; weeks, joining fees and blocks are the part's.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from datetime import date
from functools import cached_property
from uuid import UUID

from django.db.models import Count

from pantry import money
from pantry.models import FundingAgreement, PaidWeek
from reviews.attendance import Member
from reviews.entered import Known
from reviews.figures import BarrierRow, Figures, Hold, compute
from reviews.parts import EVERYONE, Asked, Part
from stockport_hubs.core.among import Among


def figures_of(
    agreement: FundingAgreement,
    period_from: date,
    period_to: date,
    as_at: date,
    *,
    asked: Asked = EVERYONE,
    known: Known | None = None,
) -> Figures:
    """The figures of what was asked for; the number of queries does not depend on the rows."""
    whole = compute(agreement, period_from, period_to, as_at, known)
    if not asked:
        return whole
    given = {field.name: getattr(whole, field.name) for field in fields(whole)}
    return PartialFigures(**given | {"asked": asked, "part": Part(agreement, asked, as_at)})


@dataclass(kw_only=True)
class PartialFigures(Figures):
    """Figures whose `part` is one."""

    part: Part

    @cached_property
    def standing(self) -> dict[UUID, Member]:
        whole = self.attendance.members
        return {key: member for key, member in whole.items() if self.part.holds(key, self.as_at)}

    @cached_property
    def _wherever(self) -> set[UUID]:
        """Members of the part at whichever pantry: what is counted by week and pantry is told apart there."""
        return {key for key in self.attendance.members if self.part.holds(key, self.as_at, wherever=True)}

    @cached_property
    def stages(self) -> dict[str, set[UUID]]:
        cohort, people = self.cohort, self.part.people
        found = {key: reached & people for key, reached in cohort.stages.items()}
        identified = found["identified"]

        def of(members: Iterable[UUID]) -> set[UUID]:
            return cohort.people(key for key in members if key in self.standing) & identified

        return found | {
            "joined": of(self.standing),
            "first": of(key for key, member in self.standing.items() if member.first_came <= self.as_at),
            "regular": of(key for key, member in self.standing.items() if member.is_open and member.is_regular),
            "retained": of(self.attendance.retained()),
        }

    @cached_property
    def answered(self) -> dict[str, set[UUID]]:
        return {key: found & self.part.people for key, found in self.cohort.answers.items()}

    @cached_property
    def funding_over(self) -> set[UUID]:
        over = self.attendance.funding_over()
        return self.cohort.people(key for key in over if key in self.standing) & self.stages["identified"]

    @property
    def outside(self) -> set[UUID]:
        return self.cohort.outside & set(self.standing)

    @cached_property
    def paid(self) -> dict[date, int]:
        if not self.mondays:
            return {}
        weeks = PaidWeek.objects.dated().filter(
            Among("membership", self._wherever),
            block__agreement=self.agreement,
            block__bought_on__lte=self.as_at,
            week__range=(self.mondays[0], self.mondays[-1]),
        )
        if self.asked.pantry:
            weeks = weeks.filter(pantry=self.asked.pantry)
        return dict(weeks.order_by().values_list("week").annotate(Count("pk")))

    @cached_property
    def _money(self) -> tuple[money.Position, list[money.PantryPosition]]:
        whole = money.position(self.agreement, self.as_at, self.attendance.calendar)
        pantries = money.of_members(self.agreement, self.as_at, self._wherever, self.attendance.calendar)
        if self.asked.pantry:
            pantries = [each for each in pantries if each.pantry == self.asked.pantry]
        blocks, members = money.blocks_of(self.agreement, self.as_at, set(self.standing))
        names = [*(field.name for field in fields(money.Weekly)), "joining_pence"]
        sums = {name: sum(getattr(each, name) for each in pantries) for name in names}
        return replace(whole, blocks=blocks, members=members, **sums), pantries

    @cached_property
    def position(self) -> money.Position:
        return self._money[0]

    @cached_property
    def by_pantry(self) -> list[money.PantryPosition]:
        return self._money[1]

    @cached_property
    def holds(self) -> list[Hold]:
        return [hold for hold in super().holds if hold.member_id in self.standing]

    @cached_property
    def barriers(self) -> list[BarrierRow]:
        """Of its young people; those of no person only with their pantry."""
        pantry = self.asked.pantry.name if self.asked.pantry and not (self.asked.advisor or self.asked.cohort) else None
        people = self.part.people
        return [
            each
            for each in super().barriers
            if (each.person in people if each.person else pantry is not None and each.pantry == pantry)
        ]
