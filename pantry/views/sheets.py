"""Paper and back: the sheet of a session printed, listed and destroyed, and a filled one typed in at once."""

from dataclasses import dataclass
from uuid import uuid4

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from pantry import counter, directory, roster
from pantry.forms.bulk import BulkForm, lines_of
from pantry.forms.sheets import PrintForm
from pantry.models import Pantry, PantrySession, PrintedSheet
from pantry.services import bulk, sheets
from pantry.views.sessions import can_record_on, session_or_404
from stockport_hubs.accounts.models import Role
from stockport_hubs.accounts.permissions import get_or_404, roles
from stockport_hubs.audit import services as audit
from stockport_hubs.core import clock
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.keys import uuid_or_none
from stockport_hubs.core.pages import Paginator

PAGE = 25
LINES = 100  # members on one page to type in


@dataclass(frozen=True)
class ToPrint:
    """An opening, and its sheets: (first, last) of the members on each, counted from 1."""

    opening: directory.Opening
    parts: list[tuple[int, int]]


@roles(Role.PANTRY_MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
def pantry_sheets(request, pantry_id):
    """Print the sheet of one of the next sessions; which sheets were printed, until they are destroyed."""
    pantry, today = get_or_404(Pantry.objects.for_user(request.user), pk=pantry_id), clock.today()
    if request.method == "POST":
        return _print(request, pantry)
    mine = PrintedSheet.objects.for_user(request.user).filter(session__pantry=pantry)
    everything = request.GET.get("all") == "1"
    listed = (mine if everything else mine.kept()).select_related("session", "printed_by", "destroyed_by")
    page = Paginator(listed, PAGE).get_page(request.GET.get("page"))
    on_it = roster.on_sheets(page)
    context = {
        "pantry": pantry,
        "to_print": [_to_print(pantry, each) for each in directory.next_openings(pantry, today)],
        "page": page,
        "rows": [(each, on_it[each.pk], can_record_on(each.session, request.user, today)) for each in page],
        "everything": everything,
        "late_days": counter.LATE_DAYS,
    }
    with transaction.atomic():
        audit.record("pantry.sheets.viewed", at=clock.now(), by=request.user, target=pantry)
        return render(request, "pantry/sheets.html", context)


def _to_print(pantry: Pantry, opening: directory.Opening) -> ToPrint:
    planned = PantrySession(pantry=pantry, on=opening.on, opens=opening.opens, closes=opening.closes)
    n = roster.listed(planned).order_by().count()
    size = sheets.AT_ONCE
    return ToPrint(opening, [(k + 1, min(k + size, n)) for k in range(0, n, size)])


def _print(request, pantry: Pantry):
    form = PrintForm(request.POST)
    back = redirect("pantry:sheets", pantry.pk)
    if not form.is_valid():
        messages.error(request, "Choose one of the sessions listed.")
        return back
    try:
        sheet, printed = sheets.print_one(pantry=pantry, by=request.user, at=clock.now(), **form.cleaned_data)
    except Refused as why:
        messages.error(request, str(why))
        return back
    response = HttpResponse(printed, content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="sheet-{sheet.session.on.isoformat()}.pdf"'
    return response


@roles(Role.PANTRY_MANAGER)
@require_POST
def sheet_destroyed(request, sheet_id):
    """The paper is destroyed."""
    sheet = get_or_404(PrintedSheet.objects.for_user(request.user).select_related("session"), pk=sheet_id)
    try:
        sheets.destroyed(sheet=sheet, by=request.user, at=clock.now())
    except Refused as why:
        messages.error(request, str(why))
    else:
        messages.success(request, "Recorded: that sheet is destroyed.")
    return redirect("pantry:sheets", sheet.session.pantry_id)


@roles(Role.PANTRY_MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
def session_bulk(request, session_id):
    """A whole session typed in at once: all that is entered, or nothing with each refusal named.

    With ?sheet=ID the members are those of that sheet, in its order; otherwise those of the session's list.
    """
    shown, on = session_or_404(request, session_id), clock.today()
    sheet = _sheet(request, shown)
    number = request.GET.get("page", "")
    page = roster.page_to_type(shown, sheet, number, LINES)
    facts = list(page)
    # Who was sent is among the lines also when the list has moved on meanwhile: nothing that was typed is left out.
    facts += roster.facts_of(shown, set(lines_of(request.POST)) - {each.id for each in facts})
    with transaction.atomic():
        rows = roster.rows(shown, facts, by=request.user, today=on)
        form = BulkForm(
            request.POST or None, rows=rows, pantry=shown.pantry, user=request.user, initial={"key": uuid4()}
        )
        subjects = [(audit.MEMBERSHIP, row.id) for row in rows]
        audit.record("pantry.session.viewed", at=clock.now(), by=request.user, target=shown, subjects=subjects)
    reasons: list[tuple[int | str, str]] = []
    if request.method == "POST" and form.is_valid():
        given = {"session": shown, "entries": form.entries, "visited": form.visited, "key": form.cleaned_data["key"]}
        try:
            made, came = bulk.record(**given, by=request.user, at=clock.now())
        except bulk.NotAll as why:
            reasons = why.reasons
        except Refused as why:
            form.add_error(None, str(why))
        else:
            messages.success(request, _recorded(len(made), len(came)))
            return redirect(_onward(request, shown, sheet, page))
    context = {
        "session": shown,
        "on": on,
        "sheet": sheet,
        "page": page,
        "form": form,
        "reasons": reasons,
        "can_record": can_record_on(shown, request.user, on),
        "back": reverse("pantry:session", args=[shown.pk]),
    }
    return render(request, "pantry/session_bulk.html", context, status=409 if reasons else 200)


def _sheet(request, shown: PantrySession) -> PrintedSheet | None:
    if not (key := request.GET.get("sheet")):
        return None
    return get_or_404(PrintedSheet.objects.for_user(request.user).filter(session=shown), pk=uuid_or_none(key))


def _recorded(members: int, visitors: int) -> str:
    said = f"Recorded: {members} collection{'' if members == 1 else 's'}"
    return said + (f" and {visitors} visitor{'' if visitors == 1 else 's'}." if visitors else ".")


def _onward(request, shown: PantrySession, sheet: PrintedSheet | None, page) -> str:
    """The next page of the sheet; after the last, the list of sheets, to say that it is destroyed, or the session."""
    if page.has_next():
        query = f"?page={page.next_page_number()}" + (f"&sheet={sheet.pk}" if sheet else "")
        return reverse("pantry:session_bulk", args=[shown.pk]) + query
    if sheet:
        return reverse("pantry:sheets", args=[shown.pantry_id])
    return reverse("pantry:session", args=[shown.pk])
