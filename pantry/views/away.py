"""A member says until when they are away; recorded in a session or on the pantry manager's page of the member."""

from django.contrib import messages
from django.db import transaction
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from pantry import roster
from pantry.forms.away import AwayForm
from pantry.models import Away, Membership
from pantry.services import away as services
from pantry.views.members import fetch, viewed
from pantry.views.sessions import session_or_404
from stockport_hubs.accounts.models import Role
from stockport_hubs.accounts.permissions import get_or_404, roles
from stockport_hubs.core import clock, weeks
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.keys import uuid_or_none

AT_PANTRIES = (Role.PANTRY_VOLUNTEER, Role.PANTRY_MANAGER)
asks = require_http_methods(["GET", "HEAD", "POST"])


@roles(*AT_PANTRIES)
@asks
def away(request, session_id, membership_id):
    """From a session."""
    shown = session_or_404(request, session_id)
    member = get_or_404(roster.of_operator(shown), pk=membership_id)
    return _ask(request, member, reverse("hall:member", args=[shown.pk, member.pk]))


@roles(Role.PANTRY_MANAGER)
@asks
def member_away(request, membership_id):
    """From the member's page."""
    member = fetch(request, membership_id)
    return _ask(request, member, reverse("pantry:member", args=[member.pk]))


def _ask(request, member: Membership, back: str):
    form = AwayForm(request.POST or None, cancel=back)
    if request.method == "POST" and form.is_valid():
        try:
            said = services.tell(membership=member, **form.cleaned_data, by=request.user, at=clock.now())
        except Refused as why:
            form.add_error("until_on", str(why))
        else:
            messages.success(request, f"Recorded: {member.number} is away until {weeks.spoken(said.until_on)}.")
            return redirect(back)
    with transaction.atomic():
        viewed(request, "pantry.member.viewed", [member], target=member)
        context = {"member": member, "back": back, "form": form, "away": services.of(member, clock.today())}
        return render(request, "pantry/away.html", context)


@roles(*AT_PANTRIES)
@require_POST
def away_take_back(request, away_id):
    """Not away after all; `session`, where it was asked from a session's page, leads back there."""
    said = get_or_404(Away.objects.for_user(request.user).select_related("membership"), pk=away_id)
    try:
        services.take_back(away=said, by=request.user, at=clock.now())
    except Refused as why:
        messages.error(request, str(why))
    else:
        messages.success(request, f"Taken back: {said.membership.number} is not away.")
    if session := request.POST.get("session", ""):
        return redirect("hall:member", session_or_404(request, uuid_or_none(session)).pk, said.membership_id)
    if request.user.role == Role.PANTRY_VOLUNTEER:
        return redirect("pantry:today")
    return redirect("pantry:member", said.membership_id)
