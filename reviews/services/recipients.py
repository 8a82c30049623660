"""Who a pack is given to by name: told by an e-mail that holds only a link, listed with when they opened it."""

from datetime import datetime

from django.db import transaction
from django.db.models import Q

from reviews import pack_messages
from reviews.models import GIVEN_ROLES, Audience, PackRecipient, ReviewPack
from stockport_hubs.accounts.models import Role, User, UserQuerySet
from stockport_hubs.audit import services as audit
from stockport_hubs.core.errors import Refused


def choices(*, pack: ReviewPack, by: User) -> UserQuerySet:
    """Accounts that `by` may give the pack to and has not: managers of whom it is for; the summary also to advisors and
    finance officers of the council. A pantry manager chooses among colleagues."""
    agreement = pack.meeting.agreement
    right = Q(role=Role.LEAVING_CARE_MANAGER, organisation=agreement.funder_id)
    if pack.audience == Audience.STOCKPORT_HOMES:
        right |= Q(role=Role.PANTRY_MANAGER, organisation=agreement.operator_id)
    if pack.audience == Audience.CORPORATE_PARENTS:
        right |= Q(role__in=GIVEN_ROLES, organisation=agreement.funder_id)
    if by.role == Role.PANTRY_MANAGER:
        right &= Q(organisation=by.organisation_id)
    elif by.role != Role.LEAVING_CARE_MANAGER:
        return User.objects.none()
    have = PackRecipient.objects.filter(pack=pack, withdrawn_at__isnull=True).values("user")
    return User.objects.filter(right, is_active=True).exclude(pk__in=have).exclude(pk=by.pk).order_by("name", "pk")


@transaction.atomic
def choose(*, pack: ReviewPack, user: User, by: User, at: datetime) -> PackRecipient:
    """Give the pack to someone; they get the e-mail."""
    if PackRecipient.objects.filter(pack=pack, user=user, withdrawn_at__isnull=True).exists():
        raise Refused(f"{user.name} has been given this edition already.")
    if not choices(pack=pack, by=by).filter(pk=user.pk).exists():
        raise Refused(f"This pack is not for {user.name}. Choose someone from the list.")
    row, made = PackRecipient.objects.get_or_create(
        pack=pack, user=user, withdrawn_at=None, defaults={"chosen_by": by, "chosen_at": at}
    )
    if made:
        pack_messages.tell(row)
        audit.record("reviews.pack.given", at=at, by=by, target=pack, detail={"to": str(user.pk)})
    return row


@transaction.atomic
def withdraw(*, recipient: PackRecipient, by: User, at: datetime) -> PackRecipient:
    """They are not to read it any more; an e-mail that has not gone stays."""
    row = PackRecipient.objects.select_for_update(of=("self",)).select_related("pack", "user").get(pk=recipient.pk)
    if row.withdrawn_at:
        raise Refused(f"The pack has been taken back from {row.user.name} already.")
    row.withdrawn_at, row.withdrawn_by = at, by
    row.save(update_fields=["withdrawn_at", "withdrawn_by"])
    audit.record("reviews.pack.taken_back", at=at, by=by, target=row.pack, detail={"from": str(row.user_id)})
    return row


def opened(*, pack: ReviewPack, by: User, at: datetime) -> None:
    """Remember when someone it was given to opened it first; call in the transaction that shows it."""
    waiting = PackRecipient.objects.filter(pack=pack, user=by, withdrawn_at__isnull=True, opened_at__isnull=True)
    waiting.update(opened_at=at)
