"""The opening position: a spreadsheet is read, shown row by row, matched to the control total and proposed."""

import re
from datetime import date
from pathlib import Path

from django.contrib import messages
from django.core import signing
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from pantry import opening as reading
from pantry.forms.proposals import OpeningForm
from pantry.models import FundingAgreement
from pantry.services import opening, proposals
from stockport_hubs.accounts.models import Role
from stockport_hubs.accounts.permissions import get_or_404, roles
from stockport_hubs.core import clock, money, weeks
from stockport_hubs.core.errors import Refused

SALT, GOOD_FOR = "pantry.opening", 4 * 60 * 60  # seconds between looking at the rows and proposing them


@roles(Role.FINANCE_OFFICER, Role.LEAVING_CARE_MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
def opening_position(request, agreement_id):
    """Upload, check, propose. What was checked travels signed, so that just that is proposed."""
    shown = get_or_404(
        FundingAgreement.objects.for_user(request.user).select_related("funder", "operator"), pk=agreement_id
    )
    today = clock.today()
    if request.method == "POST" and request.POST.get("step") == "confirm":
        return _proposed(request, shown)
    back = reverse("pantry:agreement", args=[shown.pk])
    form = OpeningForm(
        request.POST or None, request.FILES or None, cancel=back, initial={"cut_over": weeks.monday(today)}
    )
    context = {"agreement": shown, "form": form, "columns": [said for said, _ in reading.COLUMNS.values()]}
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            opening.check_cut_over(shown, given["cut_over"], today)
        except Refused as why:
            form.add_error("cut_over", str(why))
            return render(request, "pantry/opening.html", context)
        try:
            lines = opening.judge(agreement=shown, lines=_read(given["file"]), cut_over=given["cut_over"])
        except Refused as why:
            form.add_error("file", str(why))
            return render(request, "pantry/opening.html", context)
        return render(request, "pantry/opening_check.html", context | _checked(request, shown, lines, given))
    return render(request, "pantry/opening.html", context)


def _read(uploaded) -> list[reading.Line]:
    """The lines of an uploaded file, whose name is only words for a refusal."""
    name = re.sub(r"[^\w. -]", "", Path(uploaded.name).name)[-60:].strip(". ") or "The file"
    if uploaded.size > reading.MAX_BYTES:
        raise reading.too_large(name)
    return reading.read(uploaded.read(), name=name)


def _checked(request, shown: FundingAgreement, lines: list[reading.Line], given: dict) -> dict:
    """What the preview shows; `signed` only where every row fits and the total is the control total."""
    refused, total = [line for line in lines if line.problems], opening.total(lines)
    apart = total - given["control_pence"]
    kept = {
        "by": str(request.user.pk),
        "agreement": str(shown.pk),
        "cut_over": given["cut_over"].isoformat(),
        "control_pence": given["control_pence"],
        "rows": [line.kept() for line in lines],
    }
    return {
        "lines": lines,
        "refused": refused,
        "new": len(lines) - len(refused),
        "weeks": sum(line.weeks_left for line in lines),
        "total": total,
        "control": given["control_pence"],
        "apart": money.pounds(abs(apart)) if apart else "",
        "cut_over": given["cut_over"],
        "signed": "" if refused or apart else signing.dumps(kept, salt=SALT, compress=True),
    }


def _proposed(request, shown: FundingAgreement):
    try:
        kept = signing.loads(request.POST.get("signed", ""), salt=SALT, max_age=GOOD_FOR)
    except signing.BadSignature:
        kept = {}
    if (kept.pop("by", ""), kept.pop("agreement", "")) != (str(request.user.pk), str(shown.pk)):
        messages.error(request, "The rows were looked at too long ago. Choose the spreadsheet again.")
        return redirect("pantry:opening", shown.pk)
    on, n = date.fromisoformat(kept["cut_over"]), len(kept["rows"])
    try:
        made = proposals.propose(
            kind=proposals.Kind.OPENING,
            agreement=shown,
            details=kept,
            note=f"Cut-over of {n:,} running membership{'' if n == 1 else 's'} on {weeks.spoken(on)}",
            by=request.user,
            at=clock.now(),
        )
    except Refused as why:
        messages.error(request, str(why))
        return redirect("pantry:opening", shown.pk)
    messages.success(request, "Proposed. Nothing has changed yet: it waits for a second person.")
    return redirect("pantry:proposal", made.pk)
