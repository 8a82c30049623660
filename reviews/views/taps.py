"""A volunteer's tap on what stands in a member's way; nothing of it is ever shown to a pantry."""

from django.contrib import messages
from django.db import transaction
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from referrals.views.hall import AT_PANTRIES, member_or_404, page_of
from reviews.forms.taps import TapForm
from reviews.services import taps
from stockport_hubs.accounts.permissions import roles
from stockport_hubs.audit import services as audit
from stockport_hubs.core import clock
from stockport_hubs.core.errors import Refused


@roles(*AT_PANTRIES)
@require_http_methods(["GET", "HEAD", "POST"])
def tap(request, session_id, membership_id):
    """Choose a category."""
    shown, found = member_or_404(request, session_id, membership_id)
    back = page_of(shown, found)
    form = TapForm(request.POST or None, cancel=back)
    if request.method == "POST" and form.is_valid():
        try:
            taps.tap(membership=found, session=shown, **form.cleaned_data, by=request.user, at=clock.now())
        except Refused as why:
            form.add_error("category", str(why))
        else:
            messages.success(request, "Recorded. It is not shown here again.")
            return redirect(back)
    with transaction.atomic():
        subjects = [(audit.MEMBERSHIP, found.pk)]
        audit.record("pantry.session.viewed", at=clock.now(), by=request.user, target=shown, subjects=subjects)
        return render(request, "reviews/tap.html", {"session": shown, "member": found, "back": back, "form": form})
