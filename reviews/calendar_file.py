"""A meeting as a calendar file (RFC 5545). It names no person: when, where, and a link behind the sign-in."""

from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.urls import reverse

from reviews.models import ReviewMeeting

OCTETS = 75  # of a line, its end not counted


def to_ics(meeting: ReviewMeeting) -> bytes:
    """One event. A calendar that has it already replaces it when the meeting was moved since (SEQUENCE)."""
    ends_at = meeting.starts_at + timedelta(minutes=meeting.lasts_minutes)
    link = f"{settings.SITE_URL}{reverse('reviews:meeting', args=[meeting.pk])}"
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Stockport Hubs//Review meetings//EN",
        "METHOD:PUBLISH",
        "BEGIN:VEVENT",
        f"UID:{meeting.pk}@stockport-hubs",
        f"DTSTAMP:{_utc(meeting.moved_at or meeting.planned_at)}",
        f"SEQUENCE:{meeting.times_moved}",
        f"DTSTART:{_utc(meeting.starts_at)}",
        f"DTEND:{_utc(ends_at)}",
        "SUMMARY:Review meeting",
        f"LOCATION:{_text(meeting.where)}",
        f"DESCRIPTION:{_text('Agenda and minutes, after signing in: ' + link)}",
        f"URL:{link}",
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return "".join(_folded(line) for line in lines).encode()


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _text(value: str) -> str:
    """Signs of the format with a backslash before them; every kind of line end as a written one."""
    for sign in ("\\", ";", ","):
        value = value.replace(sign, f"\\{sign}")
    return "\\n".join("".join(sign for sign in line if sign.isprintable()) for line in value.splitlines())


def _folded(line: str) -> str:
    """Lines of at most 75 octets, the later ones begun with a blank; no letter is cut in two."""
    parts, room = [""], OCTETS
    for letter in line:
        size = len(letter.encode())
        if size > room:
            parts.append(" ")
            room = OCTETS - 1
        parts[-1] += letter
        room -= size
    return "".join(f"{part}\r\n" for part in parts)
