"""What an edition says otherwise than the one before: both as documents, cell against cell. No database."""

from reviews import documents
from reviews.tables import Cell
from reviews.words import NOT_SHOWN, is_summary

SINCE = ("changes", "last-time", "entered", "grid", "definitions")  # sections that are not compared


def changed(before: dict, now: dict) -> dict:
    """{edition, threshold, rows of what / was / now}: frozen figures of two editions for the same audience."""
    old, new = _cells(before), _cells(now)
    rows = []
    for place in [*new, *(place for place in old if place not in new)]:
        was, now_is = old.get(place), new.get(place)
        if _shown(was) != _shown(now_is):
            hidden = was is not None and now_is is not None and _is_small(now, was, now_is)
            what = ", ".join(word for word in place[:3] if word)
            rows.append({"what": what, "was": NOT_SHOWN if hidden else _shown(was), "now": _shown(now_is)})
    return {"edition": before["edition"], "threshold": now["threshold"], "rows": rows}


def _cells(frozen: dict) -> dict[tuple, tuple[Cell, bool]]:
    """(section, row, column, which of that name) → (cell, guarded): every number of every table, in the order of
    reading."""
    found: dict[tuple, tuple[Cell, bool]] = {}
    for section in documents.document(frozen).sections:
        if section.slug in SINCE:
            continue
        for table in section.tables:
            for row in (*table.rows, *([table.total] if table.total else [])):
                for column, cell in zip(table.columns[1:], row[1:], strict=True):
                    if cell.is_numeric:
                        place, which = (section.title, row[0].shown, column), 0
                        while (*place, which) in found:
                            which += 1
                        found[(*place, which)] = (cell, table.guarded)
    return found


def _shown(found: tuple[Cell, bool] | None) -> str:
    return found[0].shown if found else "–"


def _is_small(frozen: dict, was: tuple[Cell, bool], now: tuple[Cell, bool]) -> bool:
    """A change that is itself a small count of a guarded table. In the summary money and shares are counts too: the
    price of a block is known."""
    (before, _), (after, guarded) = was, now
    if not guarded or before.value is None or after.value is None:
        return False
    if after.kind != "count":
        return is_summary(frozen) or after.kind == "percent"
    return abs(after.value - before.value) < frozen["threshold"]
