"""Whom volunteers call when they are worried: kept by the pantry manager, for each pantry."""

from django.contrib import messages
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from pantry.forms.away import CallForm
from pantry.models import CallNow, Pantry
from pantry.services import calls as services
from stockport_hubs.accounts.models import Role
from stockport_hubs.accounts.permissions import get_or_404, roles
from stockport_hubs.core import clock
from stockport_hubs.core.errors import Refused

SHOWN = 25


def _pantry(request, pantry_id) -> Pantry:
    return get_or_404(Pantry.objects.for_user(request.user), pk=pantry_id)


@roles(Role.PANTRY_MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
def calls(request, pantry_id):
    """The numbers now, to come and before; another one from a day on."""
    shown, on = _pantry(request, pantry_id), clock.today()
    form = CallForm(request.POST or None, cancel=reverse("pantry:pantry", args=[shown.pk]))
    if request.method == "POST" and form.is_valid():
        try:
            made = services.set_call(pantry=shown, **form.cleaned_data, by=request.user, at=clock.now())
        except Refused as why:
            form.add_error("from_on", str(why))
        else:
            messages.success(request, f"Saved: {made.get_role_display().lower()}, {made.phone}.")
            return redirect("pantry:calls", shown.pk)
    rows = shown.calls.select_related("set_by").order_by("-from_on", "role")[:SHOWN]
    context = {"pantry": shown, "form": form, "rows": [(each, _state(each, on)) for each in rows]}
    return render(request, "pantry/calls.html", context)


def _state(call: CallNow, on) -> tuple[str, str]:
    """Word and colour."""
    if call.from_on > on:
        return "To come", "blue"
    return ("Over", "grey") if call.until_on and call.until_on < on else ("In force", "green")


@roles(Role.PANTRY_MANAGER)
@require_POST
def call_take_back(request, pantry_id, call_id):
    """A number that is not in force yet."""
    shown = _pantry(request, pantry_id)
    call = get_or_404(shown.calls.select_related("pantry"), pk=call_id)
    try:
        services.take_back(call=call, by=request.user, at=clock.now())
    except Refused as why:
        messages.error(request, str(why))
    else:
        messages.success(request, "Taken back.")
    return redirect("pantry:calls", shown.pk)
