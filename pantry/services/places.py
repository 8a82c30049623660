"""Pantries, their weekly openings, closures and who works there."""

from datetime import date, datetime, time, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Q

from pantry import rules
from pantry.models import Band, Closure, OpeningHours, PaidWeek, Pantry, PantryStaff
from pantry.services import blocks
from pantry.wording import refuse_forbidden
from stockport_hubs.accounts.models import Organisation, Role, User
from stockport_hubs.audit import services as audit
from stockport_hubs.core import weeks
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.rehearsal import rehearsed

DETAILS = (
    "name",
    "address",
    "postcode",
    "phone",
    "how_to_find",
    "catchment",
    "allowance",
    "capacity",
    "closes_on_bank_holidays",
    "welcomes_other_pantries",
    "closing_on",
)


@transaction.atomic
def create_pantry(*, operator: Organisation, by: User, at: datetime, bands=(), **details) -> Pantry:
    """A pantry of an operator; `details` are DETAILS, `bands` are (name, items) in their order."""
    pantry = Pantry(operator=operator)
    _write(pantry, details, bands)
    audit.record("pantry.pantry.added", at=at, by=by, target=pantry)
    return pantry


@transaction.atomic
def edit_pantry(*, pantry: Pantry, by: User, at: datetime, bands=None, **details) -> Pantry:
    """Changes what is given; `bands=None` leaves the bands as they are."""
    pantry = Pantry.objects.select_for_update(no_key=True).get(pk=pantry.pk)
    changed = sorted(name for name, value in details.items() if getattr(pantry, name) != value)
    _write(pantry, details, bands)
    if "closes_on_bank_holidays" in changed:
        blocks.redate(pantry=pantry, by=by, at=at)
    audit.record("pantry.pantry.changed", at=at, by=by, target=pantry, detail={"fields": changed})
    return pantry


def _write(pantry: Pantry, details: dict, bands) -> None:
    unknown = set(details) - set(DETAILS)
    if unknown:
        raise TypeError(f"A pantry has no {', '.join(sorted(unknown))}.")
    for text in (*(value for value in details.values() if isinstance(value, str)), *(name for name, _ in bands or ())):
        refuse_forbidden(text)
    for name, value in details.items():
        setattr(pantry, name, value)
    try:
        with transaction.atomic():
            pantry.save()
    except IntegrityError:
        raise Refused(f"There is already a pantry called {pantry.name}. Give this one another name.")
    if bands is not None:
        _set_bands(pantry, list(bands))


def _set_bands(pantry: Pantry, bands: list[tuple[str, int]]) -> None:
    """The bands by name: kept, changed, added; one that was taken away and has collections stays refused."""
    if sum(items for _, items in bands) > pantry.allowance:
        raise Refused(f"The bands together hold more than the {pantry.allowance} items of a week.")
    kept = {band.name: band for band in pantry.bands.all()}
    for position, (name, items) in enumerate(bands):
        Band.objects.update_or_create(pantry=pantry, name=name, defaults={"items": items, "position": position})
        kept.pop(name, None)
    for band in kept.values():
        try:
            with transaction.atomic():
                band.delete()
        except IntegrityError:
            raise Refused(f"Items of the band {band.name} have been given out, so it stays. Set it to 0 items instead.")


@transaction.atomic
def set_hours(
    *, pantry: Pantry, weekday: int, opens: time, closes: time, from_on: date, by: User, at: datetime
) -> OpeningHours:
    """A weekly opening (0 is Monday) from a day on."""
    pantry = Pantry.objects.select_for_update(no_key=True).get(pk=pantry.pk)
    if closes <= opens:
        raise Refused("An opening ends after it begins. Check the two times.")
    others = pantry.opening_hours.filter(weekday=weekday, opens__lt=closes, closes__gt=opens)
    other = others.filter(Q(until_on__isnull=True) | Q(until_on__gte=from_on)).first()
    if other:
        raise Refused(
            f"{other.get_weekday_display()} {other.opens:%H:%M} to {other.closes:%H:%M} is there already and overlaps. "
            "End that opening first, or choose other times."
        )
    hours = OpeningHours.objects.create(pantry=pantry, weekday=weekday, opens=opens, closes=closes, from_on=from_on)
    blocks.redate(pantry=pantry, by=by, at=at)
    audit.record("pantry.hours.set", at=at, by=by, target=pantry, detail={"hours": str(hours.pk)})
    return hours


@transaction.atomic
def end_hours(*, hours: OpeningHours, until_on: date, by: User, at: datetime) -> OpeningHours:
    """The last day on which this opening counts; not before yesterday, for past weeks are judged by past hours."""
    pantry = Pantry.objects.select_for_update(no_key=True).get(pk=hours.pantry_id)
    hours = OpeningHours.objects.get(pk=hours.pk)
    yesterday = weeks.london_date(at) - timedelta(days=1)
    if hours.until_on and hours.until_on <= yesterday:
        raise Refused(f"This opening ended on {hours.until_on:%-d %B %Y}.")
    if until_on < yesterday:
        raise Refused("Openings that have passed stay on record. Choose today or a later day.")
    if until_on < hours.from_on:
        hours.delete()  # it never counted
    else:
        hours.until_on = until_on
        hours.save(update_fields=["until_on"])
    others = pantry.opening_hours.filter(Q(until_on__isnull=True) | Q(until_on__gt=until_on))
    if not others.exists() and members_with_weeks_to_come(pantry, until_on):
        raise Refused(
            f"{pantry.name} would have no opening after {until_on:%-d %B %Y}, and members have weeks paid for there. "
            "Add the new opening first, then end this one."
        )
    blocks.redate(pantry=pantry, by=by, at=at)
    audit.record("pantry.hours.ended", at=at, by=by, target=pantry, detail={"hours": str(hours.pk)})
    return hours


