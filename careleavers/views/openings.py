"""Open a colleague's young person with a reason; and who opened whose record."""

from datetime import timedelta

from django.contrib import messages
from django.db import transaction
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from careleavers.forms import OpenForm, OpeningFilter
from careleavers.models import RecordOpening
from careleavers.services import openings, sharing
from careleavers.views.doors import PER_PAGE, council
from careleavers.views.people import contact, facts
from stockport_hubs.accounts.models import Role
from stockport_hubs.accounts.permissions import get_or_404, roles
from stockport_hubs.audit import services as audit
from stockport_hubs.core import clock, needs
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.pages import Paginator

UNKNOWN = (
    "No record was opened: nobody here has this reference. Look at every sign of it in the case system, or ask a "
    "leaving care manager."
)


@roles(Role.PERSONAL_ADVISOR)
@transaction.atomic
def open_record(request):
    """Ask for an exact reference: the reason first, then what opening it means, and only then whether it is there."""
    now = clock.now()
    form = OpenForm(request.POST or None, cancel=reverse("careleavers:list"))
    context = {"form": form, "left": openings.left_today(request.user, now), "most_unknown": openings.MOST_UNKNOWN}
    if request.method == "POST" and form.is_valid():
        if "confirmed" not in request.POST:
            posted = [(name, form.cleaned_data[name]) for name in form.fields]
            return render(request, "careleavers/open_sure.html", {"form": form, "posted": posted})
        try:
            opening = openings.open_record(**form.cleaned_data, by=request.user, at=now)
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            if opening.care_leaver_id:
                return redirect("careleavers:opened", opening.pk)
            form.add_error("reference", UNKNOWN)
            context["left"] = openings.left_today(request.user, now)
    context["running"] = RecordOpening.objects.for_user(request.user).running(request.user, now)
    return render(request, "careleavers/open.html", context)


@roles(Role.PERSONAL_ADVISOR)
@require_safe
@transaction.atomic
def opened(request, opening_id):
    """What may be read of somebody else's young person, for 24 hours; there is nothing to change on it."""
    now, today = clock.now(), clock.today()
    mine = RecordOpening.objects.for_user(request.user).running(request.user, now).select_related("care_leaver")
    opening = get_or_404(mine, pk=opening_id)
    person = opening.care_leaver
    subjects = [(audit.CARE_LEAVER, person.pk)]
    audit.record("careleavers.record.read", at=now, by=request.user, target=opening, subjects=subjects)
    agreement = sharing.current(person, today)
    context = {
        "opening": opening,
        "person": person,
        "facts": facts(person, today),
        "contact": contact(person),
        "advisors": [row.advisor for row in person.allocations.in_force_on(today).select_related("advisor")],
        "agreement": agreement,
        "shared_items": [needs.words(item.kind, item.value) for item in agreement.items.all()] if agreement else [],
    }
    return render(request, "careleavers/opened.html", context)


@council
@require_safe
@transaction.atomic
def overview(request):
    """Who opened whose record, and why: for managers everybody's, for advisors that of their own young people."""
    user, now = request.user, clock.now()
    is_manager = user.role == Role.LEAVING_CARE_MANAGER
    found = RecordOpening.objects.for_user(user).select_related("advisor", "care_leaver")
    filters = OpeningFilter(request.GET) if is_manager else None
    stands_out = bool(filters and filters.is_valid() and filters.cleaned_data["show"])
    if stands_out:
        found = found.exclude(pattern="")
    if not is_manager:
        found = found.exclude(advisor=user)
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    subjects = [(audit.CARE_LEAVER, each.care_leaver_id) for each in page if each.care_leaver_id]
    if subjects:
        audit.record("careleavers.openings.viewed", at=now, by=user, subjects=subjects)
    context = {
        "page_obj": page,
        "rows": [{"opening": each, "is_running": each.is_running(now)} for each in page],
        "filters": filters,
        "is_manager": is_manager,
        "is_filtered": stands_out,
        "many_a_day": openings.MANY_A_DAY,
        "many_people": openings.MANY_PEOPLE,
        "weeks": openings.LOOKED_BACK // timedelta(days=7),
        "most_unknown": openings.MOST_UNKNOWN,
    }
    return render(request, "careleavers/openings.html", context)


@council
@require_POST
@transaction.atomic
def close(request, opening_id):
    """End it before its 24 hours are over."""
    opening = get_or_404(RecordOpening.objects.for_user(request.user).exclude(until_at=None), pk=opening_id)
    try:
        openings.close_record(opening=opening, by=request.user, at=clock.now())
        messages.success(request, "The record is closed again.")
    except Refused as refusal:
        messages.error(request, str(refusal))
    is_manager = request.user.role == Role.LEAVING_CARE_MANAGER
    return redirect("careleavers:openings" if is_manager else "careleavers:open")
