"""Somebody in a hall is worried about someone and asks to be rung: who is told, and until when it stays on their homes.

No words are kept. The pantry's managers are told of every worry; of one about a young person of the scheme also the
advisor, whoever covers, and the leaving care managers. A volunteer is never told who that was.
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, Q
from django.urls import reverse

from careleavers.models import AdvisorAllocation, AdvisorCover
from pantry.models import Membership, PantrySession
from referrals.models import Referral, Worry
from referrals.services import hall
from stockport_hubs.accounts.models import Role, User
from stockport_hubs.audit import services as audit
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.weeks import LONDON, london_date
from stockport_hubs.notifications import services as notifications

KIND = "referrals.worry"


@transaction.atomic
def raise_worry(
    *,
    session: PantrySession,
    membership: Membership | None,
    key: UUID,
    by: User,
    at: datetime,
    asks_to_be_rung: bool = True,
) -> Worry:
    """Recorded and sent in one transaction; the same key is the same worry. A closed session is no reason to refuse:
    what waited on a device arrives late and is told all the same."""
    rows = PantrySession.objects.select_for_update(of=("self",), no_key=True).select_related("pantry")
    session = rows.get(pk=session.pk)  # locked: of two at once with one key the second finds the row
    member = membership.pk if membership else None
    if earlier := Worry.objects.filter(key=key).first():
        hall.same_or_refuse(earlier, membership_id=member, session_id=session.pk)
        return earlier
    if by.organisation_id != session.pantry.operator_id:
        raise Refused("Only who works at the pantry records this.")
    if membership and membership.operator_id != by.organisation_id:
        raise Refused("This member belongs to another organisation. Ask the pantry manager.")
    worry = Worry.objects.create(
        key=key,
        session=session,
        pantry=session.pantry,
        on=session.on,
        membership=membership,
        asks_to_be_rung=asks_to_be_rung,
        raised_at=at,
        raised_by=by,
    )
    for user in told_of(worry):
        notifications.send(KIND, to=user, key=f"{KIND}:{worry.pk}:{user.pk}", ids={"worry": str(worry.pk)}, at=at)
    audit.record("referrals.worry.raised", at=at, by=by, target=worry, subjects=_subjects(worry))
    return worry


def told_of(worry: Worry) -> Iterable[User]:
    """Whom it reaches: the operator's pantry managers; of a young person who advises or covers that day, and the
    council's leaving care managers."""
    wanted = Q(role=Role.PANTRY_MANAGER, organisation=worry.pantry.operator_id)
    tie = Referral.objects.filter(membership=worry.membership_id).select_related("care_leaver").first()
    if worry.membership_id and tie:
        on, person = london_date(worry.raised_at), tie.care_leaver
        theirs = {"care_leaver": person, "advisor": OuterRef("pk")}
        wanted |= Q(role=Role.LEAVING_CARE_MANAGER, organisation=person.council_id)
        wanted |= Q(Exists(AdvisorAllocation.objects.in_force_on(on).filter(**theirs)))
        wanted |= Q(Exists(AdvisorCover.objects.in_force_on(on).filter(**theirs)))
    return User.objects.filter(wanted, is_active=True).order_by("pk")


@transaction.atomic
def answer(*, worry: Worry, by: User, at: datetime) -> Worry:
    """Somebody has rung and looks after it; the first who says so, and it leaves everybody's home."""
    if by.role == Role.PANTRY_VOLUNTEER:
        raise Refused("Whoever rings back marks it as answered.")
    worry = Worry.objects.select_for_update(of=("self",)).select_related("answered_by").get(pk=worry.pk)
    if worry.answered_at and worry.answered_by:
        if worry.answered_by_id == by.pk:
            return worry
        when = worry.answered_at.astimezone(LONDON)
        raise Refused(f"{worry.answered_by.name} has answered this already, {when:%-d %B %Y, %H:%M}.")
    worry.answered_at, worry.answered_by = at, by
    worry.save(update_fields=["answered_at", "answered_by"])
    audit.record("referrals.worry.answered", at=at, by=by, target=worry, subjects=_subjects(worry))
    return worry


@transaction.atomic
def open_again(*, worry: Worry, by: User, at: datetime) -> Worry:
    """Marked by mistake: it is on everybody's home again."""
    worry = Worry.objects.select_for_update(of=("self",)).get(pk=worry.pk)
    if not worry.answered_at:
        return worry
    if worry.answered_by_id != by.pk:
        raise Refused("Whoever marked it as answered can open it again.")
    worry.answered_at = worry.answered_by = None
    worry.save(update_fields=["answered_at", "answered_by"])
    audit.record("referrals.worry.opened_again", at=at, by=by, target=worry, subjects=_subjects(worry))
    return worry


def _subjects(worry: Worry) -> list[tuple[str, UUID]]:
    return [(audit.MEMBERSHIP, worry.membership_id)] if worry.membership_id else []


def _render(ids: dict, to: User) -> tuple[str, str]:
    link = f"{settings.SITE_URL}{reverse('referrals:worries')}"
    return "Somebody at a pantry is worried about someone", (
        "A volunteer at a pantry is worried about someone and asks to be rung. Sign in to see where, and say when it "
        f"is answered:\n{link}\n"
    )


def _may_send(ids: dict, to: User) -> str | None:
    worry = Worry.objects.for_user(to).filter(pk=ids["worry"]).first()
    if worry is None:
        return "It is not theirs any more."
    return "It is answered." if worry.answered_at else None


def register() -> None:
    """Make the kind known; called once at start."""
    notifications.kind(KIND, render=_render, may_send=_may_send, label="Somebody at a pantry is worried")
