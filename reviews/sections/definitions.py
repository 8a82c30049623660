"""What each figure means, in every pack."""

from reviews.definitions import DEFINITIONS, out_of
from reviews.tables import Cell, Section, Table


def section(frozen: dict) -> Section:
    rows = tuple(
        (
            Cell(each.name),
            Cell(each.counts),
            Cell(out_of(each)),
        )
        for each in DEFINITIONS.values()
    )
    sentences = ("A figure counts the day on which something happened, not the day on which it was entered.",)
    columns = ("Figure", "What it counts", "Out of")
    return Section("definitions", "What the figures mean", sentences, None, (Table("Definitions", columns, rows),))
