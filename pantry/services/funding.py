"""Agreements: a council pays an operator for places, under conditions, from a yearly budget and one pool of credit."""

from datetime import date, datetime

from django.db import IntegrityError, transaction

from pantry.models import Budget, CreditPool, FundingAgreement, PrepaidBlock
from stockport_hubs.accounts.models import Organisation, User
from stockport_hubs.audit import services as audit
from stockport_hubs.core import money, weeks
from stockport_hubs.core.errors import Refused

CONDITIONS = (
    "name",
    "starts_on",
    "ends_on",
    "block_weeks",
    "blocks_per_person",
    "renews_automatically",
    "tops_up_price_rises",
    "hold_after_weeks_without_collection",
    "daily_limit_pence",
)


@transaction.atomic
def create_agreement(
    *,
    funder: Organisation,
    operator: Organisation,
    by: User,
    at: datetime,
    budget_pence: int | None = None,
    **conditions,
) -> FundingAgreement:
    """An agreement with its pool of credit and a budget for each financial year it touches up to the next one.

    `conditions` are CONDITIONS; `budget_pence` is the limit of every year, None: no limit.
    """
    if funder.kind != Organisation.Kind.COUNCIL or operator.kind != Organisation.Kind.OPERATOR:
        raise Refused("An agreement is between a council and an operator of pantries.")
    agreement = FundingAgreement(funder=funder, operator=operator)
    _write(agreement, conditions)
    CreditPool.objects.create(agreement=agreement)
    set_budgets(agreement=agreement, limit_pence=budget_pence, on=weeks.london_date(at))
    audit.record("pantry.agreement.added", at=at, by=by, target=agreement)
    return agreement


@transaction.atomic
def edit_agreement(
    *, agreement: FundingAgreement, by: User, at: datetime, budget_pence: int | None = None, **conditions
) -> FundingAgreement:
    """New conditions for what is bought from now on; bought blocks stay as they are. The operator never changes."""
    agreement = FundingAgreement.objects.select_for_update(no_key=True).get(pk=agreement.pk)
    changed = sorted(name for name, value in conditions.items() if getattr(agreement, name) != value)
    first = PrepaidBlock.objects.filter(agreement=agreement).order_by("bought_on").first()
    if first and conditions.get("starts_on", agreement.starts_on) > first.bought_on:
        raise Refused(
            f"The first block under this agreement was bought on {first.bought_on:%-d %B %Y}, "
            "so the agreement cannot start later than that."
        )
    _write(agreement, conditions)
    set_budgets(agreement=agreement, limit_pence=budget_pence, on=weeks.london_date(at))
    audit.record("pantry.agreement.changed", at=at, by=by, target=agreement, detail={"fields": changed})
    return agreement


def _write(agreement: FundingAgreement, conditions: dict) -> None:
    unknown = set(conditions) - set(CONDITIONS)
    if unknown:
        raise TypeError(f"An agreement has no {', '.join(sorted(unknown))}.")
    for name, value in conditions.items():
        setattr(agreement, name, value)
    if agreement.ends_on and agreement.ends_on < agreement.starts_on:
        raise Refused("An agreement ends on the day it starts or later. Check the two dates.")
    if not 1 <= agreement.block_weeks <= 26:
        raise Refused("A block has 1 to 26 weeks.")
    try:
        with transaction.atomic():
            agreement.save()
    except IntegrityError:
        raise Refused(f"There is already an agreement called {agreement.name}. Give this one another name.")


def budget_years(agreement: FundingAgreement, on: date) -> list[date]:
    """The 1 April of this financial year (or the agreement's first), and of the next while the agreement runs."""
    first = weeks.financial_year(max(agreement.starts_on, on))
    following = first.replace(year=first.year + 1)
    still_runs = agreement.ends_on is None or agreement.ends_on >= following
    return [first, following] if still_runs else [first]


@transaction.atomic
def set_budgets(*, agreement: FundingAgreement, limit_pence: int | None, on: date) -> None:
    """The yearly limit of this financial year and the next; years that are over keep theirs."""
    years = {weeks.financial_year(agreement.starts_on), *budget_years(agreement, on)}
    kept = {budget.year_starts_on: budget for budget in agreement.budgets.select_for_update()}
    for year in sorted(years):
        budget = kept.get(year)
        if budget is None:
            Budget.objects.create(agreement=agreement, year_starts_on=year, limit_pence=limit_pence)
        elif year >= weeks.financial_year(on) and budget.limit_pence != limit_pence:
            if limit_pence is not None and budget.committed_pence > limit_pence:
                raise Refused(
                    f"{money.pounds(budget.committed_pence)} is committed already in the year from "
                    f"{year:%-d %B %Y}. The budget cannot be less than that."
                )
            budget.limit_pence = limit_pence
            budget.save(update_fields=["limit_pence"])
