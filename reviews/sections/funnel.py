"""The cohort, step by step, and the answers of those who have not agreed."""

from reviews.definitions import DEFINITIONS
from reviews.sections.parts import small
from reviews.tables import Cell, Section, Table, count, percent
from reviews.words import members, people
from stockport_hubs.charts import shapes


def section(frozen: dict) -> Section:
    funnel, total = frozen["funnel"], frozen["funnel"]["identified"]
    names = {key: DEFINITIONS[key].name for key in funnel}
    steps = [
        f"{funnel[key]:,} {one if funnel[key] == 1 else many}"
        for key, one, many in (
            ("offered", "was offered an introduction", "were offered an introduction"),
            ("introduced", "was introduced", "were introduced"),
            ("joined", "joined", "joined"),
            ("first", "came at least once", "came at least once"),
            ("regular", "comes regularly", "come regularly"),
        )
        if funnel[key] is not None
    ]
    sentence = f"Of {people(total)} identified, {', '.join(steps) or 'how many went on is not shown'}"
    rows = tuple(
        (
            Cell(names[key]),
            count(funnel[key], key),
            percent(funnel[key], frozen["funding_over"] if key == "retained" else total),
        )
        for key in funnel
    )
    hidden = small(frozen)
    answers = tuple((Cell(DEFINITIONS[key].name), count(number, key)) for key, number in frozen["answers"].items())
    notes = (f"Retained is out of {people(frozen['funding_over'])} whose funding ended at least 8 weeks ago.", hidden)
    return Section(
        "funnel",
        "The cohort, step by step",
        (f"{sentence}.", *([_outside(frozen)] if frozen.get("outside_cohort") else [])),
        shapes.bars(
            f"{sentence}.", [(names[key], number) for key, number in funnel.items() if number is not None], total
        ),
        (
            Table(
                "How far each step reached",
                ("Step", "Young people", "Share of the cohort"),
                rows,
                note=" ".join(each for each in notes if each),
                guarded=bool(hidden),
            ),
            Table(
                "Offered, and not agreed so far",
                ("Latest answer", "Young people"),
                answers,
                note=hidden,
                guarded=bool(hidden),
            ),
        ),
        "" if total != 0 else "Nobody has been ticked as belonging to the cohort yet.",
    )


def _outside(frozen: dict) -> str:
    number = frozen["outside_cohort"]
    return f"{members(number)} paid for by this agreement {'is' if number == 1 else 'are'} not in the cohort."
