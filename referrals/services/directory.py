"""The directory of onward links: each organisation's managers keep their own entries."""

from datetime import date, datetime

from django.db import IntegrityError, transaction

from pantry import wording
from referrals.models import DirectoryEntry
from stockport_hubs.accounts.models import User
from stockport_hubs.audit import services as audit
from stockport_hubs.core.errors import Refused

READ_AT_THE_PANTRY = ("name", "line", "where", "website")


@transaction.atomic
def add(
    *,
    name: str,
    kind: str,
    by: User,
    at: datetime,
    where: str = "",
    website: str = "",
    phone: str = "",
    line: str = "",
    from_on: date | None = None,
    until_on: date | None = None,
    for_pantries: bool = False,
) -> DirectoryEntry:
    """A new entry of the organisation of whoever adds it."""
    entry = DirectoryEntry(kept_by=by.organisation, added_by=by, added_at=at)
    return _save(entry, "added", by, at, name=name, kind=kind, where=where, website=website, phone=phone, line=line,
                 from_on=from_on, until_on=until_on, for_pantries=for_pantries)  # fmt: skip


@transaction.atomic
def change(*, entry: DirectoryEntry, by: User, at: datetime, **facts) -> DirectoryEntry:
    """Other words for the same place; links that name it follow."""
    _check_keeps(entry, by)
    return _save(entry, "changed", by, at, **facts)


@transaction.atomic
def set_retired(*, entry: DirectoryEntry, retired: bool, by: User, at: datetime) -> DirectoryEntry:
    """Not offered any more, or offered again. Links that name it stay."""
    _check_keeps(entry, by)
    if retired == bool(entry.retired_at):
        raise Refused("This has been done already. Read the directory again.")
    entry.retired_at = at if retired else None
    return _save(entry, "retired" if retired else "returned", by, at)


def _check_keeps(entry: DirectoryEntry, by: User) -> None:
    if entry.kept_by_id != by.organisation_id:
        raise Refused("Another organisation keeps this entry. Ask them to change it, or add your own.")


def _save(entry: DirectoryEntry, verb: str, by: User, at: datetime, **facts) -> DirectoryEntry:
    for name, value in facts.items():
        setattr(entry, name, value.strip() if isinstance(value, str) else value)
    # An operator's entries are all for its pantries; of a council's, those it says so of.
    entry.for_pantries = entry.for_pantries or not by.is_council
    if not (entry.where or entry.website or entry.phone):
        raise Refused("Say how to reach it: where it is, a website or a telephone number.")
    if entry.from_on and entry.until_on and entry.until_on < entry.from_on:
        raise Refused("It ends on the day it begins or later. Check the two dates.")
    if entry.for_pantries:
        for name in READ_AT_THE_PANTRY:
            wording.refuse_forbidden(getattr(entry, name))
    try:
        with transaction.atomic():
            entry.save()
    except IntegrityError:
        raise Refused(f"“{entry.name}” is in the directory already. Change that entry, or choose another name.")
    audit.record(f"referrals.entry.{verb}", at=at, by=by, target=entry)
    return entry
