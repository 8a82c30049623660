"""Minutes as page and PDF, and a meeting's calendar file."""

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from reviews.calendar_file import to_ics
from reviews.models import Minutes
from reviews.services import minutes as services
from reviews.views.agenda import READ, get_meeting
from stockport_hubs.accounts.permissions import get_or_404, roles
from stockport_hubs.audit import services as audit
from stockport_hubs.core import clock
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.weeks import london_date


def _file(content: bytes, kind: str, name: str) -> HttpResponse:
    response = HttpResponse(content, content_type=kind)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@roles(*READ)
@require_safe
@transaction.atomic
def minutes(request, meeting_id):
    """As they were agreed; before that a draft, as the meeting stands now."""
    meeting = get_meeting(request, meeting_id)
    agreed = Minutes.objects.for_user(request.user).filter(meeting=meeting).first()
    said = agreed.content if agreed else services.content(meeting)
    audit.record("reviews.minutes.viewed", at=clock.now(), by=request.user, target=agreed or meeting)
    return render(request, "reviews/minutes.html", {"meeting": meeting, "agreed": agreed, "said": said})


@roles(*READ)
@require_safe
def minutes_pdf(request, meeting_id):
    """Agreed minutes in print, made of what was frozen."""
    meeting = get_meeting(request, meeting_id)
    agreed = get_or_404(Minutes.objects.for_user(request.user), meeting=meeting)
    try:
        printed = services.to_pdf(agreed.content)
    except Refused as why:
        messages.error(request, str(why))
        return redirect(reverse("reviews:minutes", args=[meeting.pk]))
    audit.record("reviews.minutes.downloaded", at=clock.now(), by=request.user, target=agreed)
    return _file(printed, "application/pdf", f"minutes-{london_date(meeting.starts_at).isoformat()}.pdf")


@roles(*READ)
@require_safe
def meeting_ics(request, meeting_id):
    """For any calendar; taken again after the meeting was moved, it replaces the old entry."""
    meeting = get_meeting(request, meeting_id)
    name = f"review-meeting-{london_date(meeting.starts_at).isoformat()}.ics"
    return _file(to_ics(meeting), "text/calendar; charset=utf-8", name)
