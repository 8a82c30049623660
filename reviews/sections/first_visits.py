"""How soon people came after their introduction."""

from reviews.tables import Cell, Section, Table, count
from reviews.words import people, plural


def section(frozen: dict) -> Section:
    got, title = frozen["first_visits"], "From introduction to first collection"
    if not got["came"] + got["came_first"] + got["waiting"]:
        return Section("first-visits", title, empty="Nobody has been introduced yet.")
    if got["half"] is not None:
        soon = (
            f"Half of {people(got['came'])} who came after their introduction had come within "
            f"{plural(got['half'], 'day')}."
        )
    elif got["came"]:
        soon = f"{people(got['came']).capitalize()} came after their introduction: too few to tell days."
    else:
        soon = "Nobody has come after an introduction yet."
    days = tuple(
        (Cell(name), count(got[key]))
        for name, key in (("A quarter", "quarter"), ("Half", "half"), ("Three quarters", "three_quarters"))
    )
    became = (
        (Cell("Came after it"), count(got["came"], "days_to_first")),
        (Cell("Came first, before it was sent"), count(got["came_first"], "came_first")),
        (Cell("Still waiting for a first collection"), count(got["waiting"], "waiting_first")),
    )
    made = [Table("What became of introductions", ("", "Young people"), became)]
    if got["came"]:
        made.append(Table("Of those who came after it, within", ("Share", "Days"), days))
    return Section("first-visits", title, (soon,), None, tuple(made))
