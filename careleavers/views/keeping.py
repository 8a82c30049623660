"""How long young people are kept who were never offered a place."""

from django.contrib import messages
from django.db import transaction
from django.shortcuts import redirect, render
from django.urls import reverse

from careleavers.forms.imports import KeepingForm
from careleavers.models import CohortPlace, KeepingRule
from careleavers.services import keeping as service
from careleavers.views.doors import manager
from stockport_hubs.core import clock
from stockport_hubs.core.errors import Refused


@manager
@transaction.atomic
def keeping(request):
    """The rules, and a new one."""
    today, council = clock.today(), request.user.organisation
    days = service.days_of(council, today)
    form = KeepingForm(
        request.POST or None,
        today=today,
        cancel=reverse("careleavers:cohort"),
        initial={"days": days, "from_on": today},
    )
    if request.method == "POST" and form.is_valid():
        try:
            service.set_rule(council=council, **form.cleaned_data, by=request.user, at=clock.now())
        except Refused as why:
            form.add_error("days", str(why))
        else:
            messages.success(request, "The rule is saved.")
            return redirect("careleavers:keeping")
    context = {
        "form": form,
        "days": days,
        "rules": KeepingRule.objects.for_user(request.user).select_related("set_by"),
        "due": service.due(council, today).count(),
        "deleted": CohortPlace.objects.for_user(request.user).of_nobody().count(),
    }
    return render(request, "careleavers/keeping.html", context)
