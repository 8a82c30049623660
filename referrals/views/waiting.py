"""The waiting lists, to each side what it may see."""

from django.db import transaction
from django.shortcuts import render
from django.views.decorators.http import require_safe

from pantry import directory
from referrals import facts, waiting
from referrals.models import Referral
from referrals.views.doors import COUNCIL
from stockport_hubs.accounts.models import Role
from stockport_hubs.accounts.permissions import roles
from stockport_hubs.audit import services as audit
from stockport_hubs.core import clock
from stockport_hubs.core.pages import Paginator

PAGE = 25


@require_safe
@roles(*COUNCIL, Role.PANTRY_MANAGER)
@transaction.atomic
def waiting_lists(request):
    """Who waits for a place, by pantry and in line, with the reason; for pantry managers how much room there is."""
    user, today = request.user, clock.today()
    found = waiting.in_line(Referral.objects.for_user(user)).select_related("care_leaver", "pantry")
    if not user.is_council:
        found = found.prefetch_related("care_leaver__sharing_agreements")
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    shown = list(page)
    if shown:
        subjects = [(audit.CARE_LEAVER, each.care_leaver_id) for each in shown]
        audit.record("referrals.referral.listed", at=clock.now(), by=user, subjects=subjects)
    how = waiting.waits(shown)
    pantries = {} if user.is_council else {each.pantry_id: each.goes_to for each in shown}
    room = {each.pantry.pk: each for each in directory.with_members(pantries.values())}
    rows = [
        {
            "referral": each if user.is_council else facts.row_for_pantry(each, today),
            "pantry": each.goes_to,
            "room": room.get(each.pantry_id),
            "how": how[each.pk],
        }
        for each in shown
    ]
    return render(request, "referrals/waiting.html", {"page_obj": page, "rows": rows, "is_council": user.is_council})
