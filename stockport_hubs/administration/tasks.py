"""The e-mail that carries an invitation; its link is made at the moment of sending (services.py says why)."""

from django.conf import settings
from django.urls import reverse

from stockport_hubs.accounts.models import Invitation, User
from stockport_hubs.administration import services
from stockport_hubs.core import clock
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


notifications.kind("administration.invitation", render=render, may_send=may_send, to_inactive=True)
