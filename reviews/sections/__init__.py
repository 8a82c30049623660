"""The sections of a pack: frozen figures in, sentences, tables and charts out. No database. One noun a file, each with
its `section(frozen)`; what an edition does not hold (it was made before, or is nobody's to see) makes no section."""

from reviews.sections import actions, barriers, definitions, funnel, grid, invited, members, money, renewals, take_up
from reviews.sections.grid import LETTERS
from reviews.tables import Section

# In the order of reading: (the section, the key of the frozen figures without which there is none).
ORDER = (
    (funnel, "funnel"),
    (take_up, "weeks"),
    (members, "members"),
    (money, "money"),
    (renewals, "holds"),
    (barriers, "barriers"),
    (actions, "actions"),
    (invited, "meeting"),
    (definitions, "version"),
)


def all_of(frozen: dict, printed: bool) -> list[Section]:
    """Every section in the order of reading; the grid, which is wide, at the end."""
    made = [part.section(frozen) for part, key in ORDER if key in frozen]
    return [*made, grid.section(frozen, printed)]


__all__ = ["LETTERS", "all_of"]
