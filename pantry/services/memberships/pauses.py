"""Pausing and resuming: unused weeks wait, and come back on the next free open weeks. Why is not known here."""

from datetime import date, datetime, time

from django.db import transaction

from pantry.models import Membership, PaidWeek
from pantry.services import blocks, paid_weeks
from pantry.services.memberships import states
from stockport_hubs.accounts.models import User
from stockport_hubs.audit import services as audit
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.weeks import LONDON, london_date

State = Membership.State


def check_can_pause(membership: Membership, on: date, today: date, *, two_agreed: bool = False) -> None:
    """Raises Refused with why not; `on` is the day from which the member is paused, up to 28 days back, or further
    where `two_agreed`."""
    states.check_can_become(membership, State.PAUSED)
    states.check_day(membership, on, today, "first", two_agreed=two_agreed)
    states.check_no_collection_after(membership, on, "first")


def can_pause(membership: Membership, on: date, today: date) -> bool:
    """Whether check_can_pause lets it pass."""
    return _passes(check_can_pause, membership, on, today)


@transaction.atomic
def pause(*, membership: Membership, on: date, by: User, at: datetime, two_agreed: bool = False) -> Membership:
    """Park the paid weeks whose Monday is later than the day; nothing renews until the member resumes."""
    membership = blocks.locked(membership.pk)
    check_can_pause(membership, on, london_date(at), two_agreed=two_agreed)
    states.write_move(membership, State.PAUSED, on, by=by, at=at)
    membership.save(update_fields=["state"])
    later = PaidWeek.objects.dated().filter(membership=membership, week__gt=on)
    later.update(state=PaidWeek.State.PARKED, week=None)
    return _done(membership, "paused", by, at)


def check_can_resume(membership: Membership, on: date, today: date, *, two_agreed: bool = False) -> None:
    """Raises Refused with why not; `on` is the first day on which the member may shop again, up to 28 days back, or
    further where `two_agreed`."""
    if membership.state == State.PENDING:
        raise Refused(f"{membership} is waiting to be confirmed and not paused.")
    states.check_can_become(membership, State.OPEN)
    states.check_day(membership, on, today, "first", two_agreed=two_agreed)


def can_resume(membership: Membership, on: date, today: date) -> bool:
    """Whether check_can_resume lets it pass."""
    return _passes(check_can_resume, membership, on, today)


@transaction.atomic
def resume(*, membership: Membership, on: date, by: User, at: datetime, two_agreed: bool = False) -> Membership:
    """Date the parked weeks onto the next free open weeks, the earlier block first: from the week of that day if a
    session still opens in it, otherwise from the next."""
    # The membership's lock first, then the calendar: `paid_weeks.redate` locks paused members too, so a closure
    # announced meanwhile is either seen here or moves these weeks afterwards.
    membership = blocks.locked(membership.pk)
    check_can_resume(membership, on, london_date(at), two_agreed=two_agreed)
    states.write_move(membership, State.OPEN, on, by=by, at=at)
    membership.save(update_fields=["state"])
    rows = PaidWeek.objects.filter(membership=membership, state=PaidWeek.State.PARKED).select_related("block")
    parked = sorted(rows, key=lambda row: (row.block.block_no, row.position))
    if parked:
        homes = paid_weeks.places([membership.pk])
        calendar, mine = paid_weeks.calendar_of(homes), homes[membership.pk]
        since = at if on == london_date(at) else datetime.combine(on, time(0), LONDON)
        pantry_id = paid_weeks.pantry_in(mine, on) or mine[-1].pantry_id
        start = max(calendar.first_week(pantry_id, since), membership.first_week)
        taken = set(membership.paid_weeks.dated().filter(week__gte=start).values_list("week", flat=True))
        paid_weeks.put(paid_weeks.lay(parked, mine, calendar, start, taken), on=on, at=at, by=by)
    return _done(membership, "resumed", by, at)


@transaction.atomic
def keep_paused(*, membership: Membership, by: User, at: datetime) -> Membership:
    """A manager has looked at a long pause and lets it go on: the weeks until the next look count from today."""
    membership = blocks.locked(membership.pk)
    if membership.state != State.PAUSED:
        raise Refused(f"{membership} is not paused.")
    states.write_move(membership, State.PAUSED, london_date(at), by=by, at=at)
    return _done(membership, "pause_kept", by, at)


def _done(membership: Membership, verb: str, by: User, at: datetime) -> Membership:
    paid_weeks.set_due([membership.pk])
    membership.refresh_from_db(fields=["next_due_on"])
    subjects = [(audit.MEMBERSHIP, membership.pk)]
    audit.record(f"pantry.membership.{verb}", at=at, by=by, target=membership, subjects=subjects)
    return membership


def _passes(check, *given) -> bool:
    try:
        check(*given)
    except Refused:
        return False
    return True
