"""Members brought in by an opening position: which young person each of them is.

They came under their number alone. The council pays for them, so it may see their number; nobody else's people.
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, Prefetch, QuerySet

from careleavers.models import CareLeaver
from pantry.models import BlockSource, Membership, Place, PrepaidBlock, Proposal
from referrals.models import Referral
from referrals.services import agreements
from referrals.services.walk_ins import accepted, introduced
from stockport_hubs.accounts.models import User
from stockport_hubs.audit import services as audit
from stockport_hubs.core.errors import Refused


def untied(user: User) -> QuerySet[Membership]:
    """The running memberships that an opening position of the user's council brought in and that are no introduction's
    yet, by number, each with its open place."""
    brought = PrepaidBlock.objects.filter(membership=OuterRef("pk"), source=BlockSource.OPENING)
    theirs = Referral.objects.filter(membership=OuterRef("pk"))
    found = Membership.objects.filter(agreement__funder=user.organisation_id).exclude(state=Membership.State.ENDED)
    here = Prefetch("places", Place.objects.filter(to_week__isnull=True).select_related("pantry"))
    return found.filter(Exists(brought), ~Exists(theirs)).order_by("number", "pk").prefetch_related(here)


def references(memberships: Iterable[Membership]) -> dict[UUID, str]:
    """What the council's spreadsheet called each of them. One query."""
    wanted = {(member.agreement_id, member.number): member.pk for member in memberships}
    approved = Proposal.objects.filter(
        kind=Proposal.Kind.OPENING, state=Proposal.State.APPROVED, agreement__in={key for key, _ in wanted}
    )
    return {
        wanted[agreement, row["number"]]: row["reference"]
        for agreement, details in approved.values_list("agreement", "details")
        for row in details["rows"]
        if (agreement, row["number"]) in wanted
    }


@transaction.atomic
def tie(*, membership: Membership, care_leaver: CareLeaver, by: User, at: datetime, why: str = "") -> Referral:
    """This member is that young person: an introduction that is accepted at once. Nothing is bought; the pantry then
    knows what the agreement to share holds, and nothing else."""
    rows = Membership.objects.select_for_update(of=("self",), no_key=True).select_related("agreement")
    membership = rows.get(pk=membership.pk)
    if membership.state == Membership.State.ENDED:
        raise Refused(f"{membership} has ended meanwhile, so there is nobody to name.")
    if membership.agreement is None or Referral.objects.filter(membership=membership).exists():
        raise Refused(f"Somebody has said already who member {membership.number} is. Look at the list again.")
    if care_leaver.council_id != membership.agreement.funder_id:
        raise Refused("This young person is another council’s.")
    referral = introduced(
        membership=membership, care_leaver=care_leaver, agreement=membership.agreement, why=why, by=by, at=at
    )
    accepted(referral, membership, answered_by=by, by=by, at=at)
    agreements.follow(care_leaver=care_leaver, by=by, at=at)
    subjects = [(audit.MEMBERSHIP, membership.pk), (audit.CARE_LEAVER, care_leaver.pk)]
    audit.record("referrals.cut_over.tied", at=at, by=by, target=referral, subjects=subjects)
    return referral
