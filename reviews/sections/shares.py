"""Take-up by whatever the whole is divided into: pantries, personal advisors."""

from reviews.breakdowns import BY_NUMBER, NOBODY
from reviews.tables import Cell, Section, Table, count, percent
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
    called = [names.get(each["key"], each["name"]) for each in shares]

    def cell(each: dict, key: str) -> Cell:
        if key == "rate":
            return percent(each["came"], each["could"])
        figure = {"regular": "regular_members"}.get(key, key)
        return count(each[key], "" if each["key"] in names else f"{figure}?{asked}={each['key']}")

    rows = tuple((Cell(name), *(cell(each, key) for key in COUNTED)) for name, each in zip(called, shares, strict=True))
    sums = {key: sum(each[key] for each in shares) for key in COUNTED if key != "rate"}
    total = (
        Cell("Together"),
        *(percent(sums["came"], sums["could"]) if key == "rate" else count(sums[key]) for key in COUNTED),
    )
    rates = [
        (name, percent(each["came"], each["could"]).value)
        for name, each in zip(called, shares, strict=True)
        if each["could"]
    ]
    spoken = "; ".join(f"{name} {rate}%" for name, rate in rates)
    said = f"Of 100 weeks in which members could come, they came in: {spoken}."
    chart = shapes.bars(said, rates, 100, "{}%".format) if 1 < len(rates) <= CHARTED else None
    table = Table(
        f"Take-up {title[0].lower()}{title[1:]}", (who, *(NAMES[key] for key in COUNTED)), rows, total, note=note
    )
    return Section(slug, title, (), chart, (table,))
