"""What a member pays at the counter in a week: the price of their own pantry, and the joining fee the first time."""

from datetime import date
from typing import NamedTuple
from uuid import UUID

from pantry import counter, rules
from pantry.models import Collection, Membership
from pantry.services.blocks import Price, prices_in_force


class Charge(NamedTuple):
    """In pence."""

    weekly_pence: int = 0
    joining_pence: int = 0

    @property
    def pence(self) -> int:
        return self.weekly_pence + self.joining_pence


def due(membership: Membership, *, home: UUID, week: date, state: str, has_paid_week: bool) -> Charge:
    """What this member pays at the counter that week, at the price of their own pantry, which is `home`."""
    paid_for = membership.agreement_id is not None
    pays = counter.pays(state=state, paid_for=paid_for, self_pay_from=membership.self_pay_from, week=week)
    if has_paid_week or not pays:
        return Charge()
    has_paid = Collection.objects.counted().filter(membership=membership, paid_pence__gt=0).exists()
    return of(
        prices_in_force([home], week).get(home),
        paid_for=paid_for,
        has_paid=has_paid,
        joined_on=membership.joined_on,
        previous_left_on=None if has_paid or not membership.previous else membership.previous.ended_on,
    )


def of(
    price: Price | None, *, paid_for: bool, has_paid: bool, joined_on: date, previous_left_on: date | None
) -> Charge:
    """The charge of someone who pays: a week, and the joining fee the first time, where nobody else has paid it.

    Without an agreed price nothing is taken.
    """
    if price is None:
        return Charge()
    has_fee = not has_paid and not paid_for
    fee = rules.joining_fee(price.joining_pence, joined_on, previous_left_on) if has_fee else 0
    return Charge(price.weekly_pence, fee)
