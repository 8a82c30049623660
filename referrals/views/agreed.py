"""What the young person agreed: a page to print, and the same as PDF."""

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from referrals import agreed
from referrals.views import doors
from stockport_hubs import pdf
from stockport_hubs.accounts.permissions import get_or_404, roles
from stockport_hubs.audit import services as audit
from stockport_hubs.core import clock
from stockport_hubs.core.errors import Refused

NOT_NOW = "There is nothing to print: the introduction is not sent, or came to nothing."


@roles(*doors.COUNCIL)
@require_safe
@transaction.atomic
def page(request, referral_id):
    """To read together, and to print from the browser."""
    referral = get_or_404(doors.mine(request), pk=referral_id)
    if referral.state not in agreed.SHOWN:
        messages.error(request, NOT_NOW)
        return redirect("referrals:detail", referral.pk)
    doors.viewed(request, referral.care_leaver, referral)
    context = {"referral": referral, "agreed": agreed.of(referral, clock.today())}
    return render(request, "referrals/agreed.html", context)


@roles(*doors.COUNCIL)
@require_safe
@transaction.atomic
def as_pdf(request, referral_id):
    """One sheet of paper; its file name tells nobody whose it is."""
    referral = get_or_404(doors.mine(request), pk=referral_id)
    if referral.state not in agreed.SHOWN:
        messages.error(request, NOT_NOW)
        return redirect("referrals:detail", referral.pk)
    try:
        printed = pdf.render("referrals/agreed_print.html", {"agreed": agreed.of(referral, clock.today())}, seconds=30)
    except Refused as why:
        messages.error(request, str(why))
        return redirect("referrals:agreed", referral.pk)
    subjects = [(audit.CARE_LEAVER, referral.care_leaver_id)]
    audit.record("referrals.agreed.printed", at=clock.now(), by=request.user, target=referral, subjects=subjects)
    response = HttpResponse(printed, content_type="application/pdf")
    response["Content-Disposition"] = 'attachment; filename="what-you-agreed.pdf"'
    return response
