"""The list of introductions, and whom to introduce."""

from django.db import transaction
from django.shortcuts import render
from django.views.decorators.http import require_safe

from careleavers.models import CareLeaver
from referrals import caseload, facts, forms
from referrals.models import Referral
from referrals.services import cut_overs
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
def index(request):
    """Introductions: the council's by person, the pantry manager's by what they may know."""
    user, today = request.user, clock.today()
    query = request.GET.get("q", "").strip()
    filters = forms.FilterForm(request.GET, user=user)
    state = filters.data.get("state", "") if filters.is_valid() else ""
    found = Referral.objects.for_user(user).select_related("care_leaver", "pantry", "membership").order_by("-number")
    if state:
        match state:
            case "to_answer":
                found = found.to_answer()
            case "not_taken_up":
                found = found.not_taken_up(today)
            case _:
                found = found.filter(state=state)
    if query:
        found = found.search(query, by_name=user.is_council)
    if not user.is_council:
        found = found.prefetch_related("care_leaver__sharing_agreements")
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    if page.object_list:
        audit.record(
            "referrals.referral.listed",
            at=clock.now(),
            by=user,
            subjects=[(audit.CARE_LEAVER, each.care_leaver_id) for each in page.object_list],
        )
    if not user.is_council:
        page.object_list = [facts.row_for_pantry(each, today) for each in page.object_list]
    context = {
        "page_obj": page,
        "query": query,
        "filters": filters,
        "state": state,
        "is_filtered": bool(query or state),
        "can_introduce": user.role == Role.PERSONAL_ADVISOR,
        "colours": facts.COLOURS,
        "to_tie": cut_overs.untied(user).count() if user.is_council else 0,
    }
    template = "referrals/referral_list.html" if user.is_council else "referrals/referral_list_pantry.html"
    return render(request, template, context)


@require_safe
@roles(Role.PERSONAL_ADVISOR)
@transaction.atomic
def find(request):
    """Whom to introduce: own people with what each needs next."""
    query = request.GET.get("q", "").strip()
    people = CareLeaver.objects.for_user(request.user).living()
    people = people.search(query) if query else people
    page = Paginator(people, PAGE).get_page(request.GET.get("page"))
    page.object_list = caseload.rows(page.object_list, clock.today())
    if page.object_list:
        audit.record(
            "careleavers.person.listed",
            at=clock.now(),
            by=request.user,
            subjects=[(audit.CARE_LEAVER, row.person.pk) for row in page.object_list],
        )
    return render(request, "referrals/person_find.html", {"page_obj": page, "query": query, "is_filtered": bool(query)})
