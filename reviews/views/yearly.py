"""The yearly review: counted by a job, written, approved by one of each organisation, printed."""

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from pantry.models import FundingAgreement
from reviews import documents
from reviews.forms.disagreements import YearForm
from reviews.models import YearlyReview
from reviews.services import yearly as services
from reviews.views.agenda import WORK_ON
from reviews.wording import LooksLikeAName
from stockport_hubs.accounts.permissions import get_or_404, roles
from stockport_hubs.audit import services as audit
from stockport_hubs.core import clock
from stockport_hubs.core.errors import Refused

SECTIONS = {  # what became of the year; what waits for somebody, and lists of single members, are of a pack
    *("movement", "funnel", "first-visits", "take-up", "pantries", "members", "money", "food"),
    *("barriers", "wellbeing", "volunteering", "definitions"),
}


def _review(request, review_id) -> YearlyReview:
    found = YearlyReview.objects.for_user(request.user).select_related(
        "agreement", "made_by", "council_by", "operator_by"
    )
    return get_or_404(found, pk=review_id)


def _document(review: YearlyReview, *, printed: bool = False) -> documents.Document:
    """The sections of a pack that tell a year in counts."""
    made = documents.document(review.content, printed=printed)
    made.title = f"Yearly review, {services.year_said(review)}"
    made.sections = [section for section in made.sections if section.slug in SECTIONS]
    made.decisions = None
    return made


@roles(*WORK_ON)
@require_POST
def yearly_ask(request, agreement_id):
    """Have last year counted."""
    agreement = get_or_404(FundingAgreement.objects.for_user(request.user), pk=agreement_id)
    try:
        job = services.ask(agreement=agreement, by=request.user, at=clock.now())
    except Refused as why:
        messages.error(request, str(why))
        return redirect("reviews:meetings")
    if job.asked_by_id != request.user.pk:
        messages.info(request, "Somebody asked for it before you did. It is being counted, and will be listed here.")
        return redirect("reviews:meetings")
    then = {"next": reverse("reviews:meetings") + "#yearly"}
    return redirect(f"{reverse('jobs:progress', args=[job.pk])}?{urlencode(then)}")


@roles(*WORK_ON)
@require_safe
@transaction.atomic
def yearly(request, review_id):
    """The year's outcomes, what is said of them, and who has approved it."""
    shown = _review(request, review_id)
    audit.record("reviews.yearly.viewed", at=clock.now(), by=request.user, target=shown)
    side = services.SIDES[request.user.role]
    context = {
        "review": shown,
        "document": _document(shown),
        "links": "",
        "mine": getattr(shown, f"{side}_by"),
        "anyone": shown.council_by or shown.operator_by,
    }
    return render(request, "reviews/yearly_detail.html", context)


@roles(*WORK_ON)
@require_http_methods(["GET", "HEAD", "POST"])
def yearly_write(request, review_id):
    """What both organisations say of the year."""
    shown = _review(request, review_id)
    back = reverse("reviews:yearly", args=[shown.pk])
    given = {"went_well": shown.went_well, "to_change": shown.to_change}
    form = YearForm(request.POST or None, cancel=back, initial=given)
    if request.method == "POST" and form.is_valid():
        try:
            services.write(review=shown, by=request.user, at=clock.now(), **form.cleaned_data)
        except LooksLikeAName as why:
            form.add_error("names_nobody", str(why))
        except Refused as why:
            form.add_error(None, str(why))
        else:
            messages.success(request, "Saved.")
            return redirect(back)
    context = {"form": form, "heading": "What is said of the year", "back": back, "back_text": "The yearly review"}
    return render(request, "reviews/meeting_form.html", context | {"nothing": False})


@roles(*WORK_ON)
@require_POST
def yearly_approve(request, review_id):
    """approve=yes for one's organisation, approve=no takes it back."""
    shown = _review(request, review_id)
    approves = request.POST.get("approve") == "yes"
    try:
        (services.approve if approves else services.take_back)(review=shown, by=request.user, at=clock.now())
    except Refused as why:
        messages.error(request, str(why))
    else:
        messages.success(request, "Approved for your organisation." if approves else "The approval is taken back.")
    return redirect("reviews:yearly", shown.pk)


@roles(*WORK_ON)
@require_safe
def yearly_pdf(request, review_id):
    """In print, made of the frozen figures."""
    shown = _review(request, review_id)
    try:
        printed = services.to_pdf({"review": shown, "pack": _document(shown, printed=True)})
    except Refused as why:
        messages.error(request, str(why))
        return redirect("reviews:yearly", shown.pk)
    audit.record("reviews.yearly.downloaded", at=clock.now(), by=request.user, target=shown)
    response = HttpResponse(printed, content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="yearly-review-{shown.year_from.year}.pdf"'
    return response
