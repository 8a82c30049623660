"""Whole caseloads: who has how many, handing one over, having one covered, taking that back. A manager decides."""

from django.contrib import messages
from django.db import transaction
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from careleavers.forms import CaseloadCoverForm, CaseloadTransferForm
from careleavers.models import CaseloadMove
from careleavers.services import caseloads
from careleavers.views.doors import PER_PAGE, log_list, manager
from stockport_hubs.accounts.permissions import get_or_404
from stockport_hubs.core import clock
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.pages import Paginator
from stockport_hubs.core.rehearsal import rehearsed

SHOWN = 10


@require_safe
@manager
def overview(request):
    """Advisors with how many young people each has, and what was last done in one go."""
    today, query = clock.today(), request.GET.get("q", "").strip()
    found = caseloads.holders(request.user).search(query)
    page = Paginator(found, PER_PAGE).get_page(request.GET.get("page"))
    held = caseloads.held_by(page)
    moves = CaseloadMove.objects.for_user(request.user).select_related("of", "to", "given_by", "undone_by")[:SHOWN]
    context = {
        "page_obj": page,
        "rows": [(advisor, held.get(advisor.pk, 0)) for advisor in page],
        "query": query,
        "moves": [(move, caseloads.can_undo(move, today)) for move in moves],
    }
    return render(request, "careleavers/caseloads.html", context)


@manager
@transaction.atomic
def transfer(request, pk):
    """Hand a caseload, or the ticked part of it, to another advisor: first who and when, then with whom it is done."""
    return _page(request, pk, CaseloadTransferForm, {"on": clock.today()}, "Hand over")


@manager
@transaction.atomic
def cover(request, pk):
    """Have a caseload covered for a while."""
    return _page(request, pk, CaseloadCoverForm, {"from_on": clock.today()}, "Cover")


def _page(request, pk, form_class, initial: dict, does: str):
    of, today = get_or_404(caseloads.holders(request.user), pk=pk), clock.today()
    back = reverse("careleavers:caseloads")
    everyone = caseloads.caseload(of, today).order_by("preferred_name", "surname", "reference")
    people = list(everyone[: caseloads.AT_ONCE])
    form = form_class(request.POST or None, user=request.user, of=of, people=people, cancel=back, initial=initial)
    context = {"form": form, "of": of, "does": does, "back_url": back, "count": len(people), "asks_again": False}
    if request.method == "POST" and form.is_valid():
        verb = caseloads.transfer if form_class is CaseloadTransferForm else caseloads.cover
        try:
            with rehearsed(unless="confirmed" in request.POST):
                move = verb(of=of, **form.answers, by=request.user, at=clock.now())
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            if "confirmed" in request.POST:
                messages.success(request, f"Done for {_counted(move.people)}. You can undo it below.")
                return redirect("careleavers:caseloads")
            chosen = {person.pk for person in form.cleaned_data["people"]}
            ticked = [person for person in people if person.pk in chosen]
            context |= {"asks_again": True, "move": move, "ticked": ticked, "skipped": len(ticked) - move.people}
    context["more"] = everyone.count() - len(people) if len(people) == caseloads.AT_ONCE else 0
    log_list(request, people)
    return render(request, "careleavers/caseload_move.html", context)


@manager
@require_POST
@transaction.atomic
def undo(request, pk):
    """Take back what was done in one go."""
    move = get_or_404(CaseloadMove.objects.for_user(request.user), pk=pk)
    try:
        count = caseloads.undo(move=move, by=request.user, at=clock.now())
        messages.success(request, f"Undone for {_counted(count)}.")
    except Refused as refusal:
        messages.error(request, str(refusal))
    return redirect("careleavers:caseloads")


def _counted(people: int) -> str:
    return f"{people} young {'person' if people == 1 else 'people'}"
