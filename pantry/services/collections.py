"""Weekly collections. The database decides: one per key, one counted per membership and week."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, models, transaction
from django.db.models import Q
from django.utils import formats

from pantry import counter
from pantry.models import (
    BlockSource,
    Collection,
    Membership,
    MembershipMove,
    PaidWeek,
    Pantry,
    PantrySession,
    Place,
    SelectedItem,
)
from pantry.services import away, blocks, by_hand, charges
from stockport_hubs.accounts.models import Role, User
from stockport_hubs.audit import services as audit
from stockport_hubs.core import weeks
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.kept import Kept

PAID_WEEK = Kept(
    lambda membership, week: PaidWeek.objects.dated().filter(membership=membership, week=week).values_list("pk")
)
HOMES = Kept(
    lambda membership, day: (
        Place.objects.filter(Q(to_week__isnull=True) | Q(to_week__gte=day), membership=membership)
        .order_by("from_week")
        .values_list("pantry_id")
    )
)
UNDONE = "Recorded by mistake"
TRIES = 5  # a collection that stood in the way may be undone between two looks


class OverrideReason(models.TextChoices):
    """Why more than the allowance was given; only the code is kept, in the audit row."""

    LARGER_HOUSEHOLD = "larger_household", "Larger household"
    SURPLUS = "surplus", "More food than usual today"
    MADE_UP = "made_up", "To make up for an earlier week"
    AGREED = "agreed", "Agreed with the pantry manager"


class AlreadyCollected(Refused):
    """The membership's collection of this week is there already; says who recorded it and when."""

    def __init__(self, collection: Collection, on: date):
        super().__init__(f"Already collected this week. {said(collection, on)}.")
        self.collection = collection


class KeyReused(Refused):
    """The key belongs to another collection."""


def said(collection: Collection, on: date) -> str:
    """ "Collected today 10:42 by Jo": who and when, as read on day `on`."""
    return in_words(
        day=collection.on,
        today=on,
        collected_at=collection.collected_at,
        entered_at=collection.recorded_at if collection.is_late else None,
        by=collection.recorded_by.get_short_name(),
    )


def in_words(
    *, day: date, today: date, collected_at: datetime, entered_at: datetime | None, by: str, there: str = ""
) -> str:
    """The same from plain values; `entered_at` where it was entered late, `there` a pantry that has to be named."""
    when = "today" if day == today else f"on {formats.date_format(day, 'l j F')}"
    if there:
        when += f" at {there}"
    if entered_at:
        entered = formats.date_format(weeks.london_date(entered_at), "j F")
        return f"Collected {when}, entered late on {entered} by {by}"
    return f"Collected {when} {collected_at.astimezone(weeks.LONDON):%H:%M} by {by}"


def record(
    *,
    session: PantrySession,
    membership: Membership,
    key: UUID,
    quantities: Mapping | None,
    fruit_and_veg: bool,
    by: User,
    collected_at: datetime,
    at: datetime,
    override: str = "",
    is_paid: bool = True,
    late_days: int = 0,
) -> Collection:
    """Record one member's weekly visit; `quantities` maps band ids (None: no band) to items, None is the usual number.

    Where the member pays, what they paid is a paid week of theirs. `is_paid` False: what was to be paid was not; nobody
    goes without, and managers see it. `late_days`: how long after its day a session may still be added to by this
    volunteer, whose tablet had no network.

    The same key and body give the same row again, whatever has happened since. Refused: KeyReused for the same key
    with another body (reported; also "not paid" after it was paid), AlreadyCollected for a second collection in the
    week, and reasons in words.
    """
    chosen = None if quantities is None else {band: n for band, n in quantities.items() if n}
    body = (session.pk, membership.pk, fruit_and_veg)
    for _ in range(TRIES):
        try:
            return _insert(
                session, membership, key, chosen, fruit_and_veg, by, collected_at, at, override, is_paid, late_days
            )
        except (IntegrityError, Refused) as why:
            if earlier := Collection.objects.filter(key=key).prefetch_related("items").first():
                if _same(earlier, body, chosen) and (is_paid or not earlier.paid_pence):
                    return earlier
                _report_reuse(earlier, membership, by, at)
                raise KeyReused(
                    "This form was already used to record something else, so nothing was recorded. "
                    "Go back to the session and start again."
                ) from why
            if isinstance(why, Refused):
                raise
            counted = Collection.objects.counted().select_related("recorded_by", "pantry")
            week = weeks.monday(weeks.london_date(collected_at))
            if other := counted.filter(membership=membership, week=week).first():
                raise AlreadyCollected(other, weeks.london_date(at)) from why
            failed = why
    raise failed


