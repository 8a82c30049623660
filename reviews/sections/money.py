"""Money paid in advance, spent and left, and what became of the weeks bought."""

from reviews.tables import MOST, Cell, Section, Table, count, cut, pence
from reviews.words import members, plural
from stockport_hubs.charts import shapes
from stockport_hubs.core.money import pounds


def section(frozen: dict) -> Section:
    got = frozen["money"]
    advance = (
        ("Paid in advance", got["paid_in_advance_pence"]),
        ("Drawn for blocks", got["drawn_pence"]),
        ("Left", got["left_pence"]),
        ("Credit in the pool", got["in_pool_pence"]),
        ("Joining fees", got["joining_pence"]),
    )
    weekly = [("Collected", "collected"), ("Missed", "missed"), ("To come", "to_come"), ("Credited", "credited")]
    if got["closed_weeks"] or got["closed_pence"]:
        weekly.insert(2, ("Closed after it began", "closed"))
    kinds = tuple((Cell(name), count(got[f"{key}_weeks"]), pence(got[f"{key}_pence"])) for name, key in weekly)
    total = (Cell("Bought"), count(got["bought_weeks"]), pence(got["bought_pence"]))
    recoverable = f"Recoverable if everyone left today: {pounds(got['recoverable_pence'])}, a part of what is to come."
    names = [name for name, _ in weekly]
    made = [
        Table(
            "Paid in advance and spent", ("", "Amount"), tuple((Cell(name), pence(value)) for name, value in advance)
        ),
        Table("What became of the weeks bought", ("", "Weeks", "Amount"), kinds, total, note=recoverable),
    ]
    if frozen["by_pantry"]:
        kept = ("joining", *(key for _, key in weekly), "bought")
        made.append(_by_pantry(frozen["by_pantry"], ("Pantry", "Joining fees", *names, "Bought"), kept))
    of_the_whole = (
        "Money paid in advance, drawn, left and in the pool is of the whole agreement: it belongs to no part of it. "
        "Blocks, weeks and joining fees are of this part."
    )
    sentence = (
        f"{plural(got['blocks'], 'block')} bought for {members(got['members'])}: "
        f"weeks for {pounds(got['bought_pence'])} and joining fees of {pounds(got['joining_pence'])}."
    )
    sentences = (sentence, of_the_whole) if frozen.get("part") else (sentence,)
    became = [(name, got[f"{key}_pence"]) for name, key in weekly]
    told = f"What became of weeks bought for {pounds(got['bought_pence'])}: "
    told += ", ".join(f"{name.lower()} {pounds(value)}" for name, value in became)
    chart = shapes.bars(f"{told}.", became, got["bought_pence"], pounds) if got["bought_pence"] else None
    return Section("money", "Money", sentences, chart, tuple(made))


def _by_pantry(pantries: list[dict], columns: tuple[str, ...], kept: tuple[str, ...]) -> Table:
    """`kept`: the amounts of the columns after the name."""

    def row(each: dict) -> tuple[Cell, ...]:
        return Cell(each["name"]), *(pence(each[f"{key}_pence"]) for key in kept)

    def together(name: str, some: list[dict]) -> tuple[Cell, ...]:
        return Cell(name), *(pence(sum(each[f"{key}_pence"] for each in some)) for key in kept)

    shown, others = cut(pantries, "bought_pence")
    seen = (*map(row, shown), together(plural(len(others), "other"), others)) if others else ()
    note = f"The {MOST} with the most bought are shown one by one; the CSV has all." if others else ""
    rows, whole = tuple(map(row, pantries)), together("Together", pantries)
    return Table("Money by pantry", columns, rows, whole, note=note, seen=seen)
