"""What a PIN gives: a signed word that one volunteer may add entries to the day's sessions from one tablet.

It opens nothing else: no page takes it, what it signs is added and never read back with it after `READS_FOR`, and
without the tablet's own cookie it is nothing. It lies beside the entries on the device, so that who recorded them is
known when they are sent, days later, by somebody else.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from django.core import signing

GOOD_FOR_DAYS = 14  # entries that arrive later are held
READS_FOR = timedelta(hours=12)  # a list is given no longer with it
SALT = "pantry.tablet"
EPOCH, MICROSECOND = datetime(2000, 1, 1, tzinfo=UTC), timedelta(microseconds=1)


@dataclass(frozen=True)
class Token:
    """Who unlocked which tablet for which sessions, and when."""

    volunteer: UUID
    tablet: UUID
    sessions: tuple[UUID, ...]
    at: datetime

    @property
    def until(self) -> datetime:
        return self.at + timedelta(days=GOOD_FOR_DAYS)

    def sign(self) -> str:
        what = [
            self.volunteer.hex,
            self.tablet.hex,
            [each.hex for each in self.sessions],
            (self.at - EPOCH) // MICROSECOND,
        ]
        return signing.dumps(what, salt=SALT)


def read(text: object) -> Token | None:
    """The token, however old; None where nobody here signed it."""
    if not isinstance(text, str) or len(text) > 1000:
        return None
    try:
        volunteer, tablet, sessions, at = signing.loads(text, salt=SALT)
    except signing.BadSignature:
        return None
    return Token(UUID(volunteer), UUID(tablet), tuple(map(UUID, sessions)), EPOCH + at * MICROSECOND)
