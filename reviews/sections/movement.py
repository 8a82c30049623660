"""What changed: the members at the start, every move of the period, the members at the end."""

from reviews.tables import Cell, Section, Table, count, percent
from reviews.words import plural, said

STATES = ("open", "paused", "ended")
STEPS = {
    "joined": ("Joined in the period", "joined"),
    "returned": ("Returned after leaving", "returned"),
    "paused": ("Paused", "paused"),
    "resumed": ("Resumed", "resumed"),
    "left": ("Left", "left"),
}
# Into and out of a part: what it was asked by.
WAYS = {
    "pantry": ("Moved here from another pantry", "Moved to another pantry"),
    "advisor": ("Came to this advisor", "Went to another advisor"),
    "cohort": ("Came into this part", "Went out of this part"),
}


def names_of(part: dict | None) -> dict[str, tuple[str, str]]:
    """Kind of a move → (its row, its verb)."""
    if not part:
        return STEPS
    asked = [key for key in WAYS if part[key]]
    came, went = WAYS[asked[0] if len(asked) == 1 else "cohort"]
    return STEPS | {"in": (came, "came in"), "out": (went, "went out")}


def section(frozen: dict) -> Section:
    got, names = frozen["movement"], names_of(frozen.get("part"))
    steps = [(*names[each["kind"]], each) for each in got["steps"] if each["kind"] in names]
    rows = (
        (Cell(f"At the end of {said(got['since'])}"), *(count(got["start"][key]) for key in STATES)),
        *(
            (Cell(name), *(Cell(each[key], "change", f"change_{each['kind']}") for key in STATES))
            for name, _, each in steps
        ),
    )
    total = (Cell(f"At the end of {said(frozen['as_at'])}"), *(count(got["end"][key]) for key in STATES))
    moved = [f"{each['times']:,} {verb}" for _, verb, each in steps if each["times"]]
    open_now, open_then = got["end"]["open"], got["start"]["open"]
    change = (
        "as many as" if open_now == open_then else f"{abs(open_now - open_then):,} {_more(open_now - open_then)} than"
    )
    sentence = (
        f"{plural(open_now, 'membership is', 'memberships are')} open, {change} on the evening of {said(got['since'])}"
        f"{': ' + ', '.join(moved) if moved else '; nothing moved'}."
    )
    made = [Table("Start, moves, end", ("", "Open", "Paused", "Ended"), rows, total)]
    if frozen.get("before") and frozen["before"]["could"]:  # nobody could: the agreement had not begun
        made.append(_compared(frozen))
    return Section("movement", "What changed in the period", (sentence,), None, tuple(made))


def _more(change: int) -> str:
    return "more" if change > 0 else "fewer"


def _compared(frozen: dict) -> Table:
    before, weeks = frozen["before"], frozen["weeks"]
    now = {"could": sum(each["could"] for each in weeks), "came": sum(each["came"] for each in weeks)}

    def row(name: str, number: int, could: int, came: int) -> tuple[Cell, ...]:
        return Cell(name), count(number), count(could), count(came), percent(came, could)

    rows = (
        row(f"The period before, from {said(before['from'])}", before["weeks"], before["could"], before["came"]),
        row(f"This period, from {said(frozen['period_from'])}", len(weeks), now["could"], now["came"]),
    )
    columns = ("", "Weeks", "Could come", "Came", "Rate")
    return Table("Take-up of this period and of the one before", columns, rows)
