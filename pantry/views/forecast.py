"""The forecast of an agreement, beside what if another weekly charge."""

from django.shortcuts import render
from django.views.decorators.http import require_safe

from pantry import forecast as ahead
from pantry.forms.agreements import WhatIfForm
from pantry.models import FundingAgreement
from stockport_hubs.accounts.models import Role
from stockport_hubs.accounts.permissions import get_or_404, roles
from stockport_hubs.charts import shapes
from stockport_hubs.core import clock
from stockport_hubs.core.money import pounds


@roles(Role.LEAVING_CARE_MANAGER, Role.FINANCE_OFFICER)
@require_safe
def forecast(request, agreement_id):
    """Committed, expected by month, left, and the week it runs out."""
    shown = get_or_404(FundingAgreement.objects.for_user(request.user), pk=agreement_id)
    today = clock.today()
    form = WhatIfForm(request.GET if "weekly_pence" in request.GET else None)
    weekly = form.cleaned_data["weekly_pence"] if form.is_bound and form.is_valid() else None
    found = ahead.of(shown, today)
    other = ahead.of(shown, today, weekly) if weekly else None
    said = "; ".join(f"{month.first:%B %Y}, {pounds(month.pence)}" for month in found.months)
    context = {
        "agreement": shown,
        "form": form,
        "found": found,
        "other": other,
        "weekly": weekly,
        "more": other.pence - found.pence if other else 0,
        "rows": [{"month": month, "other": other.months[n] if other else None} for n, month in enumerate(found.months)],
        "chart": shapes.bars(
            f"Expected renewals by month: {said}.",
            [(f"{month.first:%b %Y}", month.pence) for month in found.months],
            said=pounds,
        ),
    }
    return render(request, "pantry/forecast.html", context)
