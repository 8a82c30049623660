"""Hold the audit against its seals."""

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from stockport_hubs.audit import seals
from stockport_hubs.core import triggers


class Command(BaseCommand):
    help = (
        "Names every audit row altered, taken out or put in past the database's guards; ends with 1 when there is one."
    )

    def add_arguments(self, parser):
        parser.add_argument(
            "--known", nargs="*", default=[], metavar="audit:NUMBER:HASH", help="seals of the log, which must be there"
        )

    def handle(self, *, known, **options):
        found = seals.check("audit", now=timezone.now(), known=known)
        problems = [
            *(f"The guard {name} is missing. Run manage.py migrate." for name in triggers.missing()),
            *found.breaks,
        ]
        for problem in problems:
            self.stdout.write(problem)
        if problems:
            raise CommandError(f"{len(problems)} breaks in the audit", returncode=1)
        if found.last:
            self.stdout.write(f"last seal {found.last}")
        self.stdout.write(f"audit ok: {found.rows} events, {found.sealed} sealed")
