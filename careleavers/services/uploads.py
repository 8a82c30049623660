"""A list uploaded in the browser: kept encrypted while somebody looks at it, brought in when they say so, then deleted.

Nothing of it stands in a log, an address or a job: those name the upload by its id.
"""

import hashlib
import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from careleavers import importing
from careleavers.importing import Sheet
from careleavers.models import PeopleImport
from careleavers.models.imports import KEPT_FOR
from careleavers.services import imports
from careleavers.services.imports import Outcome
from stockport_hubs.accounts import encryption
from stockport_hubs.accounts.models import User
from stockport_hubs.audit import services as audit
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.weeks import london_date
from stockport_hubs.jobs import services as jobs
from stockport_hubs.jobs.models import Job

State = PeopleImport.State
READ, BRING_IN = "careleavers.import_read", "careleavers.import"
AT_ONCE = 300_000  # bytes read within the request, and ROWS_AT_ONCE saved within it: two seconds at most
UNPACKED_AT_ONCE = 2_500_000
ROWS_AT_ONCE = 500
OVER = "This list is not here any more: it was brought in, cancelled, or an hour has passed. Upload the file again."


@transaction.atomic
def receive(*, content: bytes, name: str, by: User, at: datetime) -> tuple[PeopleImport, Job | None]:
    """Keep an uploaded file and read it; a large one is read by a job. Whatever else this person had uploaded and not
    brought in is deleted. Refused when it cannot be read: then nothing is kept."""
    importing.check(content, name=name)
    for other in PeopleImport.objects.for_user(by).unfinished().filter(uploaded_by=by, confirmed_at=None):
        cancel(upload=other, by=by, at=at)
    upload = PeopleImport(council=by.organisation, uploaded_by=by, uploaded_at=at)
    upload.file_hash = hashlib.sha256(content).hexdigest()
    if len(content) <= AT_ONCE and importing.unpacked(content) <= UNPACKED_AT_ONCE:
        sheet = importing.read(content, name=name, today=london_date(at))
        _keep(upload, sheet)
        upload.save(force_insert=True)
        _note("careleavers.import.uploaded", upload, by, at)
        return upload, None
    upload.content = encryption.encrypt(zlib.compress(content, 1))
    upload.save(force_insert=True)
    _note("careleavers.import.uploaded", upload, by, at)
    key = f"{READ}:{upload.pk}"
    return upload, jobs.enqueue(READ, key=key, ids={"upload": str(upload.pk)}, asked_by=by)


def read_in_job(*, upload: PeopleImport, at: datetime):
    """The slow part of READ: gives the function that writes what was read."""
    if upload.state != State.READING or upload.has_expired(at):
        raise Refused(OVER)
    content = zlib.decompress(encryption.decrypt_bytes(upload.content))
    sheet = importing.read(content, today=london_date(at))

    def write() -> None:
        stored = PeopleImport.objects.select_for_update().get(pk=upload.pk)
        if stored.state == State.READING:
            _keep(stored, sheet)
            stored.save()

    return write


def _keep(upload: PeopleImport, sheet: Sheet) -> None:
    """What was read instead of the file, and who of it belongs to the cohort already is ticked."""
    upload.layout, upload.state = sheet.layout, State.OPEN
    upload.content = encryption.encrypt(zlib.compress(json.dumps(sheet.to_plain()).encode()))
    outcomes = imports.plan(council=upload.council, rows=sheet.rows, decided={})
    upload.ticked = [
        each.row.number for each in outcomes if each.can_be_ticked and each.care_leaver and each.care_leaver.place
    ]


@dataclass
class Preview:
    """An upload with what each row would do; ticks and decisions as they stand."""

    upload: PeopleImport
    sheet: Sheet
    outcomes: list[Outcome]

    @property
    def ticked(self) -> set[int]:
        return set(self.upload.ticked)

    @property
    def chosen(self) -> list[Outcome]:
        """What would be brought in: those ticked."""
        ticked = self.ticked
        return [outcome for outcome in self.outcomes if outcome.can_be_ticked and outcome.row.number in ticked]

    @property
    def deaths(self) -> list[Outcome]:
        """Of people stored: recorded in any case."""
        return [outcome for outcome in self.outcomes if outcome.tells_of_a_death]

    def counts(self) -> dict[str, int]:
        """Rows by kind."""
        kinds = ("new", "changed", "unchanged", "duplicate", "refused")
        return {kind: sum(outcome.kind == kind for outcome in self.outcomes) for kind in kinds}


def preview(*, upload: PeopleImport, at: datetime) -> Preview:
    """What the list would do as things stand; Refused when it is over."""
    if upload.state != State.OPEN or upload.has_expired(at):
        raise Refused(OVER)
    try:
        plain = json.loads(zlib.decompress(encryption.decrypt_bytes(upload.content)))
    except encryption.InvalidToken:  # the key has changed since
        raise Refused(OVER)
    sheet = Sheet.from_plain(plain)
    outcomes = imports.plan(council=upload.council, rows=sheet.rows, decided=upload.decided)
    return Preview(upload, sheet, outcomes)


