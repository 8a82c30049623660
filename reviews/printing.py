"""What is printed for a meeting, as one file."""

from reviews import documents
from reviews.models import Minutes, ReviewMeeting, ReviewPack
from reviews.services import minutes
from stockport_hubs.accounts.models import User
from stockport_hubs.core.weeks import london_date
from stockport_hubs.pdf import merge


def together(meeting: ReviewMeeting, packs: list[ReviewPack], by: User) -> bytes:
    """The editions one after the other, then the agreed minutes: each with its bookmarks under its own."""
    day = london_date(meeting.starts_at)
    parts = [(f"{documents.TITLES[each.audience]}, edition {each.edition}", bytes(each.pdf)) for each in packs]
    for agreed in Minutes.objects.for_user(by).filter(meeting=meeting):
        parts.append(("Minutes", minutes.to_pdf(agreed.content)))
    return merge.together(f"Review meeting of {day.day} {day:%B %Y}", parts)
