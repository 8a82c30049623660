"""The job that makes a pack."""

from reviews.models import ReviewMeeting
from reviews.services import packs
from stockport_hubs.accounts.models import User
from stockport_hubs.core import clock
from stockport_hubs.jobs.services import Work, handler


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
        at=clock.now(),
        job=work.job,
        progress=work.progress,
    )
