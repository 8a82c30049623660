"""Actions of the meetings that wait."""

from reviews.tables import Cell, Section, Table, day
from reviews.words import plural


def section(frozen: dict) -> Section:
    rows = tuple(
        (Cell(each["what"]), Cell(each["owner"]), day(each["due_on"]), Cell("Overdue" if each["overdue"] else ""))
        for each in frozen["actions"]
    )
    done = f"{plural(frozen['actions_done'], 'action')} done in the period."
    if not rows:
        return Section("actions", "Actions of the meetings", (done,), empty="No action of a meeting is waiting.")
    return Section(
        "actions", "Actions of the meetings", (done,), None, (Table("Still to do", ("What", "Owner", "Due", ""), rows),)
    )
