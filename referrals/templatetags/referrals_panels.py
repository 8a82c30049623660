"""Panels of introductions for other apps' pages: {% load referrals_panels %}."""

from django import template

from careleavers.models import CareLeaver
from pantry.models import Membership
from referrals import agreed, attendance, services
from referrals.models import CommunityLink, Referral, WalkIn
from referrals.services import volunteering, walk_ins
from stockport_hubs.accounts.models import Role, User
from stockport_hubs.core import clock
from stockport_hubs.core.errors import Refused

register = template.Library()
LINKS = 10  # shown on a person's page


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
        "is_agreed": latest is not None and latest.state in agreed.SHOWN,
        "attendance": attendance.of(latest, clock.today()) if latest and membership else None,
        "can_act": membership is not None and membership.state != Membership.State.ENDED,
        "can_start": can_start,
        "why_not": why_not,
    }


@register.inclusion_tag("referrals/panel_opened.html")
def opened_referral_panel(care_leaver: CareLeaver) -> dict:
    """The same without anything to do, for a colleague who opened the record with a reason: the page has asked."""
    latest = (
        Referral.objects.filter(care_leaver=care_leaver)
        .select_related("pantry", "membership")
        .order_by("-number")
        .first()
    )
    shown = latest is not None and latest.membership is not None
    return {"referral": latest, "attendance": attendance.of(latest, clock.today()) if shown and latest else None}


@register.inclusion_tag("referrals/walk_in_panel.html")
def walk_in_panel(member: Membership, user: User) -> dict:
    """For the pantry manager's page of a member nobody pays for: show them to a council, or what came of it."""
    if user.role != Role.PANTRY_MANAGER or member.agreement_id or member.state == Membership.State.ENDED:
        return {"shown": False}
    last = WalkIn.objects.for_user(user).filter(membership=member).select_related("council").last()
    waits = last is not None and last.state == WalkIn.State.WAITING
    can_show = not waits and walk_ins.councils_for(member, clock.today()).exists()
    return {"shown": True, "member": member, "last": last, "waits": waits, "can_show": can_show}


@register.inclusion_tag("referrals/community_panel.html")
def community_panel(care_leaver: CareLeaver, user: User) -> dict:
    """Onward links, the latest first, and how far somebody is with volunteering; the page writes the audit row."""
    found = CommunityLink.objects.for_user(user).filter(care_leaver=care_leaver).select_related("entry")
    links = list(found.exclude(state=CommunityLink.State.TAKEN_BACK).order_by("-offered_on", "pk")[: LINKS + 1])
    return {
        "person": care_leaver,
        "links": links[:LINKS],
        "more": len(links) > LINKS,
        "offer": volunteering.of(care_leaver),
    }
