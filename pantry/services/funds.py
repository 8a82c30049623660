"""The money of agreements during one purchase: their year's budget and pool of credit, locked in that order."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db.models import F, Sum
from django.db.models.functions import Coalesce

from pantry import rules
from pantry.models import Budget, CreditPool, FundingAgreement, PrepaidBlock
from stockport_hubs.core.weeks import financial_year


@dataclass
class Fund:
    """One agreement's budget of the year and pool; what is drawn is written by `Funds.save`."""

    agreement: FundingAgreement
    budget: Budget
    pool: CreditPool
    day_left_pence: int | None
    drawn: int = 0
    spent: int = 0

    @property
    def budget_left_pence(self) -> int | None:
        """None: the year has no limit."""
        if self.budget.limit_pence is None:
            return None
        return self.budget.limit_pence - self.budget.committed_pence - self.drawn

    @property
    def pool_pence(self) -> int:
        return self.pool.balance_pence - self.spent

    def fits(self, price_pence: int) -> bool:
        """Whether what the pool does not pay is within the year's budget."""
        return self.lacking(price_pence) == 0

    def lacking(self, price_pence: int) -> int:
        """How much the year's budget is short of what the pool does not pay."""
        left = self.budget_left_pence
        return 0 if left is None else max(0, price_pence - rules.from_pool(price_pence, self.pool_pence) - left)

    def draw(self, price_pence: int) -> int:
        """Spend on one block: credit first; gives the part the pool pays. The rest is committed in the budget."""
        if self.day_left_pence is not None:
            self.day_left_pence -= price_pence
        return self.draw_top_up(price_pence)

    def draw_top_up(self, price_pence: int) -> int:
        """The same for what is added to bought weeks; the daily limit is about blocks."""
        credit = rules.from_pool(price_pence, self.pool_pence)
        self.spent += credit
        self.drawn += price_pence - credit
        return credit


class Funds:
    """The locked funds of some agreements; commits nothing until `save`."""

    def __init__(self, agreements: Iterable[FundingAgreement], on: date):
        """Lock budgets, then pools, each in the order of their agreements; rows that are missing are made.

        Call inside a transaction, after the memberships are locked.
        """
        found = {agreement.pk: agreement for agreement in agreements}
        self.on, year = on, financial_year(on)
        budgets = Budget.objects.filter(year_starts_on=year)
        budget = _locked(
            budgets, found, lambda key: Budget(agreement_id=key, year_starts_on=year, limit_pence=_limit(key, year))
        )
        pool = _locked(CreditPool.objects.all(), found, lambda key: CreditPool(agreement_id=key))
        self.by_agreement = {
            key: Fund(agreement, budget[key], pool[key], _day_left(agreement, on)) for key, agreement in found.items()
        }

    def __getitem__(self, agreement_id: UUID) -> Fund:
        return self.by_agreement[agreement_id]

    def save(self) -> None:
        """Write what was drawn and spent: at most two updates an agreement."""
        for fund in self.by_agreement.values():
            if fund.drawn:
                fund.budget.committed_pence += fund.drawn
                fund.budget.save(update_fields=["committed_pence"])
            if fund.spent:
                fund.pool.balance_pence -= fund.spent
                fund.pool.save(update_fields=["balance_pence"])
            fund.drawn = fund.spent = 0


def give_back(agreement_id: UUID, pence: int) -> None:
    """Add credit to an agreement's pool."""
    _locked(CreditPool.objects.all(), {agreement_id: None}, lambda key: CreditPool(agreement_id=key))
    CreditPool.objects.filter(agreement=agreement_id).update(balance_pence=F("balance_pence") + pence)


def take(agreement_id: UUID, pence: int) -> bool:
    """Take from an agreement's pool; False: it does not hold as much, and nothing is taken."""
    _locked(CreditPool.objects.all(), {agreement_id: None}, lambda key: CreditPool(agreement_id=key))
    enough = CreditPool.objects.filter(agreement=agreement_id, balance_pence__gte=pence)
    return enough.update(balance_pence=F("balance_pence") - pence) == 1


def _limit(agreement_id: UUID, year: date) -> int | None:
    """The limit of the year before carries on into a year nobody has set."""
    before = Budget.objects.filter(agreement=agreement_id, year_starts_on__lt=year).order_by("-year_starts_on")
    return before.values_list("limit_pence", flat=True).first()


def _locked(rows, agreements, make) -> dict:
    def read():
        locked = rows.filter(agreement__in=agreements).select_for_update(no_key=True).order_by("agreement_id")
        return {row.agreement_id: row for row in locked}

    found = read()
    if missing := [key for key in agreements if key not in found]:
        rows.model.objects.bulk_create([make(key) for key in missing], ignore_conflicts=True)
        found = read()
    return found


def _day_left(agreement: FundingAgreement, on: date) -> int | None:
    """What the agreement's daily limit leaves; None: no limit. The limit itself bounds how many blocks are added up."""
    if agreement.daily_limit_pence is None:
        return None
    today = PrepaidBlock.objects.filter(agreement=agreement, bought_on=on)
    bought = today.aggregate(pence=Coalesce(Sum(F("joining_pence") + F("weeks") * F("weekly_pence")), 0))["pence"]
    return agreement.daily_limit_pence - bought
