"""What the food was worth: the value said with a pantry's price (`Tariff.food_value_pence`, dated) × collections."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from pantry.models import FundingAgreement, Tariff

# The weekly Universal Credit uplift that ended in October 2021: what a collection is held against.
LOST_PENCE = 2_000


@dataclass(frozen=True, kw_only=True)
class Food:
    """Of the collections of the period; those in a week for which the pantry had said no value are counted apart."""

    collections: int
    without_value: int
    value_pence: int
    lost_pence: int  # LOST_PENCE for each week in which a member could come


def food(agreement: FundingAgreement, came: Mapping[tuple[UUID, date], int], could: int) -> Food:
    """`came` counts collections by the member's pantry and week; `could` the weeks in which members could come."""
    said: dict[UUID, list[tuple[date, int]]] = defaultdict(list)
    agreed = Tariff.objects.agreed().filter(pantry__operator=agreement.operator_id, withdrawn_at__isnull=True)
    for pantry, from_week, pence in agreed.order_by("from_week").values_list(
        "pantry_id", "from_week", "food_value_pence"
    ):
        said[pantry].append((from_week, pence))
    unvalued = worth = 0
    for (pantry, week), collections in came.items():
        prices = said[pantry]
        place = bisect_right([from_week for from_week, _ in prices], week)
        if place:
            worth += collections * prices[place - 1][1]
        else:
            unvalued += collections
    return Food(
        collections=sum(came.values()), without_value=unvalued, value_pence=worth, lost_pence=could * LOST_PENCE
    )
