"""Panels of introductions for other apps' pages: {% load referrals_panels %}."""

from django import template

from careleavers.models import CareLeaver
from referrals import attendance, services
from referrals.models import Referral
from stockport_hubs.accounts.models import Role, User
from stockport_hubs.core import clock
from stockport_hubs.core.errors import Refused

register = template.Library()


@register.inclusion_tag("referrals/panel.html")
def referral_panel(care_leaver: CareLeaver, user: User) -> dict:
    """The latest introduction of a person and what came of it; the page that shows it writes the audit row."""
    latest = (
        Referral.objects.for_user(user)
        .filter(care_leaver=care_leaver)
        .select_related("pantry", "membership")
        .order_by("-number")
        .first()
    )
    membership = latest.membership if latest else None
    can_start, why_not = user.role == Role.PERSONAL_ADVISOR, ""
    if can_start:
        try:
            services.check_can_start(care_leaver=care_leaver, at=clock.now())
        except Refused as refusal:
            # Something under way, or a running membership, is on the panel already.
            shown = latest is not None and (membership is not None or latest.is_under_way)
            can_start, why_not = False, "" if shown else str(refusal)
    return {
        "person": care_leaver,
        "referral": latest,
        "attendance": attendance.of(membership, clock.today()) if membership else None,
        "can_start": can_start,
        "why_not": why_not,
    }
