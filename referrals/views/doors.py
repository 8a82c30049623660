"""What the pages of an introduction share: the one way in, and the audit row of every view."""

from django.urls import reverse

from careleavers.models import CareLeaver
from referrals.models import Referral
from stockport_hubs.accounts.models import Role
from stockport_hubs.audit import services as audit
from stockport_hubs.core import clock

COUNCIL = (Role.PERSONAL_ADVISOR, Role.LEAVING_CARE_MANAGER)


def mine(request):
    """Introductions this person may open, with what a page reads."""
    return Referral.objects.for_user(request.user).select_related(
        "care_leaver", "sharing", "pantry__operator", "agreement", "made_by", "membership"
    )


def viewed(request, person: CareLeaver, referral: Referral | None = None) -> None:
    """Write who saw this person, in the transaction of the page."""
    audit.record(
        "referrals.referral.viewed" if referral else "careleavers.person.viewed",
        at=clock.now(),
        by=request.user,
        target=referral or person,
        subjects=[(audit.CARE_LEAVER, person.pk)],
    )


def page(referral: Referral) -> str:
    """The young person's page, where everything about a member begins and ends."""
    return reverse("careleavers:detail", args=[referral.care_leaver_id])


def posted(request) -> list[tuple[str, str]]:
    """What was typed, to be sent once more with a yes."""
    left_out = ("csrfmiddlewaretoken", "save", "confirmed")
    return [(name, value) for name, values in request.POST.lists() if name not in left_out for value in values]
