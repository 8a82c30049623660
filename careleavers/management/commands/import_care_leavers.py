"""`manage.py import_care_leavers FILE [--apply]`: young people from Annex A List 9, OC3 or our template."""

import hashlib
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from careleavers import importing
from careleavers.services import imports
from stockport_hubs.accounts.models import Organisation
from stockport_hubs.core import clock
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.weeks import london_date

KINDS = ("new", "changed", "unchanged", "refused")


class Command(BaseCommand):
    help = "Import young people from Annex A List 9 (.xlsx), OC3 (.csv) or a list. Shows what happens; --apply does it."

    def add_arguments(self, parser):
        parser.add_argument("file", type=Path)
        parser.add_argument("--apply", action="store_true", help="Save; without it this is a preview.")
        parser.add_argument("--organisation", default="", help="The council, when there is more than one.")

    def handle(self, *, file, apply, organisation, **options):
        at = clock.now()
        try:
            council = self._council(organisation)
            content = self._content(file)
            sheet = importing.read(content, name=file.name, today=london_date(at))
            outcomes = imports.plan(council=council, rows=sheet.rows)
            refused = any(outcome.kind == "refused" for outcome in outcomes)
            if apply and not refused:
                file_hash = hashlib.sha256(content).hexdigest()
                outcomes = imports.apply(
                    council=council, rows=sheet.rows, file_hash=file_hash, job="import_care_leavers", at=at
                )
        except Refused as refusal:
            raise CommandError(str(refusal))
        self._print(sheet, outcomes, applied=apply and not refused)
        if refused:
            raise CommandError("Nothing was saved. Put the refused rows right in the file, then import it again.")

    def _content(self, file: Path) -> bytes:
        if not file.is_file():
            raise Refused(f"There is no file {file.name}.")
        if file.stat().st_size > importing.MAX_BYTES:
            raise importing.too_large(file.name)
        return file.read_bytes()

    def _council(self, name: str) -> Organisation:
        councils = list(Organisation.objects.filter(kind=Organisation.Kind.COUNCIL).order_by("name"))
        found = [each for each in councils if not name or each.name.casefold() == name.strip().casefold()]
        if len(found) == 1:
            return found[0]
        if not councils:
            raise CommandError("There is no council yet. Invite its first administrator with `manage.py invite`.")
        known = ", ".join(each.name for each in councils)
        raise CommandError(f"Say which council with --organisation NAME. Known: {known}.")

    def _print(self, sheet: importing.Sheet, outcomes: list[imports.Outcome], *, applied: bool) -> None:
        out = self.stdout.write
        out(f"Sheet {sheet.title}")
        out(f"Read: {', '.join(sheet.read)}")
        out(f"Dropped, not read: {', '.join(sheet.dropped) or 'nothing'}")
        for outcome in outcomes:
            alike = [
                f"perhaps the same person as {twin.care_leaver.reference}: same {twin.matched}"
                for twin in outcome.twins
            ]
            warned = "".join(f" (warning: {each})" for each in [*outcome.row.warnings, *alike])
            out(f"row {outcome.row.number}  {outcome.row.reference or 'no id'}  {outcome.words}{warned}")
        waiting = sum(outcome.waits for outcome in outcomes)
        if waiting:
            out(
                f"Without an advisor known here: {waiting}. They wait on the leaving care manager's list “To allocate”."
            )
        unnamed = sum(outcome.kind == "new" and not outcome.row.facts.get("preferred_name") for outcome in outcomes)
        if unnamed:
            out(f"Without a name: {unnamed}. The file holds none; each new young person waits for a preferred name.")
        if not any(outcome.kind == "refused" for outcome in outcomes):
            out("Saved." if applied else "Nothing is saved: this is a preview. Add --apply to save.")
        counts = ", ".join(f"{sum(o.kind == kind for o in outcomes)} {kind}" for kind in KINDS)
        out(f"{len(outcomes)} rows: {counts}")
