"""What is printed for a pantry: members' cards, and the sheet of a session.

Both hold the whitelist of rules.md and nothing else.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from pantry import card_codes
from pantry.models import Card, PantrySession
from pantry.roster import Row
from stockport_hubs import pdf

SECONDS = 60
EMPTY_ROWS = 10  # for those who are not on the sheet


@dataclass(frozen=True)
class PrintedCard:
    """A card as it is printed: no name, so that whoever finds it learns nothing."""

    number: int
    code: str
    side: int  # little squares along the edge of the QR code, its quiet zone included
    path: str


def cards(found: Iterable[Card]) -> list[PrintedCard]:
    """The cards in their order; each comes with its membership."""
    made = []
    for card in found:
        side, path = qr(card.code)
        made.append(PrintedCard(card.membership.number, card_codes.spoken(card.code), side, path))
    return made


def qr(text: str) -> tuple[int, str]:
    """Side and SVG path of a QR code: runs of dark squares, each one unit high."""
    import qrcode
    from qrcode.constants import ERROR_CORRECT_Q

    code = qrcode.QRCode(error_correction=ERROR_CORRECT_Q, border=4)
    code.add_data(text)
    code.make(fit=True)
    squares = code.get_matrix()
    runs = []
    for y, row in enumerate(squares):
        x = 0
        while x < len(row):
            end = x
            while end < len(row) and row[end]:
                end += 1
            if end > x:
                runs.append(f"M{x} {y}h{end - x}v1h-{end - x}z")
            x = end + 1
    return len(squares), "".join(runs)


def cards_pdf(found: Iterable[Card]) -> bytes:
    """Eight cards on a page, to be cut out."""
    return pdf.render("pantry/cards_print.html", {"cards": cards(found)}, seconds=SECONDS)


def sheet_pdf(session: PantrySession, rows: Sequence[Row], *, printed_at: datetime) -> bytes:
    """A session's sheet, to be filled in by pen: a row for each member in their order, then empty ones."""
    bands = [f"{band.name}, up to {band.items}" for band in session.pantry.bands.all()]
    context = {
        "session": session,
        "lines": [(row, _said_of(row)) for row in rows],
        "columns": bands or [f"Items, up to {session.pantry.allowance}"],
        "has_to_pay": any(row.to_pay_pence for row in rows),
        "printed_at": printed_at,
        "empty": range(EMPTY_ROWS),
    }
    return pdf.render("pantry/sheet_print.html", context, seconds=SECONDS)


def _said_of(row: Row) -> str:
    """Needs and what else is to be known of a member, as sentences."""
    said = [row.collected.words if row.collected else row.words]
    said += ["First visit"] if row.is_first_visit else []
    said += [*row.needs, f"Interpreter: {row.interpreter}" if row.interpreter else ""]
    said += ["No cooking facilities"] if row.no_cooking else []
    return " ".join(f"{each.rstrip('.')}." for each in said if each)
