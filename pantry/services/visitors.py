"""People who were not found at the counter: recorded there, sorted out by the pantry manager afterwards."""

from datetime import date, datetime
from uuid import UUID, uuid4

from django.db import transaction

from pantry import wording
from pantry.models import Membership, PantrySession, Visitor
from pantry.services import collections, memberships
from stockport_hubs.accounts.models import Role, User
from stockport_hubs.audit import services as audit
from stockport_hubs.core import weeks
from stockport_hubs.core.errors import Refused

Outcome = Visitor.Outcome


@transaction.atomic
def record(*, session: PantrySession, key: UUID, called: str, by: User, at: datetime, late_days: int = 0) -> Visitor:
    """Someone who was not found took the usual items on the session's day. The same key is the same visit; `late_days`
    as of collections."""
    today = weeks.london_date(at)
    collections.check_day(session, by=by, today=today, late_days=late_days)
    called = wording.refuse_forbidden(called.strip())
    given = {"session": session, "pantry": session.pantry, "on": session.on, "called": called}
    visitor, is_new = Visitor.objects.get_or_create(key=key, defaults={**given, "recorded_by": by, "recorded_at": at})
    if not is_new:
        if (visitor.session_id, visitor.called) != (session.pk, called):
            raise Refused("This form was already used to record somebody else. Go back to the session and start again.")
        return visitor
    audit.record("pantry.visitor.recorded", at=at, by=by, target=visitor)
    return visitor


def check_can_take_back(visitor: Visitor, *, by: User, on: date) -> None:
    """A visitor recorded by mistake: by who recorded them on the day; the pantry manager while they are to sort out."""
    if visitor.outcome == Outcome.MISTAKE:
        raise Refused("This visitor has already been taken back.")
    if visitor.outcome:
        raise Refused("This visitor has been sorted out already. Ask the pantry manager.")
    if by.role == Role.PANTRY_MANAGER:
        return
    if visitor.recorded_by_id != by.pk:
        name = visitor.recorded_by.get_short_name()
        raise Refused(f"{name} recorded this visitor. {name} or the pantry manager can take them back.")
    if visitor.on != on:
        raise Refused("This session has closed. Ask the pantry manager to take them back.")


def can_take_back(visitor: Visitor, *, by: User, on: date) -> bool:
    """Whether check_can_take_back lets it pass."""
    try:
        check_can_take_back(visitor, by=by, on=on)
    except Refused:
        return False
    return True


@transaction.atomic
def take_back(*, visitor: Visitor, by: User, at: datetime) -> Visitor:
    """Recorded by mistake: nobody came."""
    visitor = _locked(visitor)
    check_can_take_back(visitor, by=by, on=weeks.london_date(at))
    return _sort(visitor, Outcome.MISTAKE, by, at)


@transaction.atomic
def match(*, visitor: Visitor, membership: Membership, by: User, at: datetime) -> tuple[Visitor, str]:
    """The visitor is this member. The visit becomes the collection of its week; where none can be recorded (the week
    has one, the member had paused) they are matched without, and the sentence says why."""
    visitor = _to_sort_out(visitor, by)
    if membership.operator_id != visitor.pantry.operator_id:
        raise Refused("No member here has this number. Check it on the list of members.")
    collection, why = None, ""
    try:
        collection = _collect(visitor, membership, by, at)
    except Refused as refusal:
        why = str(refusal)
    return _sort(visitor, Outcome.MEMBER, by, at, membership=membership, collection=collection), why


@transaction.atomic
def add_pending(*, visitor: Visitor, by: User, at: datetime) -> Membership:
    """The visitor wants to be a member: a membership that waits to be confirmed, with this visit as its first."""
    visitor = _to_sort_out(visitor, by)
    member = memberships.add_pending(pantry=visitor.pantry, preferred_name=visitor.called, by=by, at=at)
    collection = _collect(visitor, member, by, at)
    _sort(visitor, Outcome.TURNED_UP, by, at, membership=member, collection=collection)
    return member


@transaction.atomic
def no_further(*, visitor: Visitor, by: User, at: datetime) -> Visitor:
    """Not a member, and nothing follows."""
    return _sort(_to_sort_out(visitor, by), Outcome.NOBODY, by, at)


@transaction.atomic
def sort_again(*, visitor: Visitor, by: User, at: datetime) -> Visitor:
    """Undo the sorting out; a collection that came of it is undone too."""
    visitor = _locked(visitor)
    _check_manager(visitor, by)
    if not visitor.outcome:
        raise Refused("This visitor is still to be sorted out.")
    if visitor.outcome == Outcome.TURNED_UP:
        raise Refused(
            f"Member {visitor.membership.number} was added for this visitor. "  # type: ignore[union-attr]
            "If that was wrong, end that membership on its page."
        )
    if visitor.collection and not visitor.collection.voided_at:
        collections.void(collection=visitor.collection, reason=collections.UNDONE, by=by, at=at)
    subjects = [(audit.MEMBERSHIP, visitor.membership_id)] if visitor.membership_id else []
    visitor.outcome, visitor.sorted_at, visitor.sorted_by = "", None, None
    visitor.membership = visitor.collection = None
    visitor.save()
    audit.record("pantry.visitor.sorted_again", at=at, by=by, target=visitor, subjects=subjects)
    return visitor


def _collect(visitor: Visitor, membership: Membership, by: User, at: datetime):
    """The usual items on the day of the visit; nothing was paid at the counter."""
    return collections.record(
        session=visitor.session,
        membership=membership,
        key=uuid4(),  # the visitor's lock keeps a second answer away
        quantities=None,
        fruit_and_veg=True,
        is_paid=False,
        by=by,
        collected_at=visitor.recorded_at
        if weeks.london_date(visitor.recorded_at) == visitor.on
        else datetime.combine(visitor.on, visitor.session.opens, weeks.LONDON),
        at=at,
    )


def _locked(visitor: Visitor) -> Visitor:
    """The visitor as stored now. Locked first, joined afterwards: what PostgreSQL joins while it waits for a lock is
    from before, and nobody would seem to have sorted this visitor out."""
    Visitor.objects.select_for_update().get(pk=visitor.pk)
    joined = ("session__pantry", "pantry", "recorded_by", "sorted_by", "membership", "collection")
    return Visitor.objects.select_related(*joined).get(pk=visitor.pk)


def _check_manager(visitor: Visitor, by: User) -> None:
    if by.role != Role.PANTRY_MANAGER or by.organisation_id != visitor.pantry.operator_id:
        raise Refused("The pantry manager sorts out visitors.")


def _to_sort_out(visitor: Visitor, by: User) -> Visitor:
    visitor = _locked(visitor)
    _check_manager(visitor, by)
    if visitor.outcome and visitor.sorted_by:
        when = weeks.london_date(visitor.sorted_at)  # type: ignore[arg-type]
        raise Refused(
            f"{visitor.sorted_by.get_short_name()} sorted this visitor out on {when:%-d %B %Y}: "
            f"{visitor.get_outcome_display().lower()}."
        )
    return visitor


def _sort(visitor: Visitor, outcome: str, by: User, at: datetime, **found) -> Visitor:
    visitor.outcome, visitor.sorted_by, visitor.sorted_at = outcome, by, at
    for name, value in found.items():
        setattr(visitor, name, value)
    visitor.save()
    subjects = [(audit.MEMBERSHIP, visitor.membership_id)] if visitor.membership_id else []
    detail = {"outcome": str(outcome)}
    audit.record("pantry.visitor.sorted", at=at, by=by, target=visitor, subjects=subjects, detail=detail)
    return visitor
