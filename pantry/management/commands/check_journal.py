"""Add the journal up again and hold it against blocks, weeks, pools and budgets."""

from django.core.management.base import BaseCommand, CommandError
from django.db.models import Sum

from pantry.models import Account, EntryKind, JournalEntry, JournalLine
from pantry.services import journal
from stockport_hubs.core import clock, money


class Command(BaseCommand):
    help = "Names every break between journal, blocks, weeks, pools and budgets; ends with 1 when there is one."

    def handle(self, **options):
        if problems := journal.check(clock.today()):
            for problem in problems:
                self.stdout.write(problem)
            raise CommandError(f"{len(problems)} breaks in the journal", returncode=1)
        paid = [EntryKind.PURCHASE, EntryKind.TOP_UP]
        lines = JournalLine.objects.filter(entry__kind__in=paid, account__in=[Account.JOINING, Account.WEEKS])
        bought = lines.aggregate(pence=Sum("pence"))["pence"] or 0
        self.stdout.write(f"journal ok: {JournalEntry.objects.count()} entries, bought {money.pounds(bought)}")
