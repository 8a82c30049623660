"""Members who would like to help at a pantry: a volunteer's tap begins it, the pantry manager leads it on.

One row a membership. The pantry's steps are carried to the young person's own row of volunteering where they fit what
stands there; the council's steps are not carried back, for how far somebody is with the council is the council's.
"""

from datetime import date, datetime
from uuid import UUID

from django.db import transaction

from pantry.models import Membership, PantrySession
from pantry.services import blocks
from referrals import rules
from referrals.models import Helper, HelperMove, HelpState, VolunteeringMove
from referrals.services import hall, steps, volunteering
from stockport_hubs.accounts.models import Role, User
from stockport_hubs.audit import services as audit
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.weeks import london_date


def of(membership: Membership) -> Helper | None:
    """The member's row, if they ever said so and it was not taken back."""
    return Helper.objects.filter(membership=membership).exclude(state=HelpState.TAKEN_BACK).first()


@transaction.atomic
def wish(
    *,
    membership: Membership,
    session: PantrySession,
    key: UUID,
    by: User,
    at: datetime,
    said_at: datetime | None = None,
) -> Helper:
    """They said that they would like to help (`said_at`: earlier, on a device). Said again while it waits or goes on,
    it is the row already there."""
    membership = blocks.locked(membership.pk)  # first: of two at once with one key the second finds the row
    earlier = HelperMove.objects.filter(key=key).select_related("helper").first()
    if earlier:
        hall.same_or_refuse(earlier.helper, membership_id=membership.pk)
        return earlier.helper
    hall.check_in_session(session, membership, by=by, said_at=said_at or at)
    helper = Helper.objects.filter(membership=membership).first()
    if helper and not can_wish(helper):
        return helper
    helper = helper or Helper(membership=membership)
    helper.pantry = session.pantry
    return _step(helper, HelpState.WISHED, session.on, by, at, key=key)


@transaction.atomic
def move(*, helper: Helper, state: str, on: date, by: User, at: datetime) -> Helper:
    """The next step, by the pantry manager."""
    if by.role != Role.PANTRY_MANAGER:
        raise Refused("The pantry manager records how it goes on.")
    helper = _locked(helper)
    if state not in rules.HELP_MOVES[helper.state]:
        then = " or ".join(HelpState(each).label.lower() for each in rules.HELP_MOVES[helper.state])
        raise Refused(
            f"“{helper.get_state_display()}” cannot become “{HelpState(state).label}”. The next step is: {then}."
        )
    steps.check_day(on, helper.state_on, at)
    return _step(helper, state, on, by, at)


@transaction.atomic
def take_back(*, helper: Helper, by: User, at: datetime) -> Helper:
    """Take the last step back: on its day by who recorded it, by the pantry manager also later."""
    helper = _locked(helper)
    last = helper.moves.filter(undone_at__isnull=True).select_related("by", "carried").order_by("-number").first()
    if last is None:
        raise Refused("There is no step to take back.")
    if by.role != Role.PANTRY_MANAGER and (last.by_id != by.pk or london_date(last.recorded_at) != london_date(at)):
        raise Refused("Ask the pantry manager to take this back.")
    last, before = steps.take_back_last(helper.moves, by, at)
    helper.state, helper.state_on = (before.state, before.on) if before else (HelpState.TAKEN_BACK, last.on)
    helper.save(update_fields=["state", "state_on"])
    _take_back_carried(helper, last.carried, by, at)
    _log("taken_back", helper, by, at)
    return helper


def can_wish(helper: Helper) -> bool:
    """Whether saying so again is a new step."""
    return HelpState.WISHED in rules.HELP_MOVES[helper.state]


def was_wished_on(helper: Helper, day: date) -> bool:
    """They said so that day, and nothing has followed."""
    return helper.state == HelpState.WISHED and helper.state_on == day


def can_take_back(helper: Helper, *, by: User, on: date) -> bool:
    """Whether the last step is theirs to take back."""
    last = helper.moves.filter(undone_at__isnull=True).order_by("-number").first()
    if last is None:
        return False
    return by.role == Role.PANTRY_MANAGER or (last.by_id == by.pk and london_date(last.recorded_at) == on)


def _locked(helper: Helper) -> Helper:
    rows = Helper.objects.select_for_update(of=("self",)).select_related("membership")
    return rows.get(pk=helper.pk)


def _step(helper: Helper, state: str, on: date, by: User, at: datetime, key: UUID | None = None) -> Helper:
    helper.state, helper.state_on = state, on
    helper.save()
    HelperMove.objects.create(
        helper=helper,
        key=key,
        number=helper.moves.count() + 1,
        state=state,
        on=on,
        by=by,
        recorded_at=at,
        carried=_carry(helper, state, on, by, at),
    )
    _log("moved", helper, by, at)
    return helper


def _carry(helper: Helper, state: str, on: date, by: User, at: datetime) -> VolunteeringMove | None:
    person, to = hall.person_of(helper.membership), rules.CARRIED_AS.get(state, state)
    if person is None:
        return None
    offer = volunteering.of(steps.living(person))
    if to not in rules.VOLUNTEERING_MOVES[offer.state] or (offer.state_on and on < offer.state_on):
        return None
    volunteering.move(care_leaver=person, state=to, on=on, by=by, at=at)
    return VolunteeringMove.objects.filter(offer__care_leaver=person, undone_at__isnull=True).latest("number")


def _take_back_carried(helper: Helper, carried: VolunteeringMove | None, by: User, at: datetime) -> None:
    person = hall.person_of(helper.membership) if carried else None
    if carried is None or person is None:
        return
    last = VolunteeringMove.objects.filter(offer=carried.offer_id, undone_at__isnull=True).order_by("-number").first()
    if last and last.pk == carried.pk:  # otherwise the council has gone on
        volunteering.undo(care_leaver=person, by=by, at=at)


def _log(verb: str, helper: Helper, by: User, at: datetime) -> None:
    subjects, detail = [(audit.MEMBERSHIP, helper.membership_id)], {"state": helper.state}
    audit.record(f"referrals.helper.{verb}", at=at, by=by, target=helper, subjects=subjects, detail=detail)
