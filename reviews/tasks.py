"""The jobs of the reviews; loaded at start, and make their e-mails known."""

from contextlib import suppress
from datetime import date, timedelta

from pantry.models import FundingAgreement
from reviews import pack_messages
from reviews.models import ReviewMeeting
from reviews.rules import EDITABLE
from reviews.services import agenda, packs, reminders, yearly
from stockport_hubs.accounts.models import User
from stockport_hubs.core import clock
from stockport_hubs.core.errors import Refused
from stockport_hubs.jobs.services import Work, handler

pack_messages.register()
reminders.register()
AHEAD = timedelta(weeks=5)


@handler(packs.KIND, seconds=240, label="Making the pack")
def build_pack(work: Work):
    """ids: meeting, audience, by."""
    meeting = ReviewMeeting.objects.select_related("agreement__funder", "agreement__operator").get(
        pk=work.ids["meeting"]
    )
    return packs.build(
        meeting=meeting,
        audience=work.ids["audience"],
        by=User.objects.get(pk=work.ids["by"]),
        now=clock.now,
        job=work.job,
        progress=work.progress,
    )


@handler("reviews.agenda", seconds=240, every_minutes=60, label="Filling agendas")
def fill_agendas(work: Work) -> None:
    """The agendas of the meetings of the next weeks, each in a transaction of its own."""
    now = clock.now()
    soon = ReviewMeeting.objects.filter(state__in=EDITABLE, starts_at__lte=now + AHEAD, starts_at__gte=now - AHEAD)
    for meeting in soon.order_by("starts_at"):
        with suppress(Refused):  # held this very moment
            agenda.fill(meeting=meeting, job="reviews.agenda", at=now)


@handler("reviews.remind", seconds=120, every_minutes=60, label="Reminding of actions")
def remind(work: Work) -> None:
    """Whoever owns an action that is due soon, or overdue."""
    while reminders.sweep(at=clock.now(), job="reviews.remind") == reminders.AT_ONCE:
        work.progress(50, "")


@handler(yearly.KIND, seconds=240, label="Counting the year")
def yearly_review(work: Work):
    """ids: agreement, year, by."""
    both = FundingAgreement.objects.select_related("funder", "operator")
    return yearly.build(
        agreement=both.get(pk=work.ids["agreement"]),
        year_from=date(work.ids["year"], 4, 1),
        by=User.objects.get(pk=work.ids["by"]),
        at=clock.now(),
        job=work.job,
    )
