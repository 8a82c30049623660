"""A volunteer taps what stands in the way of a member. It goes to the council and nowhere else: Stockport Homes is the
landlord too, so no page of a pantry shows it again, not to who tapped it nor to a manager."""

from datetime import date, datetime
from uuid import UUID

from django.db import transaction

from careleavers.models import AdvisorAllocation, CareLeaver
from pantry.models import Membership, Pantry, PantrySession
from pantry.services import blocks
from referrals.services import hall
from reviews.models import CATEGORIES_FOR_BOTH, Barrier, BarrierMove, BarrierState, BarrierTap
from stockport_hubs.accounts.models import Role, User
from stockport_hubs.audit import services as audit
from stockport_hubs.audit.services import CARE_LEAVER, MEMBERSHIP
from stockport_hubs.core.errors import Refused

TAPPED = "Tapped by a volunteer in a pantry session."
AGAIN = "Tapped again in a pantry session."
OPEN = (BarrierState.OPEN, BarrierState.IN_HAND)


def listed(pantry: Pantry, on: date) -> list[dict[str, str]]:
    """The categories a volunteer chooses from: those that both organisations may read."""
    return [{"id": code, "name": label} for code, label in CATEGORIES_FOR_BOTH]


@transaction.atomic
def tap(
    *,
    membership: Membership,
    category: str,
    session: PantrySession,
    key: UUID,
    by: User,
    at: datetime,
    said_at: datetime | None = None,
) -> BarrierTap:
    """Something stands in this member's way (`said_at`: said earlier, on a device); the same key is the same tap."""
    membership = blocks.locked(membership.pk)  # first: of two at once with one key the second finds the row
    if earlier := BarrierTap.objects.filter(key=key).first():
        hall.same_or_refuse(earlier, membership_id=membership.pk, session_id=session.pk, category=category)
        return earlier
    if category not in dict(CATEGORIES_FOR_BOTH):
        raise Refused("Choose what stands in the way from the list.")
    hall.check_in_session(session, membership, by=by, said_at=said_at or at)
    person = hall.person_of(membership)
    made = BarrierTap.objects.create(
        key=key,
        membership=membership,
        session=session,
        pantry=session.pantry,
        category=category,
        on=session.on,
        tapped_at=said_at or at,
        tapped_by=by,
        barrier=_raise(person, category, session.on, by, at) if person else None,
    )
    # Who reads the audit is the council; the category stands on the barrier alone.
    audit.record("reviews.barrier.tapped", at=at, by=by, target=made, subjects=[(MEMBERSHIP, membership.pk)])
    return made


def _raise(person: CareLeaver, category: str, on: date, by: User, at: datetime) -> Barrier | None:
    """The barrier it becomes; one of this kind that is open is told that it came up again."""
    person = CareLeaver.objects.select_for_update(no_key=True).get(pk=person.pk)
    if person.has_died:
        return None
    same = Barrier.objects.filter(care_leaver=person, category=category, state__in=OPEN).order_by("raised_on").first()
    owner = same.owner if same else _owner(person, on)
    if owner is None:
        return None
    note = AGAIN if same else TAPPED
    barrier = same or Barrier.objects.create(
        council_id=person.council_id,
        care_leaver=person,
        category=category,
        note=TAPPED,
        owner=owner,
        raised_on=on,
        raised_by=by,
        recorded_at=at,
    )
    BarrierMove.objects.create(barrier=barrier, state=barrier.state, note=note, owner=owner, by=by, at=at)
    verb = "reviews.barrier.moved" if same else "reviews.barrier.raised"
    subjects, detail = [(CARE_LEAVER, person.pk)], {"category": category}
    audit.record(verb, at=at, by=by, target=barrier, subjects=subjects, detail=detail)
    return barrier


def _owner(person: CareLeaver, on: date) -> User | None:
    """The advisor of that day, or else a leaving care manager of the council."""
    held = AdvisorAllocation.objects.in_force_on(on).filter(care_leaver=person, advisor__is_active=True)
    if found := held.select_related("advisor").order_by("-from_on").first():
        return found.advisor
    managers = User.objects.filter(role=Role.LEAVING_CARE_MANAGER, organisation=person.council_id, is_active=True)
    return managers.order_by("joined_at", "pk").first()
