"""What every layout of a list has in common: the line of headings, rows by column, ids that stand twice, ages."""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any

from careleavers import rules
from stockport_hubs.core.cells import Problem, check_no_error, simple, text
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.weeks import age_on

MAX_ROWS = 5_000
HEADING_LINES = 10  # headings stand in one of the first lines; some files have a title above
DAYS = ("born_on", "pathway_plan_review_on")


@dataclass
class Row:
    """One line of the file, understood or refused. `defaults` hold for somebody new alone."""

    number: int
    reference: str = ""
    facts: dict = field(default_factory=dict)
    advisor: str = ""
    problems: list[tuple[str, str]] = field(default_factory=list)  # (column, reason)
    warnings: list[str] = field(default_factory=list)
    defaults: dict = field(default_factory=dict)

    def to_plain(self) -> dict:
        """As JSON can hold it."""
        facts = {name: value.isoformat() if name in DAYS else value for name, value in self.facts.items()}
        return asdict(self) | {"facts": facts}

    @classmethod
    def from_plain(cls, plain: dict) -> "Row":
        facts = {name: date.fromisoformat(v) if name in DAYS else v for name, v in plain["facts"].items()}
        problems = [(column, reason) for column, reason in plain["problems"]]
        return cls(**plain | {"facts": facts, "problems": problems})


@dataclass
class Sheet:
    """A list as it was read: by which layout, which columns, and its rows."""

    layout: str
    title: str
    read: list[str]  # headings that are read, as the file spells them
    dropped: list[str]  # and those that are not
    rows: list[Row]

    def to_plain(self) -> dict:
        return {**vars(self), "rows": [row.to_plain() for row in self.rows]}

    @classmethod
    def from_plain(cls, plain: dict) -> "Sheet":
        return cls(**plain | {"rows": [Row.from_plain(each) for each in plain["rows"]]})


@dataclass(frozen=True)
class Layout:
    """How one kind of list is read: headings as real files spell them, a reader for each column, and what is judged
    over a whole row (its cells by column, its headings by column, today)."""

    key: str
    label: str
    headings: dict[str, set[str]]
    needed: tuple[str, ...]
    filled: tuple[str, ...]  # columns that must not be empty
    readers: dict[str, Callable[[Any], Any]]
    says: str  # which headings there must be
    not_kept: tuple[str, ...] = ()  # columns that are judged and left out
    judge: Callable[[Row, dict, dict[str, str], date], None] = lambda row, cells, heads, today: None


def read_rows(book, title: str, layouts: list[Layout], today: date) -> Sheet:
    """The rows of a sheet, by the first of the layouts whose headings are there."""
    lines = book.lines(title)
    layout, headings, columns = _headings(title, lines, layouts)
    heads = {name: text(headings[n])[:120] for name, n in columns.items()}
    taken, names = set(columns.values()), [text(heading)[:120] for heading in headings]
    return Sheet(
        layout=layout.key,
        title=text(title) or layout.label,
        read=[name for n, name in enumerate(names) if n in taken],
        dropped=[name for n, name in enumerate(names) if name and n not in taken],
        rows=_rows(lines, layout, columns, heads, today),
    )


def _headings(title: str, lines: Iterable, layouts: list[Layout]) -> tuple[Layout, tuple, dict[str, int]]:
    for number, cells in lines:
        for layout in layouts:
            columns = _columns(title, cells, layout)
            if set(layout.needed) <= columns.keys():
                return layout, cells, columns
        if number >= HEADING_LINES:
            break
    where = f"The sheet {text(title)!r}" if title else "The file"
    raise Refused(f"{where} has no line of headings with {'; nor with '.join(each.says for each in layouts)}.")


def _columns(title: str, cells: tuple, layout: Layout) -> dict[str, int]:
    """Which column holds what. Where both stand, the worker may be a social worker; the older layout has the advisor
    under this heading."""
    columns: dict[str, int] = {}
    twice = None
    for n, cell in enumerate(cells):
        for name, aliases in layout.headings.items():
            if simple(cell) in aliases:
                twice = twice or (cell if name in columns else None)
                columns[name] = n
    if twice is not None and set(layout.needed) <= columns.keys():
        where = f" of {text(title)!r}" if title else ""
        raise Refused(f"Two columns{where} are headed like “{text(twice)[:60]}”. Keep one of them.")
    worker = columns.pop("worker", None)
    if worker is not None and "advisor" not in columns:
        columns["advisor"] = worker
    return columns


def _rows(lines: Iterable, layout: Layout, columns: dict[str, int], heads: dict[str, str], today: date) -> list[Row]:
    rows: list[Row] = []
    seen: dict[str, int] = {}
    for number, cells in lines:
        if len(rows) == MAX_ROWS:
            raise Refused(f"The list holds more than {MAX_ROWS:,} young people. Split it into two files.")
        of_columns = {name: cells[n] if n < len(cells) else None for name, n in columns.items()}
        row, found = _row(number, of_columns, layout, heads)
        if row.reference and row.reference in seen:
            row.problems.append((heads["reference"], f"is also in row {seen[row.reference]}"))
        seen.setdefault(row.reference, number)
        _judge_birth(row, today, heads["born_on"])
        layout.judge(row, found, heads, today)
        rows.append(row)
    return rows


def _row(number: int, cells: dict, layout: Layout, heads: dict[str, str]) -> tuple[Row, dict]:
    """The row, and what its cells were read as, by column."""
    row, found = Row(number), {}
    for name, cell in cells.items():
        try:
            check_no_error(cell)
            found[name] = value = layout.readers[name](cell)
        except Problem as problem:
            row.problems.append((heads[name], str(problem)))
            continue
        if value in ("", None):
            if name in layout.filled:
                row.problems.append((heads[name], "is empty"))
        elif name == "reference":
            row.reference = value
        elif name == "advisor":
            row.advisor = value
        elif name == "accommodation":
            row.facts["accommodation"], suitable = value
            if suitable is not None:
                row.facts.setdefault("accommodation_suitable", suitable)
        elif name not in layout.not_kept:
            row.facts[name] = value
    return row, found


def _judge_birth(row: Row, today: date, column: str) -> None:
    born = row.facts.get("born_on")
    if born is None:
        return
    if born >= today:
        row.problems.append((column, "is not in the past"))
    elif why_not := rules.why_not_born_on(born, today):
        row.problems.append((column, why_not))
    elif age_on(born, today) >= 25:
        row.warnings.append("25 or older: support has ended")
    elif age_on(born, today) < 16:
        row.warnings.append("younger than 16")
