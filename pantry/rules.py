"""The rules of money and renewal as plain arithmetic: no database, no clock, no Django.

Money is integer pence, weeks are Mondays.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from stockport_hubs.core.weeks import add_months

RENEWED_AHEAD = timedelta(days=28)
WANTED_WEEKS_AHEAD = 8
LATE = timedelta(days=28)  # how far back one person alone may date what they record
LONG_PAUSE_WEEKS = 26  # then a manager decides

# What may become of a membership (rules.md, States).
MEMBERSHIP_MOVES = {
    "pending": ("open", "ended"),
    "open": ("paused", "ended"),
    "paused": ("open", "ended"),
    "ended": (),
}


def due_on(starts_on: date) -> date:
    """The day on which the renewal of a block that starts on this Monday is decided."""
    return starts_on - RENEWED_AHEAD


def starts_on(due: date) -> date:
    """The Monday on which the block starts whose renewal is due on this day."""
    return due + RENEWED_AHEAD


def joining_fee(tariff_pence: int, joins_on: date, previous_left_on: date | None) -> int:
    """The fee, once: none until 12 months after the previous membership's leaving date have passed."""
    if previous_left_on is not None and joins_on <= add_months(previous_left_on, 12):
        return 0
    return tariff_pence


def from_pool(price_pence: int, balance_pence: int) -> int:
    """How much of a price the pool of credit pays: as much as it holds."""
    return min(price_pence, balance_pence)


def topped_up(week: date, weekly_pence: int, later: list[tuple[date, int]]) -> int:
    """What a week of a block costs where price rises are topped up: the price in force in it, if that is more than the
    block's. `later` are the agreed prices after the block's own, each with its Monday, in order."""
    in_force = [pence for from_week, pence in later if from_week <= week]
    return max(weekly_pence, in_force[-1]) if in_force else weekly_pence


def weeks_within(weeks: list[date], funded_until: date | None) -> list[date]:
    """The weeks that are over by the last funded day."""
    return [week for week in weeks if funded_until is None or week + timedelta(days=6) <= funded_until]


@dataclass(frozen=True, kw_only=True)
class Renewal:
    """Everything the decision about one member's next block depends on, as at its due date."""

    due_on: date
    starts_on: date
    last_day: date
    automatic: bool = True
    agreement_ends_on: date | None = None
    funded_until: date | None = None
    weeks_without_collection: int = 0
    hold_after_weeks: int = 6
    paused: bool = False
    flagged: bool = False
    blocks_had: int = 1
    blocks_per_person: int | None = None
    pantry_closing_on: date | None = None
    blocks_before_bought_on: tuple[date, ...] = ()
    price_pence: int | None = None
    top_up_pence: int = 0
    budget_left_pence: int | None = None
    pool_pence: int = 0
    day_left_pence: int | None = None


def hold_reasons(renewal: Renewal) -> list[str]:
    """Why the block is not bought by itself, as codes of RenewalDecision.Reason; empty: it is bought.

    price_pence None: no tariff; budget_left_pence, day_left_pence, blocks_per_person None: no limit. The daily limit
    is about blocks, the budget about all that is spent.
    """
    r, price = renewal, renewal.price_pence or 0
    cost = price + r.top_up_pence
    held = {
        "not_automatic": not r.automatic,
        "agreement_ends": r.agreement_ends_on is not None and r.agreement_ends_on < r.starts_on,
        "funded_until": r.funded_until is not None and r.funded_until < r.last_day,
        "no_collection": 0 < r.hold_after_weeks <= r.weeks_without_collection,
        "paused": r.paused,
        "flagged": r.flagged,
        "blocks_reached": r.blocks_per_person is not None and r.blocks_had >= r.blocks_per_person,
        "pantry_closing": r.pantry_closing_on is not None and r.pantry_closing_on <= r.last_day,
        "third_at_once": third_at_once(r.due_on, r.blocks_before_bought_on),
        "no_tariff": r.price_pence is None,
        "budget": r.budget_left_pence is not None and cost - from_pool(cost, r.pool_pence) > r.budget_left_pence,
        "daily_limit": r.day_left_pence is not None and price > r.day_left_pence,
    }
    return [code for code, holds in held.items() if holds]


def third_at_once(due: date, bought_on: tuple[date, ...]) -> bool:
    """The two blocks before this one were both bought when this one was due already."""
    return len(bought_on) >= 2 and all(day >= due for day in bought_on[-2:])


def weeks_without_collection(open_weeks: list[date], collected: set[date]) -> int:
    """How many of the latest weeks, counted back from the last, had no collection."""
    count = 0
    for week in reversed(open_weeks):
        if week in collected:
            break
        count += 1
    return count
