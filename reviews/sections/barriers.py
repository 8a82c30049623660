"""What stands in the way."""

from reviews.models import BarrierCategory, BarrierState
from reviews.sections.parts import small
from reviews.tables import Cell, Section, Table, count, day, first
from reviews.words import is_ours, plural
from stockport_hubs.charts import shapes

AGES = {"up_to_4": "Up to 4 weeks old", "up_to_12": "5 to 12 weeks", "older": "Older"}


def section(frozen: dict) -> Section:
    got, ours = frozen["barriers"], is_ours(frozen)
    if not got["rows"] and not any(number is None or number for number in got["categories"].values()):
        return Section("barriers", "What stands in the way", empty="No barrier is recorded as open.")
    shown = {key: number for key, number in got["categories"].items() if not ours or number}
    kinds = tuple(
        (Cell(BarrierCategory(key).label), count(number, f"barriers?category={key}")) for key, number in shown.items()
    )
    largest = sorted(shown.items(), key=lambda pair: -(pair[1] or 0))
    told = "; ".join(f"{BarrierCategory(key).label}: {number}" for key, number in largest if number)
    chart = (
        shapes.bars(f"Open barriers by kind. {told}.", [(BarrierCategory(key).label, n) for key, n in largest if n])
        if told
        else None
    )
    rows = tuple(
        (
            Cell(each["about"]),
            Cell(BarrierCategory(each["category"]).label),
            Cell(BarrierState(each["state"]).label),
            Cell(each["owner"]),
            day(each["due_on"]),
            Cell("; ".join(each["actions"])),
        )
        for each in got["rows"]
    )
    made = [Table("Open barriers by kind", ("Kind", "Open"), kinds, note=small(frozen), guarded=not ours)]
    if frozen.get("ages"):
        made.append(_ages(frozen["ages"]))
    if rows:
        caption = "Each barrier, its owner and what is being done" if ours else "About the pantries themselves"
        about = "About" if ours else "Pantry"
        made.append(first(caption, (about, "Kind", "State", "Owner", "Due", "Actions"), rows))
    sentences = (f"{plural(got['count'], 'barrier')} {'is' if got['count'] == 1 else 'are'} open.",) if ours else ()
    return Section("barriers", "What stands in the way", sentences, chart, tuple(made))


def _ages(ages: dict[str, dict[str, int]]) -> Table:
    """By category: in which state, and how long ago raised."""
    states = [BarrierState.OPEN.value, BarrierState.IN_HAND.value]
    keys = [*states, *AGES]
    rows = tuple(
        (Cell(BarrierCategory(category).label), *(count(counts.get(key, 0)) for key in keys))
        for category, counts in ages.items()
    )
    total = (Cell("Together"), *(count(sum(counts.get(key, 0) for counts in ages.values())) for key in keys))
    columns = ("Kind", *(BarrierState(state).label for state in states), *AGES.values())
    return Table("How long they have stood, and whether they are in hand", columns, rows, total)
