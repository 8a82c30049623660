"""Rules of the pantry's counter, pure: who may shop today, what is to be paid, how many items."""

from collections.abc import Mapping
from datetime import date

LATE_DAYS = 28  # how far back rows may be added to a session or undone
OTHER_PANTRY = "Member of another pantry, may shop"
PENDING = "Not confirmed yet, may shop"
ASK = "Ask the pantry manager."


def why_not(state: str) -> str:
    """Why a member in this state may not shop, without saying why that is; "" when they may."""
    if state == "paused":
        return f"Paused. {ASK}"
    if state == "ended":
        return f"This membership has ended. {ASK}"
    return ""


def note(state: str) -> str:
    """What a volunteer is told beside "may shop"; "" when there is nothing to say."""
    return PENDING if state == "pending" else ""


def pays(*, state: str, paid_for: bool, self_pay_from: date | None, week: date) -> bool:
    """Whether a member pays at the counter in the week of that Monday, unless that week is bought already.

    A member somebody pays for never pays here, also when a week is not bought yet: managers see and settle that. Nor
    does somebody who waits to be confirmed, for who pays is not known yet.
    """
    if state == "pending":
        return False
    return self_pay_from <= week if self_pay_from else not paid_for


def over_allowance(quantities: Mapping, *, allowance: int, bands: Mapping) -> str:
    """What is more than allowed, in a sentence; "" when nothing is. `bands` maps a band's id to (name, items)."""
    for band, quantity in quantities.items():
        if band is not None and quantity > bands[band][1]:
            return f"{quantity} {bands[band][0]} items are more than the {bands[band][1]} allowed."
    total = sum(quantities.values())
    return f"{total} items are more than the {allowance} allowed this week." if total > allowance else ""