@transaction.atomic
def choose(
    *,
    upload: PeopleImport,
    tick: Iterable[int] = (),
    untick: Iterable[int] = (),
    decided: dict[int, str] | None = None,
    at: datetime,
) -> PeopleImport:
    """Keep who belongs to the cohort, and what was decided about possible duplicates ("" takes a decision back)."""
    stored = PeopleImport.objects.select_for_update().get(pk=upload.pk)
    if stored.state != State.OPEN or stored.has_expired(at):
        raise Refused(OVER)
    if stored.confirmed_at:
        raise Refused("This list is being brought in already, so nothing more can be ticked.")
    stored.ticked = sorted((set(stored.ticked) | set(tick)) - set(untick))
    said = stored.decided | {str(number): answer for number, answer in (decided or {}).items()}
    stored.decided = {number: answer for number, answer in said.items() if answer}
    stored.save(update_fields=["ticked", "decided"])
    return stored


@transaction.atomic
def confirm(*, upload: PeopleImport, by: User, at: datetime) -> Job | None:
    """Bring in who is ticked: now, or by a job when they are many."""
    stored = PeopleImport.objects.select_for_update().get(pk=upload.pk)
    shown = preview(upload=stored, at=at)
    if not shown.chosen and not shown.deaths:
        raise Refused("Nobody is ticked, so there is nothing to bring in. Tick who belongs to the cohort first.")
    if not stored.confirmed_at:
        stored.confirmed_at = at
        stored.save(update_fields=["confirmed_at"])
    if len(shown.chosen) > ROWS_AT_ONCE:
        ids = {"upload": str(stored.pk), "by": str(by.pk)}
        return jobs.enqueue(BRING_IN, key=f"{BRING_IN}:{stored.pk}", ids=ids, asked_by=by)
    bring_in(upload=stored, by=by, at=at)
    return None


@transaction.atomic
def bring_in(*, upload: PeopleImport, by: User, at: datetime) -> None:
    """Save those ticked and put them into the cohort: all of them or nobody; then delete what was uploaded."""
    upload = PeopleImport.objects.select_for_update().get(pk=upload.pk)
    imports.lock(upload.council)
    shown = preview(upload=upload, at=at)
    chosen = shown.chosen
    numbers = {outcome.row.number for outcome in chosen}
    deaths = [outcome for outcome in shown.deaths if outcome.row.number not in numbers]
    counts = shown.counts() | {"deaths": len(deaths), "in": len(chosen)}
    counts |= {
        f"in_{kind}": sum(outcome.kind == kind for outcome in chosen) for kind in ("new", "changed", "unchanged")
    }
    imports.save(
        council=upload.council,
        outcomes=[*chosen, *deaths],
        file_hash=upload.file_hash,
        by=by,
        at=at,
        into_cohort=chosen,
    )
    upload.counts = counts
    _end(upload, State.DONE, at)


@transaction.atomic
def cancel(*, upload: PeopleImport, by: User, at: datetime) -> None:
    """Delete what was uploaded; nothing of it is brought in."""
    stored = PeopleImport.objects.select_for_update().get(pk=upload.pk)
    if not stored.is_over:
        _end(stored, State.CANCELLED, at)
        _note("careleavers.import.cancelled", stored, by, at)


@transaction.atomic
def refuse(*, upload: PeopleImport, why: str) -> None:
    """The job could not read it. Why not may repeat words of the file, so it lies encrypted too, and as long; one that
    was cancelled before the job came stays so."""
    stored = PeopleImport.objects.select_for_update().get(pk=upload.pk)
    if stored.state == State.READING:
        stored.state, stored.content = State.REFUSED, encryption.encrypt(why)
        stored.save(update_fields=["state", "content"])


def why_refused(upload: PeopleImport, at: datetime) -> str:
    """The sentence, while it is kept."""
    if upload.state != State.REFUSED or upload.has_expired(at):
        return OVER
    try:
        return encryption.decrypt(upload.content)
    except encryption.InvalidToken:
        return OVER


@transaction.atomic
def forget_old(*, at: datetime) -> int:
    """Delete what was uploaded and not brought in within the time it is kept; how many lists."""
    old = PeopleImport.objects.unfinished().filter(uploaded_at__lte=at - KEPT_FOR)
    return old.update(state=State.EXPIRED, content="", ticked=[], decided={}, ended_at=at)


def _end(upload: PeopleImport, state: str, at: datetime) -> None:
    upload.state, upload.content, upload.ticked, upload.decided, upload.ended_at = state, "", [], {}, at
    upload.save()


def _note(verb: str, upload: PeopleImport, by: User, at: datetime) -> None:
    audit.record(verb, at=at, by=by, target=upload, detail={"file": upload.file_hash})
