"""Take-up by whatever the whole is divided into: pantries, personal advisors."""

from reviews.breakdowns import BY_NUMBER, NOBODY
from reviews.tables import MOST, Cell, Section, Table, count, cut, percent
from reviews.words import plural
from stockport_hubs.charts import shapes

COUNTED = ("open", "paused", "could", "came", "rate", "regular", "lapsed")
NAMES = {"open": "Open", "paused": "Paused", "could": "Could come", "came": "Came", "rate": "Rate"} | {
    "regular": "Regular",
    "lapsed": "Lapsed",
}
CHARTED = 20  # more bars than that are no picture


def section(shares: list[dict], *, slug: str, title: str, who: str, asked: str, note: str, empty: str) -> Section:
    """`shares` as `frozen.pantries` makes them; `asked` is the filter's name, by which a number leads to its people."""
    if not shares:
        return Section(slug, title, empty=empty)
    names = {NOBODY: "Nobody allocated", BY_NUMBER: "Known by number only"}

    def cell(each: dict, key: str) -> Cell:
        if key == "rate":
            return percent(each["came"], each["could"])
        figure = {"regular": "regular_members"}.get(key, key)
        return count(each[key], "" if each["key"] in names else f"{figure}?{asked}={each['key']}")

    def together(name: str, some: list[dict]) -> tuple[Cell, ...]:
        sums = {key: sum(each[key] for each in some) for key in COUNTED if key != "rate"}
        rate = percent(sums["came"], sums["could"])
        return Cell(name), *(rate if key == "rate" else count(sums[key]) for key in COUNTED)

    def row(each: dict) -> tuple[Cell, ...]:
        return Cell(names.get(each["key"], each["name"])), *(cell(each, key) for key in COUNTED)

    shown, others = cut(shares, "could")
    seen: tuple[tuple[Cell, ...], ...] = ()
    if others:
        seen = (*map(row, shown), together(plural(len(others), "other"), others))
        note = (
            f"{note} The {MOST} with the most weeks in which members could come are shown one by one; the CSV has all."
        )
    table = Table(
        f"Take-up {title[0].lower()}{title[1:]}",
        (who, *(NAMES[key] for key in COUNTED)),
        tuple(map(row, shares)),
        together("Together", shares),
        note=note,
        seen=seen,
    )
    return Section(slug, title, (), _chart(shares, names), (table,))


def _chart(shares: list[dict], names: dict[str, str]) -> shapes.Bars | None:
    """How many of 100 weeks they came in; of one alone, or of more than fit, there is none."""
    rates = [
        (names.get(each["key"], each["name"]), percent(each["came"], each["could"]).value)
        for each in shares
        if each["could"]
    ]
    if not 1 < len(rates) <= CHARTED:
        return None
    spoken = "; ".join(f"{name} {rate}%" for name, rate in rates)
    said = f"Of 100 weeks in which members could come, they came in: {spoken}."
    return shapes.bars(said, rates, 100, "{}%".format)
