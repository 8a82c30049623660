"""Moving to another pantry of the same operator, from a Monday to come."""

from datetime import date, datetime, timedelta

from django.db import transaction

from pantry import rules
from pantry.models import Membership, PaidWeek, Pantry, Place
from pantry.services import blocks, paid_weeks
from stockport_hubs.accounts.models import User
from stockport_hubs.audit import services as audit
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.weeks import WEEK, is_monday, london_date, monday

State = Membership.State


def check_can_move(membership: Membership, pantry: Pantry, from_week: date, today: date) -> Place:
    """The place that closes, or a refusal in words."""
    if membership.state == State.ENDED:
        raise Refused(f"{membership} left on {membership.ended_on:%-d %B %Y}. They can join anew at {pantry.name}.")
    if membership.state == State.PENDING:
        raise Refused(f"{membership} is waiting to be confirmed. Confirm or end the membership first.")
    if pantry.operator_id != membership.operator_id:
        raise Refused(
            f"{pantry.name} is run by another organisation, so weeks cannot move there. "
            "End this membership; the other organisation answers a new introduction."
        )
    if not is_monday(from_week):
        raise Refused(f"A move begins on a Monday. That week’s Monday is {monday(from_week):%-d %B %Y}.")
    if from_week <= today:
        raise Refused(
            f"The week of {from_week:%-d %B %Y} has begun, and weeks that have begun stay where they are. "
            f"Choose {monday(today) + WEEK:%-d %B %Y} or a later Monday."
        )
    latest = monday(today) + rules.WANTED_WEEKS_AHEAD * WEEK
    if from_week > latest:
        raise Refused(f"A move can be recorded up to 8 weeks ahead: choose {latest:%-d %B %Y} or an earlier Monday.")
    if pantry.closing_on and pantry.closing_on <= from_week:
        raise Refused(f"{pantry.name} closes for good on {pantry.closing_on:%-d %B %Y}. Choose another pantry.")
    place = Place.objects.select_related("pantry").get(membership=membership, to_week__isnull=True)
    if place.pantry_id == pantry.pk:
        raise Refused(f"{membership} belongs to {pantry.name} already.")
    if place.from_week > today and Place.objects.filter(membership=membership).count() > 1:
        raise Refused(
            f"{membership} moves to {place.pantry.name} from {place.from_week:%-d %B %Y}. Take that move back first."
        )
    return place


@transaction.atomic
def move(*, membership: Membership, pantry: Pantry, from_week: date, by: User, at: datetime) -> Place:
    """Close one place and open the next; paid weeks from that Monday on belong to the new pantry, at their price, on
    its open weeks, with a transfer in the journal."""
    pantry = Pantry.objects.select_for_update(no_key=True).get(pk=pantry.pk)  # a closure meanwhile does not miss them
    membership, on = blocks.locked(membership.pk), london_date(at)
    place = check_can_move(membership, pantry, from_week, on)
    check_room(pantry)
    if from_week <= place.from_week:  # nothing has begun there, so there is nothing to keep
        place.pantry = pantry
        place.save(update_fields=["pantry"])
    else:
        place.to_week = from_week - timedelta(days=1)
        place.save(update_fields=["to_week"])
        place = Place.objects.create(membership=membership, pantry=pantry, from_week=from_week)
    return _settle(membership, place, "moved", on, by, at)


def can_take_back_move(membership: Membership, today: date) -> bool:
    """A move is recorded that has not begun."""
    places = paid_weeks.places([membership.pk])[membership.pk]
    return membership.state != State.ENDED and len(places) > 1 and places[-1].from_week > today


@transaction.atomic
def take_back_move(*, membership: Membership, by: User, at: datetime) -> Place:
    """A move that has not begun is undone: its weeks go back to the pantry they came from."""
    membership, on = blocks.locked(membership.pk), london_date(at)
    if not can_take_back_move(membership, on):
        raise Refused(f"{membership} has no move to take back. A move that has begun stays; record another one.")
    places = paid_weeks.places([membership.pk])[membership.pk]
    places[-1].delete()
    place = places[-2]
    place.to_week = None
    place.save(update_fields=["to_week"])
    return _settle(membership, place, "move_taken_back", on, by, at)


def _settle(membership: Membership, place: Place, verb: str, on: date, by: User, at: datetime) -> Place:
    paid_weeks.settle([membership.pk], on=on, at=at, by=by)
    parked = PaidWeek.objects.filter(membership=membership, state=PaidWeek.State.PARKED).select_related("block")
    paid_weeks.transfer([(row, place.pantry_id) for row in parked], on=on, at=at, by=by)
    parked.update(pantry=place.pantry_id)
    paid_weeks.set_due([membership.pk])
    subjects = [(audit.MEMBERSHIP, membership.pk)]
    audit.record(f"pantry.membership.{verb}", at=at, by=by, target=place, subjects=subjects)
    return place


def check_room(pantry: Pantry) -> None:
    """Refuse in words when the pantry's places are all taken; the pantry is locked, so the last is given once."""
    if pantry.capacity is None:
        return
    members = Membership.objects.exclude(state=State.ENDED).filter(places__pantry=pantry, places__to_week__isnull=True)
    if members.count() >= pantry.capacity:
        raise Refused(
            f"{pantry} is full: all {pantry.capacity} places are taken. "
            "Choose another pantry, or raise the number of places on the pantry’s page."
        )
