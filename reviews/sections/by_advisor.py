"""Take-up by personal advisor: for the Leaving Care Team alone."""

from reviews.sections import shares
from reviews.tables import Section

NOTE = (
    "A member stands with the advisor to whom the young person is allocated on the day of the figures, with all weeks "
    "of the period; cover changes nothing here."
)


def section(frozen: dict) -> Section:
    return shares.section(
        frozen["advisors"],
        slug="advisors",
        title="By personal advisor",
        who="Personal advisor",
        asked="advisor",
        note=NOTE,
        empty="No member has a personal advisor yet.",
    )
