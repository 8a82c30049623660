"""How members stand."""

from reviews.definitions import DEFINITIONS
from reviews.tables import Cell, Section, Table, count


def section(frozen: dict) -> Section:
    now = frozen["members"]
    keys = ("open", "paused", "ended", "came_last4", "lapsing", "lapsed")
    standing = tuple((Cell(DEFINITIONS[key].name), count(now[key], key)) for key in keys)
    return Section("members", "How members stand", (), None, (Table("Members", ("Members", "Number"), standing),))
