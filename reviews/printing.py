"""What is printed for a meeting, as one file."""

from reviews import documents
from reviews.models import ReviewMeeting, ReviewPack
from stockport_hubs.core.weeks import london_date
from stockport_hubs.pdf import merge


def together(meeting: ReviewMeeting, packs: list[ReviewPack]) -> bytes:
    """The editions one after the other, each with its bookmarks under its own."""
    day = london_date(meeting.starts_at)
    parts = [(f"{documents.TITLES[each.audience]}, edition {each.edition}", bytes(each.pdf)) for each in packs]
    return merge.together(f"Review meeting of {day.day} {day:%B %Y}", parts)
