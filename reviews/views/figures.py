"""The figures of an agreement for any period and part, what they mean, and the people behind each number."""

from django.db import transaction
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import render
from django.views.decorators.http import require_safe

from careleavers.models import CareLeaver
from pantry.models import FundingAgreement
from reviews import audience, beyond, documents, rules, tables, who
from reviews import figures as all_figures
from reviews.definitions import DEFINITIONS, GROUPS, out_of
from reviews.forms.figures import FigureForm, FiguresForm, address
from reviews.frozen import of_any_day
from reviews.frozen import part as parts_asked
from reviews.models import Audience, ReviewMeeting
from reviews.partial import figures_of
from reviews.sections.grid import GRID_LIMIT
from stockport_hubs.accounts.models import Role
from stockport_hubs.accounts.permissions import roles
from stockport_hubs.audit import services as audit
from stockport_hubs.audit.services import CARE_LEAVER
from stockport_hubs.core import clock
from stockport_hubs.core.pages import Paginator

READ = (Role.LEAVING_CARE_MANAGER, Role.PANTRY_MANAGER)
ROWS = 25


def _asked(request) -> FiguresForm:
    """What the address asks for, or the usual period of the newest agreement."""
    if "agreement" in request.GET:
        return FiguresForm(request.GET, user=request.user)
    latest = ReviewMeeting.objects.for_user(request.user).filter(starts_at__lt=clock.now()).first()
    first, last = rules.usual_period(clock.today(), latest.period_to if latest else None)
    agreements = FundingAgreement.objects.for_user(request.user).order_by("-starts_on")
    agreement = latest.agreement_id if latest else agreements.values_list("pk", flat=True).first()
    usual = QueryDict(address(agreement=agreement or "", period_from=first, period_to=last))
    return FiguresForm(usual, user=request.user)


def _compute(form: FiguresForm) -> all_figures.Figures:
    given = form.cleaned_data
    as_at = given["as_at"] or rules.figures_as_at(given["period_to"], clock.today())
    period = (given["period_from"], given["period_to"])
    return figures_of(given["agreement"], *period, as_at, asked=form.asked, known=form.known(as_at))


def _frozen(request, found: all_figures.Figures, grid_up_to: int | None = None) -> dict:
    """What this person's organisation sees, and its audit row."""
    ours = request.user.role == Role.LEAVING_CARE_MANAGER
    seen_by = Audience.LEAVING_CARE if ours else Audience.STOCKPORT_HOMES
    frozen = audience.freeze(found, seen_by, grid_up_to=grid_up_to)
    if not ours:
        frozen = of_any_day(frozen)
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
    """Everything a pack holds, for a period and a part of one's choice."""
    form = _asked(request)
    context: dict = {"form": form, "document": None, "links": "", "query": "", "part": ""}
    if form.is_valid():
        frozen = _frozen(request, _compute(form), GRID_LIMIT)
        links = form.query if request.user.role == Role.LEAVING_CARE_MANAGER else ""
        context |= {"document": documents.document(frozen), "links": links, "query": form.query}
        context |= {"part": _words(frozen.get("part")), "whole": address(**_whole(form))}
    context["nothing"] = not form.fields["agreement"].queryset.exists()
    return render(request, "reviews/figures.html", context)


def _whole(form: FiguresForm) -> dict:
    """What was asked, without a part."""
    kept = ("agreement", "period_from", "period_to", "as_at", "known_on")
    return {name: form.cleaned_data[name] for name in kept if form.cleaned_data.get(name)}


def _words(part: dict | None) -> str:
    """What the figures are a part of, on top of the page."""
    if not part:
        return ""
    cohort = {"in": "young people in the cohort", "out": "members not in the cohort", "": ""}[part["cohort"]]
    said = [part["pantry"], f"personal advisor {part['advisor']}" if part["advisor"] else "", cohort]
    return ", ".join(each for each in said if each)


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


@roles(*READ)
@require_safe
def figures_explained(request):
    """What each figure means, out of what, and on which day it counts."""
    groups = [
        (title, [(key, DEFINITIONS[key], out_of(DEFINITIONS[key])) for key in keys]) for title, keys in GROUPS.items()
    ]
    context = {"groups": groups, "ours": request.user.role == Role.LEAVING_CARE_MANAGER}
    return render(request, "reviews/figures_explained.html", context)


@roles(Role.LEAVING_CARE_MANAGER)
@require_safe
@transaction.atomic
def figure_people(request, key):
    """The young people behind one number; those known by membership number alone are counted."""
    form, only = _asked(request), FigureForm(request.GET)
    definition = beyond.definition(key)
    if not form.is_valid() or not only.is_valid() or definition is None:
        raise Http404
    found = _compute(form)
    narrowed = {name: value for name, value in only.cleaned_data.items() if value}
    try:
        condition = who.people(found, key, **narrowed)
    except KeyError:
        raise Http404
    people = CareLeaver.objects.for_user(request.user).living().filter(condition)
    page = Paginator(people.with_allocations(clock.today()), ROWS).get_page(request.GET.get("page"))
    subjects = [(CARE_LEAVER, person.pk) for person in page]
    if subjects:
        audit.record(
            "reviews.figure.viewed", at=clock.now(), by=request.user, subjects=subjects, detail={"figure": key}
        )
    context = {
        "definition": definition,
        "page": page,
        "found": found,
        "week": only.cleaned_data["week"],
        "part": _words(parts_asked(found) if found.asked else None),
        "by_number": who.without_person(found, key, **narrowed),
        "query": form.query,
    }
    return render(request, "reviews/figure_people.html", context)
