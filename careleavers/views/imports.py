"""A list from the council's case system: upload, look at each row, tick who belongs to the cohort, bring them in."""

from dataclasses import dataclass

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_POST, require_safe

from careleavers import importing
from careleavers.forms.imports import KINDS, FileForm, RowFilter
from careleavers.models import PeopleImport
from careleavers.services import uploads
from careleavers.services.imports import SOMEONE_ELSE, Outcome
from careleavers.services.uploads import Preview
from careleavers.views.doors import log_list, manager
from stockport_hubs.accounts.permissions import get_or_404
from stockport_hubs.core import clock
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.pages import Paginator

ROWS, EARLIER = 100, 10  # rows of a page; earlier lists named
WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@manager
@transaction.atomic
def upload(request):
    """Choose a file; what came of earlier ones."""
    is_sent = request.method == "POST"
    form = FileForm(*([request.POST, request.FILES] if is_sent else []), cancel=reverse("careleavers:list"))
    if is_sent:
        if int(request.META.get("CONTENT_LENGTH") or 0) > importing.MAX_BYTES and not request.FILES:
            form.errors["file"] = form.error_class([str(importing.too_large("The file"))])  # not even received
        elif form.is_valid():
            try:
                with transaction.atomic():
                    kept, job = _receive(request, form.cleaned_data["file"])
            except Refused as why:
                form.add_error("file", str(why))
            else:
                there = reverse("careleavers:import_preview", args=[kept.pk])
                if job is None:
                    return redirect(there)
                return redirect(f"{reverse('jobs:progress', args=[job.pk])}?{urlencode({'next': there})}")
    lists = PeopleImport.objects.for_user(request.user).select_related("uploaded_by")
    context = {"form": form, "earlier": [_row(each) for each in lists[:EARLIER]]}
    return render(request, "careleavers/import_upload.html", context)


def _receive(request, file):
    return uploads.receive(content=file.read(), name=file.name[:80], by=request.user, at=clock.now())


def _row(each: PeopleImport) -> dict:
    layout = importing.LAYOUTS.get(each.layout)
    over = each.has_expired(clock.now())
    return {
        "upload": each,
        "layout": layout.label if layout else "Not read",
        "state": PeopleImport.State.EXPIRED.label if over else each.get_state_display(),
        "is_open": not each.is_over and not over,
    }


@manager
@require_safe
def template(request):
    """An empty workbook to fill in."""
    from careleavers.importing.template import template_xlsx  # openpyxl is slow to load, and seldom wanted

    response = HttpResponse(template_xlsx(), content_type=WORKBOOK)
    response["Content-Disposition"] = 'attachment; filename="young-people.xlsx"'
    return response


@dataclass(frozen=True)
class Line:
    """A row of the preview as the page shows it."""

    outcome: Outcome
    who: str
    is_ticked: bool
    decided: str


@manager
@transaction.atomic
def preview(request, pk):
    """What each row would do; tick who belongs, decide about possible duplicates."""
    kept = get_or_404(PeopleImport.objects.for_user(request.user).select_related("council", "uploaded_by"), pk=pk)
    try:
        shown = uploads.preview(upload=kept, at=clock.now())
    except Refused as why:
        return _over(request, kept, str(why))
    form, query = RowFilter(request.GET), request.GET.get("q", "").strip().casefold()
    kind = form.cleaned_data["show"] if form.is_valid() else ""
    found = [each for each in shown.outcomes if _fits(each, kind, query, shown.ticked)]
    page = Paginator(found, ROWS).get_page(request.GET.get("page"))
    if request.method == "POST":
        return _chosen(request, kept, page, found)
    people = [each.care_leaver for each in page if each.care_leaver]
    log_list(request, [*people, *(twin.care_leaver for each in page for twin in each.twins)])
    counts = shown.counts()
    context = {
        "upload": kept,
        "sheet": shown.sheet,
        "layout": importing.LAYOUTS[kept.layout].label,
        "page_obj": page,
        "lines": [_line(each, shown) for each in page],
        "counts": [(KINDS[key], counts[key], key) for key in counts if counts[key]],
        "ticked": len(shown.chosen),
        "deaths": len(shown.deaths),
        "filters": form,
        "query": request.GET.get("q", ""),
        "is_filtered": bool(kind or query),
        "found": sum(each.can_be_ticked for each in found),
        "someone_else": SOMEONE_ELSE,
    }
    return render(request, "careleavers/import_preview.html", context)


