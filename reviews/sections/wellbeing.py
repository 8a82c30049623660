"""How young people say they are: against their own start, and beside the published figure of another question."""

from careleavers.questions import LATER, POINTS, PREFER_NOT, QUESTIONS, choices
from reviews.definitions import DEFINITIONS
from reviews.sections.parts import small
from reviews.tables import Cell, Section, Table, count, percent
from reviews.wellbeing import CHANGES, PUBLISHED_BY, PUBLISHED_PERCENT, asked_key, change_key
from stockport_hubs.charts import shapes

SLUG, TITLE = "wellbeing", "How young people say they are"
LOCAL = (
    "Six short questions, asked in person, by phone or on paper at the start and 13 and 26 weeks later. Loneliness and "
    "belonging are national questions; the other four are local ones."
)
NAMES = tuple(point.name for point in POINTS.values())


def section(frozen: dict) -> Section:
    got = frozen["wellbeing"]
    if "grouped" in got:
        return _grouped(frozen)
    if not any(got["asked"].values()):
        return Section(SLUG, TITLE, empty="Nobody has been asked yet.")
    asked = tuple(
        (
            Cell(POINTS[point].name),
            count(got["reached"][point]),
            count(number, asked_key(point)),
            percent(number, got["reached"][point]),
        )
        for point, number in got["asked"].items()
    )
    sentence, chart, settled = _settled(got)
    return Section(
        SLUG,
        TITLE,
        (LOCAL, sentence),
        chart,
        (
            settled,
            Table(
                "Who was asked",
                ("When", "Due by then", "Asked", "Share"),
                asked,
                note="Of the cohort, everyone whose questions were due by then, or who was asked earlier.",
            ),
            *(_changes(got, point) for point in LATER if got["asked"][point]),
            _every_answer(got),
        ),
    )


def _counts(got: dict, key: str, point: str) -> tuple[int, int, int]:
    """(gave one of the more hopeful answers, answered, preferred not to say)."""
    answers = got["answers"][key][point]
    good = sum(answers[answer] for answer in QUESTIONS[key].good)
    return good, sum(answers[answer] for answer in QUESTIONS[key].answers), answers[PREFER_NOT]


def _settled(got: dict) -> tuple[str, shapes.Columns, Table]:
    """Settled in the neighbourhood, with the published figure in a row of its own and in no chart."""
    found = {point: _counts(got, "neighbourhood", point) for point in POINTS}
    told = [
        f"{POINTS[point].name.lower()}, {good:,} of {answered:,}"
        for point, (good, answered, _) in found.items()
        if answered
    ]
    sentence = f"Very or fairly settled in their neighbourhood: {'; '.join(told) or 'nobody has answered yet'}."
    rows = tuple(
        (
            Cell(f"{POINTS[point].name}: very or fairly settled"),
            count(good),
            count(answered),
            percent(good, answered),
            count(silent),
        )
        for point, (good, answered, silent) in found.items()
    )
    published = (
        Cell(f"Published, {PUBLISHED_BY}: another question, another group"),
        Cell(""),
        Cell(""),
        Cell(PUBLISHED_PERCENT, "percent"),
        Cell(""),
    )
    chart = shapes.columns(
        sentence,
        [(POINTS[point].name, answered, good) for point, (good, answered, _) in found.items()],
        behind_name="Answered",
        front_name="Very or fairly settled",
    )
    note = (
        f"The {PUBLISHED_PERCENT}% were published before the scheme, of all of Stockport’s care leavers who answered "
        "that survey. Its question is worded otherwise and was put to another group, so the difference is no effect "
        "of the scheme; a young person’s own start is what to compare with."
    )
    columns = ("When", "Said so", "Answered", "Share", "Preferred not to say")
    return sentence, chart, Table("Settled in the neighbourhood", columns, rows + (published,), note=note)


def _changes(got: dict, point: str) -> Table:
    rows = []
    for key, question in QUESTIONS.items():
        counts = got["changes"][point][key]
        answered = sum(counts[change] for change in CHANGES)
        cells = (count(counts[change], change_key(change, key, point)) for change in CHANGES)
        rows.append((Cell(question.name), *cells, count(answered), count(counts["silent"])))
    names = (DEFINITIONS[change].name for change in CHANGES)
    return Table(
        f"{POINTS[point].name} against their own start",
        ("Question", *names, "Answered both times", "Preferred not to say"),
        tuple(rows),
        note=f"Only those asked at the start and after {POINTS[point].name.lower()}. One step on a question’s scale "
        "counts as much as three.",
    )


def _every_answer(got: dict) -> Table:
    rows = tuple(
        (Cell(f"{question.name}: {words.lower()}"), *(count(got["answers"][key][point][code]) for point in POINTS))
        for key, question in QUESTIONS.items()
        for code, words in choices(key).items()
    )
    return Table("Every answer", ("Question and answer", *NAMES), rows)


def _grouped(frozen: dict) -> Section:
    """Counts only, for an organisation that does not support the young people."""
    got = frozen["wellbeing"]["grouped"]
    rows = tuple(
        (Cell(f"{question.name}: {words}"), *(count(got[key][point][code]) for point in POINTS))
        for key, question in QUESTIONS.items()
        for code, words in (
            ("good", question.good_words),
            ("other", question.other_words),
            (PREFER_NOT, "preferred not to say"),
        )
    )
    table = Table("How many gave which answers", ("Question and answers", *NAMES), rows, note=small(frozen))
    return Section(SLUG, TITLE, (LOCAL, _beside()), None, (table,))


def _beside() -> str:
    return (
        f"Published before the scheme, of another question put to another group: {PUBLISHED_PERCENT}% of Stockport’s "
        f"care leavers felt settled in their neighbourhood ({PUBLISHED_BY}). The two cannot be compared as a change."
    )
