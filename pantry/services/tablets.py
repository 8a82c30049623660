"""Tablets of a hall: enrolled by the pantry manager on the tablet itself, taken out of use at once."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Q

from pantry import wording
from pantry.models import Pantry, PantrySession, Tablet
from pantry.services import sessions
from stockport_hubs.accounts.models import Role, User
from stockport_hubs.audit import services as audit
from stockport_hubs.core import weeks
from stockport_hubs.core.errors import Refused

SEEN_EVERY = timedelta(minutes=5)


def hash_of(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def check_manager(pantry: Pantry, by: User) -> None:
    """Tablets and PINs are the pantry manager's."""
    if by.role != Role.PANTRY_MANAGER or by.organisation_id != pantry.operator_id:
        raise Refused("The pantry manager looks after tablets and volunteers.")


@transaction.atomic
def enrol(*, pantry: Pantry, name: str, by: User, at: datetime) -> tuple[Tablet, str]:
    """(tablet, secret of its cookie, which is nowhere else)."""
    check_manager(pantry, by)
    name = wording.refuse_forbidden(" ".join(name.split()))
    if not name:
        raise Refused("Give the tablet a name, such as Blue tablet.")
    secret = secrets.token_urlsafe(32)
    tablet = Tablet(pantry=pantry, name=name, secret_hash=hash_of(secret), enrolled_at=at, enrolled_by=by)
    try:
        with transaction.atomic():
            tablet.save(force_insert=True)
    except IntegrityError:
        raise Refused(f"{pantry} has a tablet called {name} already. Choose another name, or take that one out of use.")
    audit.record("pantry.tablet.enrolled", at=at, by=by, target=tablet, detail={"pantry": str(pantry.pk)})
    return tablet, secret


@transaction.atomic
def revoke(*, tablet: Tablet, by: User, at: datetime) -> None:
    """From its next request on the tablet gets nothing more; what it still sends is held for the manager."""
    tablet = Tablet.objects.select_for_update(of=("self",)).select_related("pantry", "revoked_by").get(pk=tablet.pk)
    check_manager(tablet.pantry, by)
    if tablet.revoked_at and tablet.revoked_by:
        when = weeks.london_date(tablet.revoked_at)
        raise Refused(f"{tablet.revoked_by.get_short_name()} took {tablet} out of use on {when:%-d %B %Y}.")
    tablet.revoked_at, tablet.revoked_by = at, by
    tablet.save(update_fields=["revoked_at", "revoked_by"])
    audit.record("pantry.tablet.revoked", at=at, by=by, target=tablet, detail={"pantry": str(tablet.pantry_id)})


def find(secret: str) -> Tablet | None:
    """The tablet of a cookie, in use or not, with its pantry."""
    if not secret or len(secret) > 100:
        return None
    return Tablet.objects.select_related("pantry__operator").filter(secret_hash=hash_of(secret)).first()


def seen(tablet: Tablet, *, at: datetime) -> None:
    """When it was last heard of, for the manager's list."""
    long_ago = Q(seen_at__isnull=True) | Q(seen_at__lt=at - SEEN_EVERY)
    Tablet.objects.filter(long_ago, pk=tablet.pk).update(seen_at=at)


@dataclass(frozen=True)
class Opening:
    """A session as a tablet shows it."""

    session: PantrySession
    when: str  # now, next, last


def openings(pantry: Pantry, *, at: datetime) -> list[Opening]:
    """The day's sessions; the next one where none of them is still to close; the last one where the day has none."""
    local = at.astimezone(weeks.LONDON)
    on, hour = local.date(), local.time()
    of_day = [Opening(each, _when(each, hour)) for each in sessions.for_day(pantry=pantry, on=on)]
    found = sorted(of_day, key=lambda each: ("now", "next", "last").index(each.when))
    if all(each.when == "last" for each in found):
        [plan] = sessions.plans([pantry], on)
        if ahead := plan.next_opening(on):
            found += [Opening(each, "next") for each in sessions.for_day(pantry=pantry, on=ahead[0])]
    if not of_day:
        before = PantrySession.objects.filter(pantry=pantry, on__lt=on).order_by("-on", "-opens").first()
        found += [Opening(before, "last")] if before else []
    return found


def _when(session: PantrySession, hour: time) -> str:
    if hour < session.opens:
        return "next"
    return "now" if hour < session.closes else "last"
