"""Take-up by pantry."""

from reviews.sections import shares
from reviews.tables import Section


def section(frozen: dict) -> Section:
    return shares.section(
        frozen["pantries"],
        slug="pantries",
        title="By pantry",
        who="Pantry",
        asked="pantry",
        note="A member stands with the pantry they belong to on the day of the figures, a week with the one it was of.",
        empty="No member belongs to a pantry yet.",
    )
