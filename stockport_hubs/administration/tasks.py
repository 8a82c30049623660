"""E-mails about accounts. Links are made at the moment of sending (services.py says why)."""

from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.contrib.sessions.models import Session
from django.urls import reverse
from django.utils import timezone

from stockport_hubs.accounts import drafts, guesses
from stockport_hubs.accounts.models import Invitation, User
from stockport_hubs.accounts.tokens import ResetTokens
from stockport_hubs.administration import services
from stockport_hubs.core import clock
from stockport_hubs.jobs.services import Work, handler
from stockport_hubs.notifications import services as notifications


def _invitation(ids: dict) -> Invitation:
    return Invitation.objects.select_related("user").get(pk=ids["invitation"])


def may_send(ids: dict, to: User) -> str | None:
    """None, or why the link would be of no use."""
    invitation = _invitation(ids)
    if services.why_not(invitation, at=clock.now()):
        return "The invitation is used, withdrawn or has run out."
    if services.hash_of(services.token_of(invitation)) != invitation.token_hash:
        return "SECRET_KEY has changed since the invitation; send it again."
    return None


def render(ids: dict, to: User) -> tuple[str, str]:
    """(subject, text) with the link."""
    invitation = _invitation(ids)
    link = settings.SITE_URL + reverse("accounts:join", args=[services.token_of(invitation)])
    return "Your invitation to Stockport Hubs", (
        f"Hello {to.name},\n\n"
        "You are invited to Stockport Hubs. Open this link to choose a password and sign in:\n\n"
        f"{link}\n\n"
        "The link works once, for 14 days. It is for you alone: do not pass it on.\n"
        "If you did not expect this, you can ignore it.\n"
    )


notifications.kind(
    "administration.invitation", render=render, may_send=may_send, to_inactive=True, label="An invitation"
)


# -- a link for a new password -----------------------------------------------------------------------------------------


@handler("administration.password_link", seconds=30)
def password_link(work: Work) -> None:
    """Somebody asked for a new password; the job is written whether there is such an account or not."""
    user = User.objects.filter(pk=work.ids["user"], is_active=True).first() if work.ids["user"] else None
    if user:
        key = f"password-link:{work.job.pk}"
        notifications.send("administration.password_link", to=user, key=key, ids={}, at=clock.now())


def render_password_link(ids: dict, to: User) -> tuple[str, str]:
    """(subject, text) with the link, at the site's own address."""
    uid, key = user_pk_to_url_str(to), ResetTokens().make_token(to)
    path = reverse("account_reset_password_from_key", kwargs={"uidb36": uid, "key": key})
    return "A new password for Stockport Hubs", (
        "Somebody, probably you, asked for a new password for this address. Open this link to choose one:\n\n"
        f"{settings.SITE_URL}{path}\n\n"
        "The link works once, for an hour. If you did not ask for it, you can ignore this: your password stays as it "
        "is.\n"
    )


notifications.kind(
    "administration.password_link", render=render_password_link, may_send=lambda ids, to: None, label="A new password"
)

# -- something about signing in has changed ----------------------------------------------------------------------------

NOTICES = {
    "password_changed": "Your password was changed.",
    "password_reset": "A new password was chosen with a link from an e-mail.",
    "password_set": "A password was set.",
    "totp_activated": "A code from an app was set up as the second step.",
    "totp_deactivated": "The code from an app was removed as the second step.",
    "webauthn_added": "A passkey was added.",
    "webauthn_removed": "A passkey was removed.",
    "recovery_codes_generated": "New recovery codes were made; the old ones no longer work.",
    "second_step_reset": "An administrator removed your second step. You may be asked to set up a new one.",
}


def render_notice(ids: dict, to: User) -> tuple[str, str]:
    """(subject, text): what has changed, and what to do if it was somebody else."""
    return "Your way to sign in to Stockport Hubs has changed", (
        f"Hello {to.name},\n\n"
        f"{NOTICES[ids['what']]}\n\n"
        "If that was you, or you asked for it, there is nothing to do. If not, tell the person who looks after "
        "accounts in your organisation at once.\n"
    )


notifications.kind(
    "administration.sign_in_changed", render=render_notice, may_send=lambda ids, to: None, label="A change of sign-in"
)


@handler("administration.tidy", seconds=60, every_minutes=60)
def tidy(work: Work) -> None:
    """Delete what is over: sessions, counts of wrong passwords, drafts."""
    Session.objects.filter(expire_date__lt=timezone.now()).delete()
    guesses.forget_old()
    drafts.forget_old()
