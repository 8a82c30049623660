"""The e-mail to someone a pack was given to: a link behind the sign-in, and nothing of what the pack says."""

from django.conf import settings
from django.urls import reverse

from reviews.models import PackRecipient, ReviewPack
from stockport_hubs.accounts.models import User
from stockport_hubs.notifications import services as notifications

GIVEN, SUBJECT = "reviews.pack_given", "A review pack to read"


def tell(recipient: PackRecipient) -> None:
    """Write the message in the caller's transaction; whoever is given it again is told again."""
    ids = {"recipient": str(recipient.pk)}
    notifications.send(GIVEN, to=recipient.user, key=f"{GIVEN}:{recipient.pk}", ids=ids, at=recipient.chosen_at)


def _render(ids: dict, to: User) -> tuple[str, str]:
    pack = PackRecipient.objects.values_list("pack", flat=True).get(pk=ids["recipient"])
    link = f"{settings.SITE_URL}{reverse('reviews:pack', args=[pack])}"
    return SUBJECT, f"You have been given a review pack to read.\n\nSign in to read it:\n{link}\n"


def _may_send(ids: dict, to: User) -> str | None:
    row = PackRecipient.objects.select_for_update(of=("self",)).get(pk=ids["recipient"])
    if row.withdrawn_at:
        return "The pack has been taken back."
    if not ReviewPack.objects.for_user(to).filter(pk=row.pack_id).exists():
        return "The pack is not theirs to read."
    return None


def register() -> None:
    """Called once, with the tasks."""
    notifications.kind(GIVEN, render=_render, may_send=_may_send, label=SUBJECT)
