"""A young person on the way to volunteering, counted once however often they begin. Moves are in rules.py."""

from datetime import date, datetime

from django.db import transaction

from careleavers.models import CareLeaver
from referrals import rules
from referrals.models import VolunteeringMove, VolunteeringOffer
from referrals.services import steps
from stockport_hubs.accounts.models import User
from stockport_hubs.audit import services as audit
from stockport_hubs.core.errors import Refused

State = VolunteeringOffer.State


def of(care_leaver: CareLeaver) -> VolunteeringOffer:
    """The person's row; one that is not stored yet when nobody has asked them."""
    found = VolunteeringOffer.objects.filter(care_leaver=care_leaver).first()
    return found or VolunteeringOffer(care_leaver=care_leaver)


def moves_of(offer: VolunteeringOffer) -> list[VolunteeringMove]:
    """Every step, those taken back too, the first first."""
    return list(VolunteeringMove.objects.filter(offer=offer.pk).select_related("by", "undone_by"))


@transaction.atomic
def move(*, care_leaver: CareLeaver, state: str, on: date, by: User, at: datetime, note: str = "") -> VolunteeringOffer:
    """The next step: asked, their answer, induction, volunteering, stopped."""
    care_leaver = steps.living(care_leaver)
    offer = of(care_leaver)
    if state not in rules.VOLUNTEERING_MOVES[offer.state]:
        then = " or ".join(State(each).label.lower() for each in rules.VOLUNTEERING_MOVES[offer.state])
        raise Refused(f"“{offer.get_state_display()}” cannot become “{State(state).label}”. The next step is: {then}.")
    steps.check_day(on, offer.state_on, at)
    offer.state, offer.state_on = state, on
    offer.save()
    steps.write(offer.moves, state=state, on=on, note=note, by=by, at=at)
    _log("referrals.volunteering.moved", offer, by, at)
    return offer


@transaction.atomic
def undo(*, care_leaver: CareLeaver, by: User, at: datetime) -> VolunteeringOffer:
    """Take the last step back."""
    CareLeaver.objects.select_for_update().get(pk=care_leaver.pk)
    offer = of(care_leaver)
    _, before = steps.take_back_last(VolunteeringMove.objects.filter(offer=offer.pk), by, at)
    offer.state, offer.state_on = (before.state, before.on) if before else (State.NOT_ASKED, None)
    offer.save(update_fields=["state", "state_on"])
    _log("referrals.volunteering.undone", offer, by, at)
    return offer


def _log(verb: str, offer: VolunteeringOffer, by: User, at: datetime) -> None:
    subjects, detail = [(audit.CARE_LEAVER, offer.care_leaver_id)], {"state": offer.state}
    audit.record(verb, at=at, by=by, target=offer, subjects=subjects, detail=detail)
