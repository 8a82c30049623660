"""The neutral facts a membership goes by, set from outside: what is shared, until when it is funded, what holds it."""

from collections.abc import Iterable
from datetime import date, datetime

from django.db import transaction

from pantry import wording
from pantry.models import Membership, SharedNeed
from pantry.services import blocks
from stockport_hubs.accounts.models import User
from stockport_hubs.audit import services as audit
from stockport_hubs.core.errors import Refused


@transaction.atomic
def share(
    *,
    membership: Membership,
    preferred_name: str,
    needs: Iterable[tuple[str, str]],
    at: datetime,
    by: User | None = None,
    job: str = "",
) -> Membership:
    """What the member shares from now on: the name (blank: number only) and (kind, value) needs, nothing besides."""
    membership = blocks.locked(membership.pk)
    wording.refuse_forbidden(preferred_name)
    membership.preferred_name = preferred_name
    membership.save(update_fields=["preferred_name"])
    membership.needs.all().delete()
    SharedNeed.objects.bulk_create(
        SharedNeed(membership=membership, kind=kind, value=value) for kind, value in dict.fromkeys(needs)
    )
    _record("pantry.membership.shared", membership, by, job, at)
    return membership


@transaction.atomic
def flag_renewal(*, membership: Membership, stop: bool, by: User, at: datetime) -> Membership:
    """Hold the next renewal for a manager, or no longer; a renewal that is held already stays with its manager."""
    membership = blocks.locked(membership.pk)
    if membership.state == Membership.State.ENDED:
        raise Refused(f"{membership} left on {membership.ended_on:%-d %B %Y}. Nothing is renewed any more.")
    membership.stop_renewal = stop
    membership.save(update_fields=["stop_renewal"])
    _record("pantry.membership.renewal_flagged" if stop else "pantry.membership.flag_removed", membership, by, "", at)
    return membership


@transaction.atomic
def fund_until(
    *, membership: Membership, day: date | None, at: datetime, by: User | None = None, job: str = ""
) -> Membership:
    """The last funded day: a block that runs past it is not renewed by itself."""
    membership = blocks.locked(membership.pk)
    membership.funded_until = day
    membership.save(update_fields=["funded_until"])
    _record("pantry.membership.funded_until_set", membership, by, job, at)
    return membership


@transaction.atomic
def not_died(*, membership: Membership, by: User, at: datetime) -> Membership:
    """The death was recorded by mistake. What was credited stays credited, and the membership stays ended: it counts as
    left, so that the member can join anew."""
    membership = blocks.locked(membership.pk)
    if membership.end_reason != Membership.EndReason.DIED:
        raise Refused(f"{membership} did not end by a death.")
    membership.end_reason = Membership.EndReason.LEFT
    membership.save(update_fields=["end_reason"])
    _record("pantry.membership.end_corrected", membership, by, "", at)
    return membership


def _record(verb: str, membership: Membership, by: User | None, job: str, at: datetime) -> None:
    audit.record(verb, at=at, by=by, job=job, target=membership, subjects=[(audit.MEMBERSHIP, membership.pk)])
