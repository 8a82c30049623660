"""A statement, and a year-end, as files: CSV with every line, PDF as it is printed."""

from datetime import datetime

from pantry.statements import Line, Shown
from pantry.year_end import YearEnd, ledger
from stockport_hubs import pdf
from stockport_hubs.core.spreadsheets import Pounds, to_csv

SECONDS = 60
PRINTED = 500  # lines; what is longer is in the CSV
COLUMNS = (
    ("At the start", "opening_pence"),
    ("Brought in", "brought_pence"),
    ("Bought", "bought_pence"),
    ("Topped up", "topped_up_pence"),
    ("Moved between pantries", "transferred_pence"),
    ("Credited", "credited_pence"),
    ("Reversed", "reversed_pence"),
    ("Used", "used_pence"),
    ("To come at the end", "to_come_pence"),
    ("Joining fees", "joining_pence"),
    ("Collected", "collected_pence"),
    ("Missed", "missed_pence"),
    ("Closed late", "closed_pence"),
    ("Weeks bought", "bought_weeks"),
    ("Goodwill weeks", "goodwill_weeks"),
    ("Weeks used", "used_weeks"),
    ("Weeks collected", "collected_weeks"),
    ("Weeks missed", "missed_weeks"),
    ("Weeks closed late", "closed_weeks"),
    ("Weeks to come", "to_come_weeks"),
)
EARLIER, OF_MONTH = "entered late for earlier months", "this month"


def statement_name(shown: Shown) -> str:
    """Neutral: nothing in it tells of anybody."""
    return f"statement-{shown.statement.month:%Y-%m}-{str(shown.statement.pk)[:8]}"


def _cells(line: Line) -> list[int]:
    return [Pounds(getattr(line, name)) if name.endswith("pence") else getattr(line, name) for _, name in COLUMNS]


def statement_csv(shown: Shown, lines: list[Line], since: list[Line], marks: dict) -> str:
    """Every line, the totals, the agreement's credit, and what was entered since it was closed."""
    statement, pool = shown.statement, shown.pool
    heads: list[object] = ["Member", "Line", *(name for name, _ in COLUMNS)]
    rows: list[list[object]] = [
        [f"Statement of {statement}", statement.pantry.name, statement.agreement.name],
        ["Closed", f"{shown.closing.closed_at:%Y-%m-%d}"] if shown.closing else ["Not closed yet"],
        [],
        [*heads, "Mark"],
        *(_row(line, marks) for line in lines),
        ["Together", OF_MONTH, *_cells(shown.month)],
        ["Together", EARLIER, *_cells(shown.prior)],
        ["Together", "", *_cells(shown.total)],
        [],
        ["Credit of the agreement at the start", Pounds(pool.opening_pence)],
        ["Credited here", Pounds(pool.given_pence)],
        ["Spent here", Pounds(-pool.spent_pence)],
        ["At other pantries, or by hand", Pounds(pool.elsewhere_pence)],
        ["Credit of the agreement at the end", Pounds(pool.closing_pence)],
    ]
    if shown.closing:
        rows += [[], ["Entered since it was closed"], heads, *(_row(line, {}) for line in since)]
    return to_csv(rows)


def _row(line: Line, marks: dict) -> list[object]:
    name = line.number if line.number is not None else "of no one member"
    mark = marks.get(line.membership) if not line.is_prior else None
    said = [f"{mark.get_kind_display()}{f': {mark.words}' if mark.words else ''}"] if mark else []
    return [name, EARLIER if line.is_prior else OF_MONTH, *_cells(line), *said]


def statement_pdf(shown: Shown, lines: list[Line], since: list[Line], *, printed_at: datetime) -> bytes:
    """As it is printed; more lines than PRINTED are left to the CSV, and the page says so."""
    context = {
        "shown": shown,
        "statement": shown.statement,
        "total": shown.total,
        "pool": shown.pool,
        "lines": lines if len(lines) <= PRINTED else [],
        "too_many": len(lines) if len(lines) > PRINTED else 0,
        "since": since[:PRINTED],
        "printed_at": printed_at,
    }
    return pdf.render("pantry/statement_print.html", context, seconds=SECONDS)


def ledger_csv(found: YearEnd) -> str:
    """Date, cost code, account, words, debit, credit; debits and credits are equal."""
    lines = ledger(found)
    rows: list[list[object]] = [["Date", "Cost code", "Account", "Description", "Debit", "Credit"]]
    rows += [
        [
            each.on.isoformat(),
            each.cost_code,
            each.account,
            f"{found.agreement.name}: {each.words}",
            Pounds(each.debit_pence),
            Pounds(each.credit_pence),
        ]
        for each in lines
    ]
    return to_csv(rows)
