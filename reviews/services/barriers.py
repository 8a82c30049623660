"""Barriers: raised, taken in hand, closed; their actions."""

from datetime import date, datetime
from uuid import UUID

from django.db import transaction

from careleavers.models import CareLeaver
from pantry.models import FundingAgreement, Pantry
from reviews import rules
from reviews.cohort import end_of
from reviews.models import COUNTED_AS_OTHER, Action, Barrier, BarrierMove, BarrierState, ReviewMeeting
from reviews.wording import refuse_names
from stockport_hubs.accounts.models import Organisation, Role, User
from stockport_hubs.audit import services as audit
from stockport_hubs.audit.services import CARE_LEAVER
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.weeks import london_date, spoken

COUNCIL_OWNERS = (Role.PERSONAL_ADVISOR, Role.LEAVING_CARE_MANAGER)


def owners(*, council_id: UUID, operator_id: UUID | None):
    """Who can own a barrier or an action: the council's advisors and managers and, with an operator, its managers."""
    staff = User.objects.filter(deactivated_at__isnull=True)
    found = staff.filter(organisation=council_id, role__in=COUNCIL_OWNERS)
    if operator_id is not None:
        found = found | staff.filter(organisation=operator_id, role=Role.PANTRY_MANAGER)
    return found.select_related("organisation").order_by("name")


def councils(user: User):
    """The councils someone raises barriers for: their own, or those whose agreements their organisation serves."""
    if user.is_council:
        return Organisation.objects.filter(pk=user.organisation_id)
    funders = FundingAgreement.objects.for_user(user).order_by().values("funder")
    return Organisation.objects.filter(pk__in=funders).order_by("name")


def _check_owner(owner: User, council_id: UUID, operator_id: UUID | None) -> None:
    if not owners(council_id=council_id, operator_id=operator_id).filter(pk=owner.pk).exists():
        raise Refused(f"{owner.name} cannot own this barrier. Choose someone of the organisations concerned.")


def _subjects(barrier: Barrier) -> list:
    return [(CARE_LEAVER, barrier.care_leaver_id)] if barrier.care_leaver_id else []


def operator_of(barrier: Barrier) -> UUID | None:
    """The operator that may work on a barrier: that of a pantry's own barrier, never of a young person's."""
    return barrier.pantry.operator_id if barrier.pantry and not barrier.care_leaver_id else None


def _check_words(barrier: Barrier, texts: list[str], by: User) -> None:
    """What is written of a pantry's own barrier is read by both organisations."""
    if operator_id := operator_of(barrier):
        refuse_names(texts, council_id=barrier.council_id, operator_id=operator_id, by=by, names_nobody=True)


def carried(barrier: Barrier) -> str:
    """ "Open at 2 meetings since 4 May 2026": those that took place while it was open; nothing when there was none."""
    met = ReviewMeeting.objects.took_place().filter(
        agreement__funder=barrier.council_id, starts_at__gte=end_of(barrier.raised_on)
    )
    if operator_id := operator_of(barrier):
        met = met.filter(agreement__operator=operator_id)
    if barrier.closed_on:
        met = met.filter(starts_at__lt=end_of(barrier.closed_on))
    days = sorted(met.values_list("starts_at", flat=True))
    if not days:
        return ""
    return f"Open at {len(days)} meeting{'' if len(days) == 1 else 's'}, the first on {spoken(london_date(days[0]))}"


@transaction.atomic
def raise_barrier(
    *,
    council: Organisation,
    care_leaver: CareLeaver | None,
    pantry: Pantry | None,
    category: str,
    note: str,
    owner: User,
    due_on: date | None,
    raised_on: date,
    by: User,
    at: datetime,
) -> Barrier:
    """Something stands in the way of a young person, or of everyone at a pantry."""
    if care_leaver is None and pantry is None:
        raise Refused("A barrier is about a young person or about a pantry. Say which.")
    if care_leaver is None and category in COUNTED_AS_OTHER:
        raise Refused("Both organisations read what stands in the way at a pantry. Choose “Other” for this.")
    if not by.is_council and care_leaver is not None:
        raise Refused("A pantry’s managers record what stands in the way at the pantry, not of a person.")
    if care_leaver is not None and care_leaver.has_died:
        raise Refused("This young person has died. Nothing more is asked of anyone.")
    if raised_on > london_date(at):
        raise Refused("The day it came up must not be in the future.")
    barrier = Barrier(
        council=council,
        care_leaver=care_leaver,
        pantry=pantry,
        category=category,
        note=note,
        owner=owner,
        due_on=due_on,
        raised_on=raised_on,
        raised_by=by,
        recorded_at=at,
    )
    _check_owner(owner, council.pk, operator_of(barrier))
    _check_words(barrier, [note], by)
    barrier.save()
    BarrierMove.objects.create(barrier=barrier, state=BarrierState.OPEN, owner=owner, by=by, at=at)
    detail = {"category": category}
    audit.record("reviews.barrier.raised", at=at, by=by, target=barrier, subjects=_subjects(barrier), detail=detail)
    return barrier


@transaction.atomic
def move(
    *,
    barrier: Barrier,
    state: str,
    note: str,
    owner: User,
    by: User,
    at: datetime,
    due_on: date | None = None,
) -> Barrier:
    """Take a barrier in hand, hand it over, or close it; `due_on` None keeps the day it is due."""
    locked = Barrier.objects.select_for_update(of=("self",)).select_related("pantry").get(pk=barrier.pk)
    if state not in rules.BARRIER_MOVES[locked.state]:
        closed = locked.closed_on
        raise Refused(
            f"This barrier was closed on {closed.day} {closed:%B %Y}. If it has come back, record it again."
            if closed
            else f"“{locked.get_state_display()}” cannot become “{BarrierState(state).label}”."
        )
    if state == BarrierState.WILL_NOT and not note.strip():
        raise Refused("Say why it will not be resolved. The meeting will ask.")
    _check_words(locked, [note], by)
    if owner.pk != locked.owner_id:
        _check_owner(owner, locked.council_id, operator_of(locked))
    locked.state, locked.owner, locked.due_on = state, owner, due_on or locked.due_on
    if state in rules.CLOSED:
        locked.closed_on, locked.outcome = london_date(at), note[:200]
    locked.save(update_fields=["state", "owner", "due_on", "closed_on", "outcome"])
    BarrierMove.objects.create(barrier=locked, state=state, note=note, owner=owner, by=by, at=at)
    audit.record(
        "reviews.barrier.moved", at=at, by=by, target=locked, subjects=_subjects(locked), detail={"state": state}
    )
    return locked


@transaction.atomic
def add_action(*, barrier: Barrier, what: str, owner: User, due_on: date, by: User, at: datetime) -> Action:
    """Something to be done about a barrier."""
    if barrier.closed_on:
        raise Refused("This barrier is closed. If it has come back, record it again.")
    _check_owner(owner, barrier.council_id, operator_of(barrier))
    _check_words(barrier, [what], by)
    action = Action.objects.create(barrier=barrier, what=what, owner=owner, due_on=due_on, made_by=by, made_at=at)
    audit.record("reviews.action.made", at=at, by=by, target=action, subjects=_subjects(barrier))
    return action
