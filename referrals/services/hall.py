"""What the services of the hall share: whom a membership belongs to, and who may say something about a member there."""

from datetime import datetime
from uuid import UUID

from careleavers.models import CareLeaver
from pantry.models import Membership, PantrySession
from pantry.services import collections
from referrals.models import Referral
from stockport_hubs.accounts.models import User
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.weeks import london_date

KEY_REUSED = "This form was already used to record something else, so nothing was recorded. Go back and start again."


def person_of(membership: Membership) -> CareLeaver | None:
    """The young person an introduction ties to this membership, while they live."""
    tie = Referral.objects.filter(membership=membership).select_related("care_leaver").first()
    return tie.care_leaver if tie and not tie.care_leaver.has_died else None


def check_in_session(session: PantrySession, membership: Membership, *, by: User, said_at: datetime) -> None:
    """Refused unless this person may record something said at that moment in that session, about a member of the
    operator who has not left. What waited on a device was said earlier than it arrives: its day decides."""
    if by.organisation_id != session.pantry.operator_id:
        raise Refused("Only who works at the pantry records this.")
    collections.check_day(session, by=by, today=london_date(said_at))
    if membership.operator_id != session.pantry.operator_id:
        raise Refused("This member belongs to another organisation. Ask the pantry manager.")
    if membership.state == Membership.State.ENDED:
        raise Refused("This membership has ended. Nothing is recorded about it any more.")


def same_or_refuse(found, **body: UUID | str | bool | None) -> None:
    """The same key comes with the same body; anything else is refused."""
    if any(getattr(found, name) != value for name, value in body.items()):
        raise Refused(KEY_REUSED)
