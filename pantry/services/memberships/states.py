"""What every change of a membership's state has in common: whether it may, and the row that says when and by whom."""

from datetime import date, datetime

from pantry import rules
from pantry.models import Collection, Membership, MembershipMove
from stockport_hubs.accounts.models import User
from stockport_hubs.core.errors import Refused

State = Membership.State
PLAIN = {State.OPEN: "open", State.PAUSED: "paused", State.PENDING: "waiting to be confirmed"}


def check_can_become(membership: Membership, state: str) -> None:
    """Refuse in words where rules.MEMBERSHIP_MOVES has no such move."""
    if state in rules.MEMBERSHIP_MOVES[membership.state]:
        return
    if membership.state == State.ENDED:
        raise Refused(f"{membership} left on {membership.ended_on:%-d %B %Y} already. They can join anew.")
    if membership.state == state:
        raise Refused(f"{membership} is {PLAIN[State(state)]} already.")
    if membership.state == State.PENDING:
        raise Refused(f"{membership} is waiting to be confirmed. Confirm or end the membership first.")
    raise Refused(f"{membership} has been confirmed: it is {PLAIN[State(membership.state)]}.")


def check_day(membership: Membership, on: date, today: date, what: str, *, two_agreed: bool = False) -> None:
    """The day of a change: not to come, up to 28 days back (further where two people agreed), not before what has
    happened since."""
    if on > today:
        raise Refused(f"The {what} day has not come yet. Record it on the day, or enter an earlier one.")
    if on < membership.joined_on:
        raise Refused(f"{membership} joined on {membership.joined_on:%-d %B %Y}. The {what} day cannot be before that.")
    if on < today - rules.LATE and not two_agreed:
        if membership.agreement_id is None:
            raise Refused(f"The {what} day can be up to 28 days back. Enter a day within the last 28 days.")
        raise Refused(
            f"The {what} day can be up to 28 days back. Enter a day within the last 28 days. For an earlier one a "
            "leaving care manager or finance officer proposes it on the member’s page, and a second person agrees."
        )
    last = MembershipMove.objects.filter(membership=membership).order_by("on", "recorded_at").last()
    if last and on < last.on:
        since = PLAIN.get(State(last.state), last.state)
        raise Refused(f"{membership} has been {since} since {last.on:%-d %B %Y}. Enter that day or a later one.")


def check_no_collection_after(membership: Membership, on: date, what: str) -> None:
    later = Collection.objects.counted().filter(membership=membership, on__gt=on).order_by("on").last()
    if later:
        raise Refused(f"{membership} collected on {later.on:%-d %B %Y}. The {what} day cannot be before that.")


def write_move(membership: Membership, state: str, on: date, *, by: User | None, at: datetime) -> None:
    """The row of one change; the membership itself is saved by the caller."""
    membership.state = State(state)
    MembershipMove.objects.create(membership=membership, state=state, on=on, by=by, recorded_at=at)