@transaction.atomic
def _insert(
    session, membership, key, chosen, fruit_and_veg, by, collected_at, at, override, is_paid, late_days
) -> Collection:
    """Claim the key and the week by inserting; the row's lock keeps purchases and leaving apart from it."""
    membership = Membership.objects.select_for_update(of=("self",), no_key=True).get(pk=membership.pk)
    pantry = session.pantry
    day, today = weeks.london_date(collected_at), weeks.london_date(at)
    week = weeks.monday(day)
    home, state = _check_can_record(session, membership, by, day, today, late_days)
    if chosen is None:
        chosen = {None: pantry.allowance}
    else:
        _check_quantities(pantry, chosen, fruit_and_veg, override)
    [(paid_week,)] = PAID_WEEK(membership=membership.pk, week=week) or [(None,)]
    due = charges.due(membership, home=home, week=week, state=state, has_paid_week=paid_week is not None)
    paid = due if is_paid else charges.Charge()
    collection = Collection(
        key=key,
        membership=membership,
        session=session,
        pantry=pantry,
        week=week,
        on=day,
        collected_at=collected_at,
        recorded_at=at,
        recorded_by=by,
        is_late=day < today,
        fruit_and_veg=fruit_and_veg,
        paid_pence=paid.pence,
        paid_week_id=paid_week,
    )
    collection.save(force_insert=True)
    SelectedItem.objects.bulk_create(
        SelectedItem(collection=collection, band_id=band, quantity=quantity) for band, quantity in chosen.items()
    )
    if paid.pence:  # after the week is claimed, so that of two at once one pays; links the collection
        money = {"pence": paid.weekly_pence, "joining_pence": paid.joining_pence}
        collection.paid_week = by_hand.self_pay_week(membership=membership, week=week, by=by, at=at, **money)
    away.came(collection)
    detail = {"week": week.isoformat(), "late": collection.is_late} | ({"override": override} if override else {})
    subjects = [(audit.MEMBERSHIP, membership.pk)]
    audit.record("pantry.collection.recorded", at=at, by=by, target=collection, subjects=subjects, detail=detail)
    return collection


def check_day(session: PantrySession, *, by: User, today: date, late_days: int = 0) -> None:
    """Volunteers record on the session's day (and `late_days` after it), the pantry manager for 28 days after it too;
    nobody before it.

    A session that was held counts also where its day is announced closed afterwards: who came, came.
    """
    if session.on > today:
        raise Refused("This session has not started yet. Nothing can be recorded before its day.")
    if session.on < today:
        if by.role != Role.PANTRY_MANAGER and session.on < today - timedelta(days=late_days):
            raise Refused("This session has closed. Ask the pantry manager to add what is missing.")
        if session.on < today - timedelta(days=counter.LATE_DAYS):
            raise Refused(f"This session was more than {counter.LATE_DAYS} days ago. Nothing can be added to it.")


def _check_can_record(session, membership, by, day: date, today: date, late_days: int) -> tuple[UUID, str]:
    """Refuse in words; gives the id of the pantry the member belongs to and their state on the day."""
    if day != session.on:
        raise Refused("The day of a collection is the day of its session.")
    check_day(session, by=by, today=today, late_days=late_days)
    if membership.operator_id != session.pantry.operator_id:
        raise Refused(f"No member here has this number. {counter.ASK}")
    state = states_on({membership.pk: membership.state}, day, today)[membership.pk]
    if why := counter.why_not(state):
        raise Refused(why)
    homes = [pantry for (pantry,) in HOMES(membership=membership.pk, day=day)]
    if session.pantry_id in homes:
        return session.pantry_id, state
    if not session.pantry.welcomes_other_pantries:
        raise Refused(f"Member of another pantry. {counter.ASK}")
    return next(iter(homes), session.pantry_id), state


def states_on(states: Mapping[UUID, str], day: date, today: date) -> dict[UUID, str]:
    """The members' states (now, by id) as on a session's day: what has changed since does not count for late rows."""
    if day >= today:
        return dict(states)
    moves = MembershipMove.objects.filter(membership__in=states, on__lte=day).order_by("on", "recorded_at")
    return {**states, **dict(moves.values_list("membership_id", "state"))}


