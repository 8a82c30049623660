"""Packs: asked for, read as a page, taken away as PDF or CSV. Every look is in the audit."""

from urllib.parse import urlencode

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from reviews import audience, documents, tables
from reviews.models import Audience, ReviewMeeting, ReviewPack
from reviews.services import packs
from stockport_hubs.accounts.models import Role
from stockport_hubs.accounts.permissions import get_or_404, roles
from stockport_hubs.audit import services as audit
from stockport_hubs.core import clock

READ = (Role.LEAVING_CARE_MANAGER, Role.PANTRY_MANAGER)


@roles(*READ)
@require_POST
def pack_build(request, meeting_id):
    """Start a job for each of one's packs; the progress of those nobody else had asked for is shown, one after the
    other: whichever is done first, the meeting is shown when all are."""
    meeting = get_or_404(ReviewMeeting.objects.for_user(request.user), pk=meeting_id)
    asked = packs.ask(meeting=meeting, by=request.user, at=clock.now())
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
    people = audience.subjects(shown.figures)
    audit.record(f"reviews.pack.{verb}", at=clock.now(), by=request.user, target=shown, subjects=people)
    return shown


@roles(*READ)
@require_safe
@transaction.atomic
def pack(request, pack_id):
    """The edition as a page: the same frozen figures as its PDF and CSV."""
    shown = _pack(request, pack_id, verb="viewed")
    editions = ReviewPack.objects.for_user(request.user).filter(meeting=shown.meeting, audience=shown.audience)
    context = {
        "pack": shown,
        "document": documents.document(shown.figures),
        "editions": editions.defer("figures", "pdf").order_by("-edition"),
        "links": "",
    }
    return render(request, "reviews/pack_detail.html", context)


def _file(content, kind: str, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type=kind)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _name(shown: ReviewPack) -> str:
    """Neutral: no person and no telling word in a file's name."""
    whose = "council" if shown.audience == Audience.LEAVING_CARE else "operator"
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
