"""Accounts: invite, join, correct, move, deactivate, reactivate; organisations. Each writes its audit row.

The token of an invitation is derived from the invitation's id and SECRET_KEY, and only its SHA-256 is kept. So the link
an e-mail needs is made again at the moment of sending, nothing that opens an account lies in the database or in a
message, and whoever reads a copy of the database cannot make a link.
"""

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.db import transaction
from django.db.models import Q
from django.urls import reverse
from django.utils.crypto import salted_hmac

from stockport_hubs.accounts.models import Invitation, Organisation, Role, User, organisation_kind
from stockport_hubs.audit import services as audit
from stockport_hubs.core.errors import Refused
from stockport_hubs.notifications import services as notifications

VALID_FOR = timedelta(days=14)
NAME_TELLS = "Volunteers read this name, and it holds words they must not read. Enter it another way."


class NameRefused(Refused):
    """What somebody would be called cannot be shown where people of their role are named."""


# By role: whether a name tells what is not to be told there. Apps above add theirs.
NAME_TELLS_TOO_MUCH: dict[str, Callable[[str], bool]] = {}


def check_name(name: str, role: str) -> None:
    """Refused with a sentence that does not spell out what was found."""
    if (tells := NAME_TELLS_TOO_MUCH.get(role)) and tells(name):
        raise NameRefused(NAME_TELLS)


def token_of(invitation: Invitation) -> str:
    """The secret part of the link; 256 bits that only holders of SECRET_KEY can make."""
    return salted_hmac("administration.invitation", str(invitation.pk), algorithm="sha256").hexdigest()


