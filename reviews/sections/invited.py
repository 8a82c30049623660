"""Who is invited to the meeting, and who came."""

from reviews.tables import Cell, Section, Table


def section(frozen: dict) -> Section:
    came = {True: "Came", False: "Did not come", None: "Not yet known"}
    rows = tuple(
        (Cell(each["name"]), Cell(each["organisation"]), Cell(came[each["came"]])) for each in frozen["invited"]
    )
    if not rows:
        return Section("meeting", "Who is invited", empty="Nobody has been put on the list yet.")
    return Section(
        "meeting", "Who is invited", (), None, (Table("Both organisations", ("Name", "Organisation", "Came"), rows),)
    )
