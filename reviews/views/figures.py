"""The figures of an agreement for any period, and the people behind each number."""

from urllib.parse import urlencode

from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from careleavers.models import CareLeaver
from pantry.models import FundingAgreement
from reviews import audience, behind, beyond, documents, rules, tables
from reviews import figures as all_figures
from reviews.forms.figures import PeriodForm
from reviews.models import Audience, ReviewMeeting
from stockport_hubs.accounts.models import Role
from stockport_hubs.accounts.permissions import roles
from stockport_hubs.audit import services as audit
from stockport_hubs.audit.services import CARE_LEAVER
from stockport_hubs.core import clock
from stockport_hubs.core.forms import DAY_PARTS
from stockport_hubs.core.pages import Paginator

READ = (Role.LEAVING_CARE_MANAGER, Role.PANTRY_MANAGER)
ROWS = 25


def _asked(request) -> PeriodForm:
    """The period form: what the address asks for, or the usual period of the newest agreement."""
    if "agreement" in request.GET:
        return PeriodForm(request.GET, user=request.user)
    latest = ReviewMeeting.objects.for_user(request.user).filter(starts_at__lt=clock.now()).first()
    first, last = rules.usual_period(clock.today(), latest.period_to if latest else None)
    agreements = FundingAgreement.objects.for_user(request.user).order_by("-starts_on")
    agreement = latest.agreement_id if latest else agreements.values_list("pk", flat=True).first()
    return PeriodForm(_query(agreement, first, last), user=request.user)


def _query(agreement_id, first, last) -> dict:
    """The address's words for an agreement and a period."""
    days = {"period_from": first, "period_to": last}
    parts = {f"{name}_{part}": getattr(day, part) for name, day in days.items() for part in DAY_PARTS}
    return {"agreement": str(agreement_id or ""), **parts}


def _compute(form: PeriodForm) -> all_figures.Figures:
    given = form.cleaned_data
    as_at = rules.figures_as_at(given["period_to"], clock.today())
    return all_figures.compute(given["agreement"], given["period_from"], given["period_to"], as_at)


def _frozen(request, found: all_figures.Figures) -> dict:
    """What this person's organisation sees, and its audit row."""
    ours = request.user.role == Role.LEAVING_CARE_MANAGER
    frozen = audience.freeze(found, Audience.LEAVING_CARE if ours else Audience.STOCKPORT_HOMES)
    audit.record(
        "reviews.figures.viewed",
        at=clock.now(),
        by=request.user,
        target=found.agreement,
        subjects=audience.subjects(frozen),
    )
    return frozen


@roles(*READ)
@require_safe
@transaction.atomic
def figures(request):
    """Everything a pack holds, for a period of one's choice."""
    form = _asked(request)
    context: dict = {"form": form, "document": None, "links": "", "query": ""}
    if form.is_valid():
        found, given = _compute(form), form.cleaned_data
        query = urlencode(_query(given["agreement"].pk, given["period_from"], given["period_to"]))
        links = query if request.user.role == Role.LEAVING_CARE_MANAGER else ""
        context |= {"document": documents.document(_frozen(request, found)), "links": links, "query": query}
    context["nothing"] = not form.fields["agreement"].queryset.exists()
    return render(request, "reviews/figures.html", context)


@roles(*READ)
@require_safe
@transaction.atomic
def figures_csv(request):
    """The same tables as a file."""
    form = _asked(request)
    if not form.is_valid():
        raise Http404
    text = tables.to_csv(documents.document(_frozen(request, _compute(form))))
    response = HttpResponse("\ufeff" + text, content_type="text/csv; charset=utf-8")
    name = f"figures-{form.cleaned_data['period_to'].isoformat()}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@roles(Role.LEAVING_CARE_MANAGER)
@require_safe
@transaction.atomic
def figure_people(request, key):
    """The young people behind one number; those known by membership number alone are counted."""
    form = _asked(request)
    definition = beyond.definition(key)
    if not form.is_valid() or definition is None:
        raise Http404
    found = _compute(form)
    try:
        behind_it = behind.people(found, key)
    except KeyError:
        raise Http404
    people = CareLeaver.objects.for_user(request.user).living().filter(behind_it)
    page = Paginator(people.with_allocations(clock.today()), ROWS).get_page(request.GET.get("page"))
    given, subjects = form.cleaned_data, [(CARE_LEAVER, person.pk) for person in page]
    if subjects:
        audit.record(
            "reviews.figure.viewed", at=clock.now(), by=request.user, subjects=subjects, detail={"figure": key}
        )
    context = {
        "definition": definition,
        "page": page,
        "found": found,
        "by_number": behind.without_person(found, key),
        "query": urlencode(_query(given["agreement"].pk, given["period_from"], given["period_to"])),
    }
    return render(request, "reviews/figure_people.html", context)
