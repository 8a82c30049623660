"""What this edition says otherwise than the one before."""

from reviews.tables import Cell, Section, Table
from reviews.words import plural

SHOWN = 40


def section(frozen: dict) -> Section:
    got = frozen["changed"]
    title = f"What changed since edition {got['edition']}"
    rows = tuple((Cell(each["what"]), Cell(each["was"]), Cell(each["now"])) for each in got["rows"][:SHOWN])
    if not rows:
        return Section("changes", title, empty=f"No figure has changed since edition {got['edition']}.")
    more = len(got["rows"]) - len(rows)
    notes = [f"{plural(more, 'more figure')} changed."] if more else []
    if got["threshold"]:
        notes.append(
            f"What a small count was, and from what it changed by fewer than {got['threshold']}, is not shown."
        )
    return Section(
        "changes",
        title,
        tables=(Table("Figures that moved", ("Figure", "Was", "Is"), rows, note=" ".join(notes)),),
    )
