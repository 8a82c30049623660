"""What the summary for corporate parents holds: how the cohort went on, whether members come, what stands in the way,
what it costs. Two pages; its tables are those of its model (small_numbers.py)."""

from reviews.definitions import DEFINITIONS
from reviews.models import BarrierCategory
from reviews.sections.parts import small
from reviews.tables import Cell, Section, Table, count, pence, percent
from reviews.words import plural

MEANT = ("joined", "regular", "retained", "came_last4", "lapsed", "could")


def coming(frozen: dict) -> Section:
    now, came = frozen["members"], frozen["take_up"]
    rows = (
        (Cell("Open members with a week behind them"), count(now["had_weeks"]), Cell("")),
        (Cell(DEFINITIONS["came_last4"].name), count(now["came_last4"]), percent(now["came_last4"], now["had_weeks"])),
        (Cell(DEFINITIONS["lapsed"].name), count(now["lapsed"]), percent(now["lapsed"], now["had_weeks"])),
    )
    weeks = (
        (Cell("Members could come"), count(came["could"]), Cell("")),
        (Cell("They came"), count(came["came"]), percent(came["came"], came["could"])),
    )
    return Section(
        "coming",
        "Whether members come",
        tables=(
            Table("Members", ("Members", "Number", "Share"), rows, note=small(frozen), guarded=True),
            Table(
                f"Weeks of all members in {plural(frozen['period_weeks'], 'week')}",
                ("", "Times", "Share"),
                weeks,
                guarded=True,
            ),
        ),
    )


def money(frozen: dict) -> Section:
    got = frozen["money"]
    names = {"paid_in_advance_pence": "Paid in advance", "drawn_pence": "Drawn for blocks", "left_pence": "Left"}
    rows = tuple((Cell(name), pence(got[key])) for key, name in names.items())
    return Section("money", "Money", tables=(Table("Paid in advance and spent", ("", "Amount"), rows, guarded=True),))


def barriers(frozen: dict) -> Section:
    """Kinds that are common enough to be shown; one line for the others, as nobody learns which of them there are."""
    shown = {key: number for key, number in frozen["barriers"]["categories"].items() if number is not None}
    if not shown:
        return Section(
            "barriers", "What stands in the way", empty="No kind of barrier is common enough to be shown here."
        )
    kinds = tuple((Cell(BarrierCategory(key).label), count(number)) for key, number in shown.items())
    rest = (Cell("Every other kind"), count(None))
    return Section(
        "barriers",
        "What stands in the way",
        tables=(Table("Open barriers by kind", ("Kind", "Open"), (*kinds, rest), note=small(frozen), guarded=True),),
    )


def actions(frozen: dict) -> Section:
    got = frozen["actions"]
    late = f", {got['overdue']:,} of them overdue" if got["overdue"] else ""
    done = f"{plural(frozen['actions_done'], 'action')} of the meetings done in the period"
    return Section("actions", "What the meetings agreed", (f"{done}; {got['waiting']:,} still to do{late}.",))


def definitions(frozen: dict) -> Section:
    rows = tuple((Cell(DEFINITIONS[key].name), Cell(DEFINITIONS[key].counts)) for key in MEANT)
    return Section(
        "definitions",
        "What the figures mean",
        ("A figure counts the day on which something happened, not the day on which it was entered.",),
        tables=(Table("Definitions", ("Figure", "What it counts"), rows),),
    )
