"""Gather, for a batch of members, what the decision about each one's next block depends on: a fixed number of reads."""

from collections import defaultdict
from dataclasses import dataclass, replace
from datetime import date
from uuid import UUID

from pantry import rules
from pantry.models import (
    Collection,
    FundingAgreement,
    Membership,
    PrepaidBlock,
    Tariff,
)
from pantry.services import blocks, histories, paid_weeks, top_ups
from pantry.services.funds import Fund
from pantry.services.paid_weeks import NextBlock
from stockport_hubs.core.weeks import WEEK, sunday


@dataclass(frozen=True)
class Case:
    """One member's next block, ready to be judged once the agreement's funds are known."""

    membership: Membership
    agreement: FundingAgreement
    next: NextBlock
    weeks: list[date]
    tariff: Tariff | None
    facts: rules.Renewal
    due_after: date
    later: tuple[Tariff, ...] = ()

    @property
    def weekly_pence(self) -> int:
        return self.tariff.weekly_pence if self.tariff else 0

    @property
    def price_pence(self) -> int:
        return len(self.weeks) * self.weekly_pence

    @property
    def top_up_pence(self) -> int:
        """What prices agreed already add to its later weeks."""
        return top_ups.cost(self.weeks, self.weekly_pence, self.later)

    def reasons(self, fund: Fund) -> list[str]:
        """Why it is held, with the budget, pool and daily limit as they stand now; empty: it is bought."""
        money = replace(
            self.facts,
            price_pence=self.price_pence if self.tariff else None,
            top_up_pence=self.top_up_pence,
            budget_left_pence=fund.budget_left_pence,
            pool_pence=fund.pool_pence,
            day_left_pence=fund.day_left_pence,
        )
        return rules.hold_reasons(money)


def cases(memberships: list[Membership], on: date) -> tuple[list[Case], list[UUID]]:
    """The cases that are due on a day, in the order given, and the ids of those that turn out not to be."""
    ahead, calendar, pantries = paid_weeks.next_blocks(memberships)
    due = [m for m in memberships if m.pk in ahead and ahead[m.pk].due_on <= on]
    agreements = FundingAgreement.objects.in_bulk({m.agreement_id for m in due})
    tariffs = top_ups.agreed(pantries)
    states = histories.of(due)
    bought = _bought(due)
    before = blocks.funded_before({m.pk: m.previous_id for m in due})
    looked_at = {
        m.pk: calendar.open_weeks_before(
            ahead[m.pk].pantry_id,
            ahead[m.pk].due_on,
            agreements[m.agreement_id].hold_after_weeks_without_collection,
            m.first_week,
            states[m.pk].paused_weeks,
        )
        for m in due
    }
    collected = collected_weeks(looked_at)
    found = []
    for m in due:
        block, agreement = ahead[m.pk], agreements[m.agreement_id]
        weeks = calendar.next_open_weeks(block.pantry_id, block.starts_on, agreement.block_weeks, block.paused)
        funded = [row for row in bought[m.pk] if row[1] in top_ups.PAID]
        facts = rules.Renewal(
            due_on=block.due_on,
            starts_on=weeks[0],
            last_day=sunday(weeks[-1]),
            automatic=agreement.renews_automatically,
            agreement_ends_on=agreement.ends_on,
            funded_until=m.funded_until,
            weeks_without_collection=rules.weeks_without_collection(looked_at[m.pk], collected[m.pk]),
            hold_after_weeks=agreement.hold_after_weeks_without_collection,
            paused=m.state == Membership.State.PAUSED or states[m.pk].on(block.due_on) == Membership.State.PAUSED,
            flagged=m.stop_renewal,
            blocks_had=len(funded) + before[m.pk],
            blocks_per_person=agreement.blocks_per_person,
            pantry_closing_on=pantries[block.pantry_id].closing_on,
            blocks_before_bought_on=tuple(bought_on for bought_on, _ in bought[m.pk][-2:]),
        )
        tariff = next((t for t in reversed(tariffs[block.pantry_id]) if t.from_week <= weeks[0]), None)
        later = top_ups.later(agreement, weeks[0], tariffs[block.pantry_id])
        due_after = rules.due_on(calendar.next_open_week(block.pantry_id, weeks[-1] + WEEK))
        found.append(Case(m, agreement, block, weeks, tariff, facts, due_after, later))
    still_due = {m.pk for m in due}
    return found, [m.pk for m in memberships if m.pk not in still_due]


def _bought(memberships: list[Membership]) -> dict[UUID, list[tuple[date, str]]]:
    """(bought on, source) of each member's blocks, in order."""
    found: dict[UUID, list[tuple[date, str]]] = defaultdict(list)
    rows = PrepaidBlock.objects.filter(membership__in=[m.pk for m in memberships]).order_by("block_no")
    for membership_id, bought_on, source in rows.values_list("membership", "bought_on", "source"):
        found[membership_id].append((bought_on, source))
    return found


def collected_weeks(looked_at: dict[UUID, list[date]]) -> dict[UUID, set[date]]:
    """The weeks with a counted collection, wherever it was taken."""
    found: dict[UUID, set[date]] = defaultdict(set)
    if first := min((weeks[0] for weeks in looked_at.values() if weeks), default=None):
        counted = Collection.objects.counted().filter(membership__in=looked_at, week__gte=first)
        for membership_id, week in counted.order_by().values_list("membership", "week"):
            found[membership_id].add(week)
    return found
