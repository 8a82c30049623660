"""The button "I spoke to them", and its undo."""

from django.contrib import messages
from django.db import transaction
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from careleavers.forms import person_url
from careleavers.models import CareLeaver
from careleavers.services import conversations
from careleavers.views.doors import council
from stockport_hubs.accounts.permissions import get_or_404
from stockport_hubs.core import clock
from stockport_hubs.core.errors import Refused


@council
@require_POST
@transaction.atomic
def spoke(request, pk):
    """Recorded for today; from the home back to the home."""
    return _do(request, pk, conversations.spoke, "Recorded: you spoke to {} today.")


@council
@require_POST
@transaction.atomic
def take_back(request, pk):
    """A wrong click."""
    return _do(request, pk, conversations.take_back, "Taken back: nobody spoke to {} today.")


def _do(request, pk, service, said: str):
    person = get_or_404(CareLeaver.objects.for_user(request.user), pk=pk)
    try:
        with transaction.atomic():
            service(care_leaver=person, by=request.user, at=clock.now())
    except Refused as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, said.format(person.preferred_name or person.reference))
    return redirect("home") if request.POST.get("back") == "home" else redirect(person_url("detail", person))
