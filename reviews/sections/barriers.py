"""What stands in the way."""

from reviews.models import BarrierCategory, BarrierState
from reviews.sections.parts import small
from reviews.tables import Cell, Section, Table, count, day
from reviews.words import is_ours, plural


def section(frozen: dict) -> Section:
    got, ours = frozen["barriers"], is_ours(frozen)
    if not got["rows"] and not any(number is None or number for number in got["categories"].values()):
        return Section("barriers", "What stands in the way", empty="No barrier is recorded as open.")
    shown = {key: number for key, number in got["categories"].items() if not ours or number}
    kinds = tuple((Cell(BarrierCategory(key).label), count(number)) for key, number in shown.items())
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
    if rows:
        caption = "Each barrier, its owner and what is being done" if ours else "About the pantries themselves"
        about = "About" if ours else "Pantry"
        made.append(Table(caption, (about, "Kind", "State", "Owner", "Due", "Actions"), rows))
    sentences = (f"{plural(got['count'], 'barrier')} {'is' if got['count'] == 1 else 'are'} open.",) if ours else ()
    return Section("barriers", "What stands in the way", sentences, None, tuple(made))