def members_with_weeks_to_come(pantry: Pantry, on: date) -> int:
    """How many members have unused paid weeks at this pantry after a day."""
    return PaidWeek.objects.filter(pantry=pantry).later_than(on).values("membership").distinct().count()


@transaction.atomic
def announce_closure(*, pantry: Pantry, from_on: date, until_on: date, reason: str, by: User, at: datetime) -> Closure:
    """Days without a session, both included; unused weeks that fall on closed weeks move to the next free ones. Told
    late, up to 28 days: weeks that have begun stay where they are, and count as closed where nothing was collected.

    The closure carries `members_moved`, the number of members whose weeks moved.
    """
    pantry = Pantry.objects.select_for_update(no_key=True).get(pk=pantry.pk)
    if until_on < from_on:
        raise Refused("A closure ends on the day it begins or later. Check the two dates.")
    if from_on < weeks.london_date(at) - rules.LATE:
        raise Refused("Days long past keep their record. A closure starts up to 28 days back, today or later.")
    if (until_on - from_on).days > 366:
        raise Refused(
            "A closure lasts a year at most. A pantry that closes for good has a closing day on its own page."
        )
    refuse_forbidden(reason)
    overlap = pantry.closures.filter(withdrawn_at__isnull=True, from_on__lte=until_on, until_on__gte=from_on).first()
    if overlap:
        raise Refused(
            f"{pantry.name} is closed from {overlap.from_on:%-d %B %Y} to {overlap.until_on:%-d %B %Y} already. "
            "Withdraw that closure first, or choose other days."
        )
    closure = Closure.objects.create(
        pantry=pantry, from_on=from_on, until_on=until_on, reason=reason, announced_at=at, announced_by=by
    )
    closure.members_moved = blocks.redate_after_closure(closure=closure, by=by, at=at)
    audit.record("pantry.closure.announced", at=at, by=by, target=closure, detail={"members": closure.members_moved})
    return closure


def preview_closure(**asked) -> Closure:
    """What `announce_closure` would do, by doing it and taking it back: the preview cannot differ from the deed."""
    with rehearsed():
        return announce_closure(**asked)


def can_withdraw(closure: Closure, today: date) -> bool:
    """It has not begun, or it was announced today; not for one that is withdrawn already."""
    announced_today = weeks.london_date(closure.announced_at) == today
    return closure.withdrawn_at is None and (closure.from_on > today or announced_today)


@transaction.atomic
def withdraw_closure(*, closure: Closure, by: User, at: datetime) -> Closure:
    """A closure that has not begun, or was announced today, is taken back; weeks that moved stay, due dates follow."""
    closure = Closure.objects.select_for_update(of=("self",)).select_related("pantry").get(pk=closure.pk)
    if closure.withdrawn_at:
        raise Refused("This closure is withdrawn already.")
    if not can_withdraw(closure, weeks.london_date(at)):
        raise Refused("This closure has begun and stays on record.")
    closure.withdrawn_at = at
    closure.save(update_fields=["withdrawn_at"])
    blocks.redate(pantry=closure.pantry, by=by, at=at)
    audit.record("pantry.closure.withdrawn", at=at, by=by, target=closure)
    return closure


@transaction.atomic
def attach_volunteer(*, pantry: Pantry, user: User, from_on: date, by: User, at: datetime) -> PantryStaff:
    """A volunteer of the same operator works at this pantry from a day on."""
    if user.role != Role.PANTRY_VOLUNTEER or user.organisation_id != pantry.operator_id:
        raise Refused("Only volunteers of the pantry’s own organisation can work there.")
    if user.deactivated_at:
        raise Refused(f"The account of {user} is closed.")
    open_row = pantry.staff.filter(user=user, until_on__isnull=True).first()
    if open_row:
        raise Refused(f"{user} works at {pantry} already, since {open_row.from_on:%-d %B %Y}.")
    staff = PantryStaff.objects.create(pantry=pantry, user=user, from_on=from_on)
    audit.record("pantry.staff.attached", at=at, by=by, target=pantry, detail={"user": str(user.pk)})
    return staff


@transaction.atomic
def detach_volunteer(*, staff: PantryStaff, by: User, at: datetime) -> None:
    """The volunteer no longer works at this pantry, from now."""
    staff = PantryStaff.objects.select_for_update(of=("self",)).select_related("pantry").get(pk=staff.pk)
    if staff.until_on is not None:
        raise Refused(f"{staff.user} stopped working at {staff.pantry} after {staff.until_on:%-d %B %Y}.")
    yesterday = weeks.london_date(at) - timedelta(days=1)
    if staff.from_on > yesterday:
        staff.delete()
    else:
        staff.until_on = yesterday
        staff.save(update_fields=["until_on"])
    audit.record("pantry.staff.detached", at=at, by=by, target=staff.pantry, detail={"user": str(staff.user_id)})
