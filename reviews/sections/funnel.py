"""The cohort, step by step, and the answers of those who have not agreed."""

from reviews.definitions import DEFINITIONS
from reviews.sections.parts import small
from reviews.tables import Cell, Section, Table, count, percent
from reviews.words import members, people
from stockport_hubs.charts import shapes


def section(frozen: dict) -> Section:
    funnel, total = frozen["funnel"], frozen["funnel"]["identified"]
    names = {key: DEFINITIONS[key].name for key in funnel}
    sentence = f"Of {people(total)} identified, " + ", ".join(
        f"{funnel[key]:,} {words}"
        for key, words in (
            ("offered", "were offered an introduction"),
            ("introduced", "were introduced"),
            ("joined", "joined"),
            ("first", "came at least once"),
            ("regular", "come regularly"),
        )
    )
    rows = tuple(
        (
            Cell(names[key]),
            count(funnel[key], key),
            percent(funnel[key], frozen["funding_over"] if key == "retained" else total),
        )
        for key in funnel
    )
    answers = tuple((Cell(DEFINITIONS[key].name), count(number, key)) for key, number in frozen["answers"].items())
    note = f"Retained is out of {people(frozen['funding_over'])} whose funding ended at least 8 weeks ago."
    return Section(
        "funnel",
        "The cohort, step by step",
        (f"{sentence}.", *([_outside(frozen)] if frozen["outside_cohort"] else [])),
        shapes.bars(f"{sentence}.", [(names[key], funnel[key]) for key in funnel], total),
        (
            Table("How far each step reached", ("Step", "Young people", "Share of the cohort"), rows, note=note),
            Table("Offered, and not agreed so far", ("Latest answer", "Young people"), answers, note=small(frozen)),
        ),
        "" if total else "Nobody has been ticked as belonging to the cohort yet.",
    )


def _outside(frozen: dict) -> str:
    number = frozen["outside_cohort"]
    return f"{members(number)} paid for by this agreement {'is' if number == 1 else 'are'} not in the cohort."
