"""The sheet of a session on paper: printed, listed, destroyed. Nothing is given out that is not written down."""

from collections.abc import Iterable
from datetime import date, datetime, time
from uuid import UUID

from django.db import transaction

from pantry import documents, roster
from pantry.models import Pantry, PantrySession, PrintedSheet, SheetRow
from pantry.services import sessions
from stockport_hubs.accounts.models import Role, User
from stockport_hubs.audit import services as audit
from stockport_hubs.core import weeks
from stockport_hubs.core.errors import Refused

AT_ONCE = 200  # members on one sheet: some ten pages of paper


def print_one(
    *, pantry: Pantry, on: date, opens: time, first: int, by: User, at: datetime
) -> tuple[PrintedSheet, bytes]:
    """The sheet of the session that opens then, with up to AT_ONCE members from the `first` (0) on, as it is listed and
    as PDF. Members are read, then printed, then written down: only what is written down is given out."""
    session = _session(pantry, on, opens, by)
    today = weeks.london_date(at)
    facts = roster.listed(session).values_list(*roster.FACTS)[first : first + AT_ONCE]
    rows = roster.rows(session, [roster.Facts(*each) for each in facts], by=by, today=today)
    if not rows:
        raise Refused(f"{pantry} has no members that day, so there is nothing to print.")
    printed = documents.sheet_pdf(session, rows, printed_at=at)
    return write_down(session=session, members=[row.id for row in rows], by=by, at=at), printed


@transaction.atomic
def write_down(*, session: PantrySession, members: list[UUID], by: User, at: datetime) -> PrintedSheet:
    """A sheet of a session that is given out, with these members in their order."""
    sheet = PrintedSheet.objects.create(session=session, printed_at=at, printed_by=by)
    SheetRow.objects.bulk_create(
        SheetRow(sheet=sheet, position=n, membership_id=key) for n, key in enumerate(members, start=1)
    )
    subjects = [(audit.MEMBERSHIP, key) for key in members]
    audit.record("pantry.sheet.printed", at=at, by=by, target=sheet, subjects=subjects)
    return sheet


def _session(pantry: Pantry, on: date, opens: time, by: User) -> PantrySession:
    if by.role != Role.PANTRY_MANAGER or by.organisation_id != pantry.operator_id:
        raise Refused("The pantry manager prints the sheets.")
    found = next((each for each in sessions.for_day(pantry=pantry, on=on) if each.opens == opens), None)
    if found is None:
        raise Refused(f"{pantry} has no session then. Choose one of those listed.")
    return found


def holding(members: Iterable[UUID]) -> dict[UUID, list[PrintedSheet]]:
    """The sheets that hold each of these members and are not destroyed, the oldest first: one query."""
    rows = SheetRow.objects.filter(membership__in=list(members), sheet__destroyed_at=None)
    found: dict[UUID, list[PrintedSheet]] = {}
    for row in rows.select_related("sheet__session__pantry").order_by("sheet__printed_at"):
        found.setdefault(row.membership_id, []).append(row.sheet)
    return found


@transaction.atomic
def destroyed(*, sheet: PrintedSheet, by: User, at: datetime) -> None:
    """The paper is destroyed."""
    sheet = PrintedSheet.objects.select_for_update().get(pk=sheet.pk)
    if sheet.destroyed_at:
        raise Refused("This is recorded already.")
    sheet.destroyed_at, sheet.destroyed_by = at, by
    sheet.save(update_fields=["destroyed_at", "destroyed_by"])
    audit.record("pantry.sheet.destroyed", at=at, by=by, target=sheet)
