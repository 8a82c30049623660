"""Renewals that wait for a manager."""

from pantry.models import RenewalDecision
from reviews.tables import Cell, Section, Table, count, day, first
from reviews.words import is_ours, plural


def section(frozen: dict) -> Section:
    holds, named = frozen["holds"], is_ours(frozen)
    if not holds["count"]:
        return Section("renewals", "Held renewals", empty="No renewal is held.")
    labels = dict(RenewalDecision.Reason.choices)
    reasons = tuple((Cell(labels[key]), count(number)) for key, number in holds["reasons"].items())

    def row(each: dict) -> tuple[Cell, ...]:
        who = (Cell(str(each["number"])), *([Cell(each["name"])] if named else []))
        why = [Cell("; ".join(labels[key] for key in each["reasons"]))] if named else []
        return (*who, Cell(f"Block {each['block_no']}"), day(each["starts_on"]), *why)

    columns = (
        "Member",
        *(["Name"] if named else []),
        "Next block",
        "Would start",
        *(["Held because"] if named else []),
    )
    return Section(
        "renewals",
        "Held renewals",
        (f"{plural(holds['count'], 'renewal waits', 'renewals wait')} for a manager’s decision.",),
        None,
        (
            first("Waiting", columns, tuple(row(each) for each in holds["rows"])),
            *([Table("Why they are held", ("Reason", "Renewals"), reasons)] if named else []),
        ),
    )