def hash_of(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def check_can_invite(by: User, *, role: str, organisation: Organisation) -> None:
    """Administrators invite anyone; pantry managers volunteers of their own organisation; others nobody."""
    if by.role == Role.ADMINISTRATOR:
        return
    if by.role == Role.PANTRY_MANAGER and role == Role.PANTRY_VOLUNTEER and organisation.pk == by.organisation_id:
        return
    raise Refused("You can invite volunteers of your own organisation only. Ask an administrator to invite others.")


@transaction.atomic
def invite(
    *,
    email: str,
    name: str,
    role: str,
    organisation: Organisation,
    by: User | None = None,
    job: str = "",
    at: datetime,
    work_phone: str = "",
) -> tuple[User, str]:
    """Make the inactive account and its one open invitation; (account, path of the link).

    Invited by a person: an e-mail carries the link. By a command: the command prints it, and no e-mail goes.
    """
    email = User.objects.normalize_email(email).strip().lower()
    if organisation_kind(role) != organisation.kind:
        kind = Organisation.Kind(organisation_kind(role)).label.lower()
        raise Refused(f"{Role(role).label} is a role of a {kind}. {organisation.name} is not one: choose another.")
    if by is not None:
        check_can_invite(by, role=role, organisation=organisation)
    user = User.objects.select_for_update().filter(email=email).first()
    if user is None:
        check_name(name, role)
        user = User.objects.create(
            email=email, name=name, role=role, organisation=organisation, invited_at=at, work_phone=work_phone
        )
        user.set_unusable_password()
        user.save(update_fields=["password"])
    elif user.deactivated_at:
        raise Refused("This address belongs to a deactivated account. Reactivate that account instead.")
    elif user.joined_at:
        raise Refused("This address already has an account. The person can sign in, or set a new password there.")
    elif (user.role, user.organisation_id) != (role, organisation.pk):
        raise Refused(
            f"This address is already invited as {Role(user.role).label.lower()} at {user.organisation.name}. "
            "Open that account to send the invitation again, or to correct it."
        )
    return user, _open_invitation(user, by=by, job=job, at=at)


@transaction.atomic
def invite_again(*, user: User, by: User, at: datetime) -> str:
    """Withdraw the open invitation and send a new one; the path of the link."""
    user = User.objects.select_for_update().get(pk=user.pk)
    check_can_invite(by, role=user.role, organisation=user.organisation)
    if user.deactivated_at:
        raise Refused("This account is deactivated. Reactivate it before sending an invitation.")
    if user.joined_at:
        raise Refused(f"{user.name} has already joined. The person can sign in, or set a new password there.")
    return _open_invitation(user, by=by, job="", at=at)


def _open_invitation(user: User, *, by: User | None, job: str, at: datetime) -> str:
    _withdraw(user, at=at)
    invitation = Invitation(user=user, invited_by=by, created_at=at, expires_at=at + VALID_FOR)
    token = token_of(invitation)
    invitation.token_hash = hash_of(token)
    invitation.save()
    audit.record("administration.account.invited", at=at, by=by, job=job, target=user, detail={"role": user.role})
    if by is not None:
        ids = {"invitation": str(invitation.pk)}
        notifications.send("administration.invitation", to=user, key=f"invitation:{invitation.pk}", ids=ids, at=at)
    return reverse("accounts:join", args=[token])


@transaction.atomic
def withdraw_invitation(*, user: User, by: User, at: datetime) -> None:
    """The open link stops working; the account stays, so that a new invitation can be sent."""
    user = User.objects.select_for_update().get(pk=user.pk)
    if not _withdraw(user, at=at):
        raise Refused(f"{user.name} has no open invitation. There is nothing to withdraw.")
    audit.record("administration.invitation.withdrawn", at=at, by=by, target=user)


def _withdraw(user: User, *, at: datetime) -> int:
    return user.invitations.filter(used_at=None, withdrawn_at=None).update(withdrawn_at=at)


def find_invitation(token: str) -> Invitation | None:
    """The invitation a link belongs to, whatever its state."""
    return Invitation.objects.select_related("user__organisation").filter(token_hash=hash_of(token)).first()


def why_not(invitation: Invitation | None, *, at: datetime) -> str:
    """Why a link cannot be used, in a sentence; empty when it can."""
    if invitation is None:
        return "We do not know this link. Copy the whole link from the invitation and try again."
    if invitation.used_at:
        return "This invitation has been used. Sign in with your email address and the password you chose."
    if invitation.withdrawn_at or invitation.user.deactivated_at:
        return "This invitation has been withdrawn. If there is a newer one, use that. If not, ask whoever invited you."
    if invitation.expires_at <= at:
        return "This invitation has run out: it was good for 14 days. Ask whoever invited you to send it again."
    return ""


@transaction.atomic
def join(*, invitation: Invitation, name: str, password: str, at: datetime) -> User:
    """Take up an invitation: the account becomes active under the invited address, which nobody can choose."""
    invitation = Invitation.objects.select_for_update().get(pk=invitation.pk)
    refusal = why_not(invitation, at=at)
    # Claim, then act: of two people with the same link one joins.
    if refusal or not Invitation.objects.filter(pk=invitation.pk, used_at=None, withdrawn_at=None).update(used_at=at):
        raise Refused(refusal or "This invitation has been used.")
    user = User.objects.select_for_update().get(pk=invitation.user_id)
    check_name(name, user.role)
    user.name, user.is_active, user.joined_at = name, True, at
    user.set_password(password)
    user.save(update_fields=["name", "is_active", "joined_at", "password"])
    EmailAddress.objects.update_or_create(user=user, email=user.email, defaults={"verified": True, "primary": True})
    audit.record("administration.account.joined", at=at, by=user, target=user)
    return user


@transaction.atomic
def correct(*, user: User, name: str, work_phone: str, by: User, at: datetime) -> User:
    """Change what an account is called and the work phone; e-mail, role and organisation stay as invited."""
    changed = [field for field, value in (("name", name), ("work_phone", work_phone)) if getattr(user, field) != value]
    if changed:
        check_name(name, user.role)
        user.name, user.work_phone = name, work_phone
        user.save(update_fields=changed)
        audit.record("administration.account.corrected", at=at, by=by, target=user, detail={"fields": changed})
    return user


def _still_administers(by: User) -> None:
    """Two administrators who end each other at the same moment: the second is refused, and one stays."""
    active = User.objects.select_for_update().filter(role=Role.ADMINISTRATOR, is_active=True).order_by("pk")
    if by.role == Role.ADMINISTRATOR and by.pk not in {each.pk for each in active}:
        raise Refused("Your own account has just been changed by another administrator. Nothing was done.")


def _end_access(user: User, *, at: datetime) -> list[str]:
    """Every session and every link for a new password ends with the next request; the fields to save."""
    user.access_changed_at = at
    return ["access_changed_at"]


@transaction.atomic
def move(*, user: User, role: str, organisation: Organisation, by: User, at: datetime) -> User:
    """Another role or organisation: sessions and links end, so that the next sign-in is one of the new role."""
    if by.role != Role.ADMINISTRATOR:
        raise Refused("Only an administrator changes roles. Ask one of them.")
    if user.pk == by.pk:
        raise Refused("You cannot change your own role. Ask another administrator to do it.")
    if organisation_kind(role) != organisation.kind:
        kind = Organisation.Kind(organisation_kind(role)).label.lower()
        raise Refused(f"{Role(role).label} is a role of a {kind}. {organisation.name} is not one: choose another.")
    _still_administers(by)
    user = User.objects.select_for_update().get(pk=user.pk)
    if user.email is None:
        raise Refused(f"{user.name} has no email address and records on a tablet only. Invite them by email instead.")
    if (user.role, user.organisation_id) == (role, organisation.pk):
        return user
    check_name(user.name, role)
    before = {"role": user.role, "organisation": str(user.organisation_id)}
    user.role, user.organisation = role, organisation
    user.save(update_fields=["role", "organisation", *_end_access(user, at=at)])
    after = {"role": role, "organisation": str(organisation.pk)}
    audit.record("administration.account.moved", at=at, by=by, target=user, detail={"from": before, "to": after})
    return user


@transaction.atomic
def deactivate(*, user: User, by: User, at: datetime) -> None:
    """End an account at once: no sign-in, sessions and links over, open invitations withdrawn. Its rows stay."""
    if user.pk == by.pk:
        raise Refused("You cannot deactivate your own account. Ask another administrator to do it.")
    _still_administers(by)
    user = User.objects.select_for_update().get(pk=user.pk)
    if user.deactivated_at:
        raise Refused(f"{user.name} is already deactivated.")
    user.is_active, user.deactivated_at = False, at
    user.save(update_fields=["is_active", "deactivated_at", *_end_access(user, at=at)])
    _withdraw(user, at=at)
    audit.record("administration.account.deactivated", at=at, by=by, target=user)


def second_steps(user: User) -> set[str]:
    """totp, webauthn, recovery_codes: what this account has."""
    return set(Authenticator.objects.filter(user=user).values_list("type", flat=True))


@transaction.atomic
def reset_second_step(*, user: User, by: User, at: datetime) -> None:
    """Somebody has lost their phone: app, passkeys and recovery codes go, sessions end, the person is told."""
    if user.pk == by.pk:
        raise Refused("You cannot reset your own second step. Change it on the page Your account.")
    user = User.objects.select_for_update().get(pk=user.pk)
    if not second_steps(user):
        raise Refused(f"{user.name} has no second step. There is nothing to reset.")
    Authenticator.objects.filter(user=user).delete()
    user.save(update_fields=_end_access(user, at=at))
    tell_sign_in_changed(user=user, what="second_step_reset", by=by, at=at)


@transaction.atomic
def tell_sign_in_changed(*, user: User, what: str, by: User, at: datetime) -> None:
    """`what` of tasks.NOTICES has happened to the way somebody signs in: an audit row, and an e-mail to them."""
    event = audit.record("administration.sign_in.changed", at=at, by=by, target=user, detail={"what": what})
    ids = {"what": what, "event": str(event.pk)}
    notifications.send("administration.sign_in_changed", to=user, key=f"sign-in:{event.pk}", ids=ids, at=at)


@transaction.atomic
def reactivate(*, user: User, by: User, at: datetime) -> None:
    """Let a deactivated account in again; someone who never joined gets a new invitation."""
    user = User.objects.select_for_update().get(pk=user.pk)
    if not user.deactivated_at:
        raise Refused(f"{user.name} is not deactivated.")
    user.deactivated_at, user.is_active = None, user.joined_at is not None
    user.save(update_fields=["is_active", "deactivated_at", *_end_access(user, at=at)])
    audit.record("administration.account.reactivated", at=at, by=by, target=user)
    if user.joined_at is None:
        _open_invitation(user, by=by, job="", at=at)


@transaction.atomic
def add_organisation(
    *, name: str, kind: str, by: User | None = None, job: str = "", at: datetime, is_sample: bool = False
) -> Organisation:
    """A council or a pantry operator; names are unique whatever their capitals."""
    name = " ".join(name.split())
    if Organisation.objects.filter(Q(name__iexact=name)).exists():
        raise Refused(f"There is already an organisation called {name}.")
    organisation = Organisation.objects.create(name=name, kind=kind, is_sample=is_sample)
    audit.record("administration.organisation.added", at=at, by=by, job=job, target=organisation)
    return organisation
