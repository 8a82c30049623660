"""Packs: asked for, read as a page, taken away as PDF, CSV or workbook. Every look is in the audit."""

from urllib.parse import urlencode

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from reviews import documents, printing, tables
from reviews.models import GIVEN_ROLES, Audience, PackRecipient, ReviewMeeting, ReviewPack
from reviews.services import packs as services
from stockport_hubs.accounts.models import Role
from stockport_hubs.accounts.permissions import get_or_404, roles
from stockport_hubs.core import clock
from stockport_hubs.core.pages import Paginator

MAKE = (Role.LEAVING_CARE_MANAGER, Role.PANTRY_MANAGER)
READ = (*MAKE, *GIVEN_ROLES)
ROWS = 25
# Neutral: no person and no telling word in a file's name.
FILE_NAMES: dict[str, str] = {
    Audience.LEAVING_CARE: "council",
    Audience.STOCKPORT_HOMES: "operator",
    Audience.CORPORATE_PARENTS: "summary",
}


@roles(*READ)
@require_safe
def packs(request):
    """The packs one may read, the newest first."""
    found = ReviewPack.objects.for_user(request.user).select_related("meeting__agreement").defer("figures", "pdf")
    page = Paginator(found.order_by("-as_at", "-pk"), ROWS).get_page(request.GET.get("page"))
    return render(request, "reviews/pack_list.html", {"page": page, "is_given": request.user.role in GIVEN_ROLES})


@roles(*MAKE)
@require_POST
def pack_build(request, meeting_id):
    """Start a job for each of one's packs; the progress of those nobody else had asked for is shown, one after the
    other: whichever is done first, the meeting is shown when all are."""
    meeting = get_or_404(ReviewMeeting.objects.for_user(request.user), pk=meeting_id)
    asked = services.ask(meeting=meeting, by=request.user, at=clock.now())
    then = reverse("reviews:meeting", args=[meeting.pk]) + "#packs"
    mine = [job for job in asked if job.asked_by_id == request.user.pk]
    if not mine:
        messages.info(request, "Somebody asked for it before you did. It is being made, and will be listed here.")
        return redirect(then)
    messages.info(request, "The packs are being made." if len(asked) > 1 else "The pack is being made.")
    for job in mine:
        then = f"{reverse('jobs:progress', args=[job.pk])}?{urlencode({'next': then})}"
    return redirect(then)


def _pack(request, pack_id, *, verb: str, with_pdf: bool = False) -> ReviewPack:
    """The edition, and its audit row: whom it showed to whom."""
    found = ReviewPack.objects.for_user(request.user).select_related("meeting__agreement", "made_by")
    shown = get_or_404(found if with_pdf else found.defer("pdf"), pk=pack_id)
    services.disclose(pack=shown, verb=verb, by=request.user, at=clock.now())
    return shown


@roles(*READ)
@require_safe
@transaction.atomic
def pack(request, pack_id):
    """The edition as a page: the same frozen figures as its files."""
    shown = _pack(request, pack_id, verb="viewed")
    editions = ReviewPack.objects.for_user(request.user).filter(meeting=shown.meeting, audience=shown.audience)
    given = PackRecipient.objects.for_user(request.user).filter(pack=shown, withdrawn_at__isnull=True)
    context = {
        "pack": shown,
        "document": documents.document(shown.figures),
        "editions": editions.defer("figures", "pdf").order_by("-edition"),
        "links": "",
        "may_give": request.user.role in MAKE,
        "recipients": given.select_related("user")[:ROWS],
        "sees_meeting": request.user.role != Role.FINANCE_OFFICER,
    }
    return render(request, "reviews/pack_detail.html", context)


def _file(content, kind: str, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type=kind)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _name(shown: ReviewPack) -> str:
    whose = FILE_NAMES[shown.audience]
    return f"review-pack-{shown.meeting.period_to.isoformat()}-{whose}-edition-{shown.edition}"


@roles(*READ)
@require_safe
@transaction.atomic
def pack_pdf(request, pack_id):
    """The PDF as it was stored."""
    shown = _pack(request, pack_id, verb="downloaded", with_pdf=True)
    return _file(bytes(shown.pdf), "application/pdf", f"{_name(shown)}.pdf")


@roles(*READ)
@require_safe
@transaction.atomic
def pack_csv(request, pack_id):
    """The tables of the edition; with the mark by which spreadsheets know UTF-8."""
    shown = _pack(request, pack_id, verb="downloaded")
    text = tables.to_csv(documents.document(shown.figures))
    return _file("\ufeff" + text, "text/csv; charset=utf-8", f"{_name(shown)}.csv")


@roles(*READ)
@require_safe
@transaction.atomic
def pack_xlsx(request, pack_id):
    """The tables of the edition as a workbook, a sheet for each."""
    shown = _pack(request, pack_id, verb="downloaded")
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    from reviews import workbooks  # openpyxl is slow to load, and seldom wanted

    return _file(workbooks.to_xlsx(documents.document(shown.figures)), kind, f"{_name(shown)}.xlsx")


@roles(*MAKE)
@require_safe
@transaction.atomic
def print_all(request, meeting_id):
    """Everything to print for a meeting as one file: the newest edition of each of one's packs, the agreed minutes."""
    meeting = get_or_404(ReviewMeeting.objects.for_user(request.user), pk=meeting_id)
    newest = services.latest(meeting, request.user)
    if not newest:
        messages.error(request, "There is nothing to print yet. Make the packs first.")
        return redirect(reverse("reviews:meeting", args=[meeting.pk]) + "#packs")
    for each in newest:
        services.disclose(pack=each, verb="downloaded", by=request.user, at=clock.now())
    name = f"review-meeting-{meeting.period_to.isoformat()}.pdf"
    return _file(printing.together(meeting, newest, request.user), "application/pdf", name)
