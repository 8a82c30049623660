"""Who is the advisor of a young person, and who covers: a leaving care manager decides."""

from django.contrib import messages
from django.db import transaction
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from careleavers.forms import AllocateForm, CoverForm, person_url
from careleavers.models import AdvisorCover
from careleavers.services import allocations
from careleavers.views.doors import manager, person_or_404
from stockport_hubs.accounts.permissions import get_or_404
from stockport_hubs.core import clock
from stockport_hubs.core.errors import Refused


@manager
@transaction.atomic
def allocate(request, pk):
    """Allocate or transfer a young person from a day."""
    person = person_or_404(request, pk)
    back = person_url("detail", person)
    options = {"user": request.user, "transfers": bool(person.allocated), "cancel": back}
    form = AllocateForm(request.POST or None, **options, initial={"on": clock.today()})
    if request.method == "POST" and form.is_valid():
        advisor = form.cleaned_data["advisor"]
        try:
            allocations.allocate(care_leaver=person, **form.cleaned_data, by=request.user, at=clock.now())
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"{person.full_name} is allocated to {advisor.name}.")
            return redirect(back)
    return render(request, "careleavers/person_allocate.html", {"form": form, "person": person, "back_url": back})


@manager
@transaction.atomic
def cover(request, pk):
    """Let a colleague cover for a while."""
    person = person_or_404(request, pk)
    back = person_url("detail", person)
    form = CoverForm(request.POST or None, user=request.user, cancel=back, initial={"from_on": clock.today()})
    if request.method == "POST" and form.is_valid():
        try:
            given = allocations.give_cover(care_leaver=person, **form.cleaned_data, by=request.user, at=clock.now())
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            last = f"{given.until_on.day} {given.until_on:%B %Y}"
            messages.success(request, f"{given.advisor.name} covers for {person.full_name} until {last}.")
            return redirect(back)
    return render(request, "careleavers/person_cover.html", {"form": form, "person": person, "back_url": back})


@manager
@require_POST
@transaction.atomic
def cover_end(request, pk, cover_pk):
    """End cover before its last day."""
    person = person_or_404(request, pk)
    ended = get_or_404(AdvisorCover.objects.for_user(request.user).filter(care_leaver=person), pk=cover_pk)
    try:
        allocations.end_cover(cover=ended, by=request.user, at=clock.now())
        messages.success(request, f"{ended.advisor.name} no longer covers for {person.full_name}.")
    except Refused as refusal:
        messages.error(request, str(refusal))
    return redirect(person_url("detail", person))
