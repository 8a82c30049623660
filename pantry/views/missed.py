"""Why a member's weeks were missed: read and recorded by the pantry manager alone."""

from django.contrib import messages
from django.db import transaction
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from pantry import members as shown
from pantry.forms.missed import MissedForm
from pantry.services import missed
from pantry.views.members import fetch, viewed
from stockport_hubs.accounts.models import Role
from stockport_hubs.accounts.permissions import roles
from stockport_hubs.core import clock
from stockport_hubs.core.errors import Refused


@roles(Role.PANTRY_MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
def member_missed(request, membership_id):
    """The missed weeks of the last 26, the latest first, with a reason each."""
    member = fetch(request, membership_id)
    back = reverse("pantry:member", args=[member.pk])
    mondays = sorted(shown.missed_weeks(member, clock.today()), reverse=True)
    said = dict(member.missed_weeks.filter(week__in=mondays).values_list("week", "reason"))
    form = MissedForm(request.POST or None, mondays=mondays, said=said, cancel=back)
    if request.method == "POST" and mondays and form.is_valid():
        try:
            missed.say(membership=member, reasons=form.reasons, by=request.user, at=clock.now())
        except Refused as why:
            form.add_error(None, str(why))
        else:
            messages.success(request, f"Saved why member {member.number} missed weeks.")
            return redirect(back)
    with transaction.atomic():
        viewed(request, "pantry.member.viewed", [member], target=member)
        context = {"member": member, "back": back, "form": form, "any": bool(mondays)}
        return render(request, "pantry/member_missed.html", context)