def _check_quantities(pantry: Pantry, chosen: Mapping, fruit_and_veg: bool, override: str) -> None:
    bands = {band.pk: (band.name, band.items) for band in pantry.bands.all()}
    if any(band is not None and band not in bands for band in chosen):
        raise Refused("This pantry has no such band of items.")
    if any(not 0 <= quantity <= 100 for quantity in chosen.values()):
        raise Refused("The number of items must be from 0 to 100.")
    if not chosen and not fruit_and_veg:
        raise Refused("Nothing was chosen. Enter the number of items, or fruit and vegetables.")
    if override and override not in OverrideReason.values:
        raise Refused("Choose why more than the allowance was given.")
    if not override and (more := counter.over_allowance(chosen, allowance=pantry.allowance, bands=bands)):
        raise Refused(f"{more} Enter fewer, or say why it is more.")


def _same(earlier: Collection, body: tuple, chosen: Mapping | None) -> bool:
    items = {item.band_id: item.quantity for item in earlier.items.all()}
    same_items = set(items) == {None} if chosen is None else items == chosen
    return same_items and (earlier.session_id, earlier.membership_id, earlier.fruit_and_veg) == body


@transaction.atomic
def _report_reuse(earlier: Collection, membership: Membership, by: User, at: datetime) -> None:
    subjects = [(audit.MEMBERSHIP, membership.pk), (audit.MEMBERSHIP, earlier.membership_id)]
    audit.record("pantry.collection.key_reused", at=at, by=by, target=earlier, subjects=subjects)


def why_stays(
    *, day: date, is_own: bool, by: User, on: date, recorder: str = "Somebody else", late_days: int = 0
) -> str:
    """Why a collection of that day cannot be undone, "" where it can: volunteers undo what they recorded themselves, on
    its day (and `late_days` after it, by what their tablet sends then); the pantry manager everything for 28 days."""
    if by.role == Role.PANTRY_MANAGER:
        if day < on - timedelta(days=counter.LATE_DAYS):
            return f"This was recorded for a day more than {counter.LATE_DAYS} days ago, so it stays as it is."
    elif not is_own:
        return f"{recorder} recorded this. {recorder} or the pantry manager can undo it."
    elif not on - timedelta(days=late_days) <= day <= on:
        return "This session has closed. Ask the pantry manager to undo it."
    return ""


def check_can_void(collection: Collection, *, by: User, on: date, late_days: int = 0) -> None:
    """Refused with the sentence of `why_stays`."""
    recorder = collection.recorded_by
    is_own = recorder.pk == by.pk
    given = {"recorder": recorder.get_short_name(), "late_days": late_days}
    if why := why_stays(day=collection.on, is_own=is_own, by=by, on=on, **given):
        raise Refused(why)


def can_void(collection: Collection, *, by: User, on: date) -> bool:
    """Whether check_can_void lets it pass."""
    return not why_stays(day=collection.on, is_own=collection.recorded_by_id == by.pk, by=by, on=on)


@transaction.atomic
def void(*, collection: Collection, reason: str, by: User, at: datetime, late_days: int = 0) -> Collection:
    """Undo a collection: it stays, with who and why, and the week is free again; what the member paid for it is given
    back. Undoing twice is undoing once."""
    if collection.paid_pence:  # the membership first, as recording locks it
        blocks.locked(collection.membership_id)
    locked = Collection.objects.select_for_update(of=("self",)).select_related("recorded_by")
    collection = locked.get(pk=collection.pk)
    if collection.voided_at and collection.voided_by:
        if collection.voided_by_id == by.pk:
            return collection
        when = collection.voided_at.astimezone(weeks.LONDON)
        raise Refused(f"{collection.voided_by.get_short_name()} has already undone this, {when:%-d %B %Y, %H:%M}.")
    check_can_void(collection, by=by, on=weeks.london_date(at), late_days=late_days)
    if not reason.strip():
        raise Refused("Say why it is undone.")
    collection.voided_at, collection.voided_by, collection.void_reason = at, by, reason.strip()
    collection.save(update_fields=["voided_at", "voided_by", "void_reason"])
    if collection.paid_pence and collection.paid_week and collection.paid_week.block.source == BlockSource.SELF_PAY:
        by_hand.reverse_week(paid_week=collection.paid_week, by=by, at=at)
    away.undone(collection, by=by, at=at)
    subjects = [(audit.MEMBERSHIP, collection.membership_id)]
    audit.record("pantry.collection.voided", at=at, by=by, target=collection, subjects=subjects)
    return collection
