"""The sections of a pack: frozen figures in, sentences, tables and charts out. No database. One noun a file, each with
its `section(frozen)`; what an edition does not hold (it was made before, or is nobody's to see) makes no section."""

from reviews.sections import (
    actions,
    barriers,
    by_advisor,
    by_pantry,
    changes,
    definitions,
    entered,
    first_visits,
    food,
    funnel,
    grid,
    invited,
    last_time,
    links,
    members,
    money,
    movement,
    renewals,
    summary,
    take_up,
    volunteering,
    wellbeing,
)
from reviews.sections.grid import LETTERS
from reviews.tables import Section
from reviews.words import is_summary

# In the order of reading: (the section, the key of the frozen figures without which there is none).
ORDER = (
    (movement, "movement"),
    (funnel, "funnel"),
    (first_visits, "first_visits"),
    (take_up, "weeks"),
    (by_pantry, "pantries"),
    (by_advisor, "advisors"),
    (members, "members"),
    (money, "money"),
    (food, "food"),
    (renewals, "holds"),
    (barriers, "barriers"),
    (wellbeing, "wellbeing"),
    (links, "links"),
    (volunteering, "volunteering"),
    (actions, "actions"),
    (last_time, "last_time"),
    (changes, "changed"),
    (entered, "entered"),
    (invited, "meeting"),
    (definitions, "version"),
)


def all_of(frozen: dict, printed: bool) -> list[Section]:
    """Every section in the order of reading; the grid, which is wide, at the end."""
    if is_summary(frozen):
        told = [funnel.section, summary.coming, summary.barriers, summary.money, summary.actions]
        changed = [changes.section] if "changed" in frozen else []
        return [part(frozen) for part in (*told, *changed, summary.definitions)]
    made = [part.section(frozen) for part, key in ORDER if key in frozen]
    return [*made, grid.section(frozen, printed)]


__all__ = ["LETTERS", "all_of"]
