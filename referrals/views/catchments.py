"""Who lives nearest to which pantry, for the leaving care manager: where a pantry or more room is missing."""

from typing import Any

from django.db import transaction
from django.shortcuts import render
from django.views.decorators.http import require_safe

from careleavers.models import CareLeaver
from referrals import nearest, pantries
from stockport_hubs.accounts.models import Role
from stockport_hubs.accounts.permissions import roles
from stockport_hubs.audit import services as audit
from stockport_hubs.core import clock
from stockport_hubs.core.keys import uuid_or_none
from stockport_hubs.core.pages import Paginator

PAGE = 25


@require_safe
@roles(Role.LEAVING_CARE_MANAGER)
@transaction.atomic
def catchments(request):
    """Counts by pantry; `?pantry=` the people behind one of them, the nearest first."""
    user, today = request.user, clock.today()
    offered = [choice.pantry for choice in pantries.choices(user, today)]
    there = nearest.positions(offered)
    found = nearest.catchments(CareLeaver.objects.for_user(user).living(), there)
    key = uuid_or_none(request.GET.get("pantry", ""))
    chosen = next((pantry for pantry in offered if pantry.pk == key and key in there), None)
    context: dict[str, Any] = {
        "directory": found.directory,
        "found": found,
        "rows": [(pantry, len(found.nearest[pantry.pk]) if pantry.pk in there else None) for pantry in offered],
        "chosen": chosen,
    }
    if chosen:
        page = Paginator(found.nearest[chosen.pk], PAGE).get_page(request.GET.get("page"))
        people = CareLeaver.objects.for_user(user).in_bulk([person for _, person in page])
        if people:
            subjects = [(audit.CARE_LEAVER, person) for person in people]
            audit.record("careleavers.person.listed", at=clock.now(), by=user, subjects=subjects)
        context |= {"page_obj": page, "people": [(people[p], nearest.in_words(metres)) for metres, p in page]}
    return render(request, "referrals/catchments.html", context)
