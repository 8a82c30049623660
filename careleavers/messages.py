"""E-mails about who opened records: they name nobody."""

from django.conf import settings
from django.urls import reverse

from careleavers.models import RecordOpening
from careleavers.services.openings import STANDS_OUT
from stockport_hubs.accounts.models import User
from stockport_hubs.notifications import services as notifications

SUBJECT = "Somebody opened many records"


def _render(ids: dict, to: User) -> tuple[str, str]:
    link = f"{settings.SITE_URL}{reverse('careleavers:openings')}"
    return SUBJECT, (
        "What a personal advisor opened of other advisors’ young people stands out. Sign in to see who it was, whom "
        f"they opened and the reasons they gave:\n{link}\n"
    )


def _may_send(ids: dict, to: User) -> str | None:
    theirs = RecordOpening.objects.for_user(to).filter(pk=ids["opening"])
    return None if theirs.exists() else "They do not look after this council’s young people any more."


def register() -> None:
    """Make the kinds known; called once at start."""
    notifications.kind(STANDS_OUT, render=_render, may_send=_may_send, label=SUBJECT)