def _line(outcome: Outcome, shown: Preview) -> Line:
    row, person = outcome.row, outcome.care_leaver
    name = " ".join(str(row.facts[key]) for key in ("preferred_name", "surname") if row.facts.get(key))
    if not name and person is not None and person.preferred_name:
        name = person.full_name
    who = f"{row.reference or 'No id'}{name and ', '}{name}"
    return Line(outcome, who, row.number in shown.ticked, shown.upload.decided.get(str(row.number), ""))


def _fits(outcome: Outcome, kind: str, query: str, ticked: set[int]) -> bool:
    row = outcome.row
    is_ticked = outcome.can_be_ticked and row.number in ticked
    if kind and not {"ticked": is_ticked, "unticked": not is_ticked}.get(kind, outcome.kind == kind):
        return False
    said = " ".join([row.reference, row.advisor, *(str(row.facts.get(n, "")) for n in SEARCHED)]).casefold()
    return all(word in said for word in query.split())


SEARCHED = ("preferred_name", "surname", "team")


def _chosen(request, kept: PeopleImport, page, found: list[Outcome]):
    """Keep the ticks and decisions of a page, then do what the button says."""
    on_page = {each.row.number for each in page}
    typed = set(request.POST.getlist("row"))
    sent = {number for number in on_page if str(number) in typed}
    decided = {n: request.POST.get(f"same-{n}", "")[:36] for n in on_page if f"same-{n}" in request.POST}
    # Who is said to be somebody else, or the same person, belongs: nobody decides about rows that stay out.
    tick, untick = sent | {n for n, answer in decided.items() if answer}, on_page - sent
    untick -= tick
    everybody = {each.row.number for each in found if each.can_be_ticked}
    if "all" in request.POST:
        tick, untick = tick | everybody, set()
    elif "none" in request.POST:
        tick, untick = set(), {each.row.number for each in found}
    try:
        uploads.choose(upload=kept, tick=tick, untick=untick, decided=decided, at=clock.now())
    except Refused as why:
        messages.error(request, str(why))
        return redirect(request.get_full_path())
    if "check" in request.POST:
        return redirect("careleavers:import_check", kept.pk)
    query = request.GET.copy()
    if "next" in request.POST and page.has_next():
        query["page"] = str(page.next_page_number())
    return redirect(f"{request.path}?{query.urlencode()}" if query else request.path)


def _over(request, kept: PeopleImport, why: str):
    """What came of a list that is not here any more, or is still being read."""
    if kept.state == PeopleImport.State.REFUSED:
        why = uploads.why_refused(kept, clock.now())
    elif kept.state == PeopleImport.State.READING and not kept.has_expired(clock.now()):
        why = "The list is still being read. Come back to this page in a minute."
    return render(request, "careleavers/import_over.html", {"upload": kept, **_row(kept), "why": why})


@manager
@transaction.atomic
def check(request, pk):
    """What will be saved, and saving it."""
    kept = get_or_404(PeopleImport.objects.for_user(request.user).select_related("council", "uploaded_by"), pk=pk)
    there = reverse("careleavers:import_preview", args=[kept.pk])
    try:
        if request.method == "POST":
            with transaction.atomic():
                job = uploads.confirm(upload=kept, by=request.user, at=clock.now())
            return redirect(f"{reverse('jobs:progress', args=[job.pk])}?{urlencode({'next': there})}" if job else there)
        shown = uploads.preview(upload=kept, at=clock.now())
    except Refused as why:
        messages.error(request, str(why))
        return redirect(there)
    counts, chosen = shown.counts(), shown.chosen
    waiting = sum(each.waits for each in chosen)
    unnamed = sum(each.kind == "new" and not each.row.facts.get("preferred_name") for each in chosen)
    context = {
        "upload": kept,
        "back": there,
        "chosen": chosen,
        "by_kind": {kind: sum(each.kind == kind for each in chosen) for kind in ("new", "changed", "unchanged")},
        "left_out": counts["new"] + counts["changed"] + counts["unchanged"] - len(chosen),
        "undecided": counts["duplicate"],
        "refused": counts["refused"],
        "deaths": len(shown.deaths),
        "waiting": waiting,
        "unnamed": unnamed,
    }
    return render(request, "careleavers/import_check.html", context)


@manager
@require_POST
@transaction.atomic
def cancel(request, pk):
    """Delete the uploaded list; nothing of it is brought in."""
    kept = get_or_404(PeopleImport.objects.for_user(request.user), pk=pk)
    uploads.cancel(upload=kept, by=request.user, at=clock.now())
    messages.success(request, "The uploaded list is deleted. Nobody was added or changed.")
    return redirect("careleavers:import")
