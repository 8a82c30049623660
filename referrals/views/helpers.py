"""Members who would like to help: the pantry manager's list, and the steps of each."""

from django.contrib import messages
from django.db import transaction
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from pantry.models import Membership
from referrals.forms.hall import HelperForm, HelpersFilterForm
from referrals.models import Helper, HelpState
from referrals.services import helpers as services
from stockport_hubs.accounts.models import Role
from stockport_hubs.accounts.permissions import get_or_404, roles
from stockport_hubs.audit import services as audit
from stockport_hubs.core import clock
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.pages import Paginator

PAGE = 25
COLOURS = {"wished": "blue", "induction": "yellow", "volunteering": "green", "not_now": "grey", "stopped": "grey"}


@roles(Role.PANTRY_MANAGER)
@require_safe
@transaction.atomic
def helpers(request):
    """Who would like to help, the latest first; by state, name or number."""
    filters, query = HelpersFilterForm(request.GET), request.GET.get("q", "").strip()[:60]
    state = filters.cleaned_data.get("state", "") if filters.is_valid() else ""
    found = Helper.objects.for_user(request.user).exclude(state=HelpState.TAKEN_BACK)
    if state:
        found = found.filter(state=state)
    if query:
        found = found.filter(membership__in=Membership.objects.for_user(request.user).search(query).order_by())
    rows = found.select_related("membership", "pantry").order_by("-state_on", "pk")
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    subjects = [(audit.MEMBERSHIP, each.membership_id) for each in page]
    if subjects:
        audit.record("pantry.members.viewed", at=clock.now(), by=request.user, subjects=subjects)
    context = {
        "page_obj": page,
        "rows": [(each, COLOURS[each.state]) for each in page],
        "filters": filters,
        "query": query,
        "is_filtered": bool(query or state),
    }
    return render(request, "referrals/helpers.html", context)


@roles(Role.PANTRY_MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
@transaction.atomic
def helper(request, helper_id):
    """One member's steps, and the next."""
    shown = get_or_404(Helper.objects.for_user(request.user).select_related("membership", "pantry"), pk=helper_id)
    subjects = [(audit.MEMBERSHIP, shown.membership_id)]
    audit.record("pantry.member.viewed", at=clock.now(), by=request.user, target=shown.membership, subjects=subjects)
    back = reverse("referrals:helpers")
    form = HelperForm(request.POST or None, of=shown, cancel=back, initial={"on": clock.today()})
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                moved = services.move(helper=shown, **form.cleaned_data, by=request.user, at=clock.now())
        except Refused as why:
            form.add_error("on", str(why))
        else:
            messages.success(request, f"Recorded: {moved.get_state_display().lower()}.")
            return redirect(back)
    context = {
        "helper": shown,
        "colour": COLOURS.get(shown.state, "grey"),
        "form": form,
        "back_url": back,
        "moves": shown.moves.select_related("by", "undone_by"),
        "undo_url": reverse("referrals:helper_take_back", args=[shown.pk]),
        "can_undo": services.can_take_back(shown, by=request.user, on=clock.today()),
    }
    return render(request, "referrals/helper.html", context)


@roles(Role.PANTRY_MANAGER)
@require_POST
def helper_take_back(request, helper_id):
    """Take the last step back."""
    shown = get_or_404(Helper.objects.for_user(request.user), pk=helper_id)
    try:
        moved = services.take_back(helper=shown, by=request.user, at=clock.now())
    except Refused as why:
        messages.error(request, str(why))
        return redirect("referrals:helper", shown.pk)
    messages.success(request, "The last step is taken back.")
    if moved.state == HelpState.TAKEN_BACK:
        return redirect("referrals:helpers")
    return redirect("referrals:helper", shown.pk)
