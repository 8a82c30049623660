"""Decide the renewals that are due, by hand: the same sweep as the job."""

from datetime import date

from django.core.management.base import BaseCommand, CommandError

from pantry.models import RenewalDecision
from pantry.services import renewals
from stockport_hubs.core import clock, money


def day(text: str) -> date:
    """YYYY-MM-DD."""
    return date.fromisoformat(text)


class Command(BaseCommand):
    help = "Buys the blocks whose renewal is due, or holds them with the reasons; prints a line for each member."

    def add_arguments(self, parser):
        parser.add_argument("--on", type=day, metavar="YYYY-MM-DD", help="decide what is due on this day (today)")
        parser.add_argument("--dry-run", action="store_true", help="say what would be decided and change nothing")

    def handle(self, *, on, dry_run, **options):
        done = renewals.sweep(
            on=on or clock.today(), at=clock.now(), job="renew_blocks", dry_run=dry_run, report=self.report
        )
        for number in done.failed:
            self.stdout.write(f"Member {number}: failed; nothing was changed for this member")
        if dry_run:
            self.stdout.write("Dry run: nothing was changed")
        self.stdout.write(f"{done.renewed} renewed, {done.held} held, {done.already} already done")
        if done.failed:
            raise CommandError(f"{len(done.failed)} could not be decided. The log has the kinds of error.")

    def report(self, decided: list[renewals.Decided]) -> None:
        for each in decided:
            start = f"block {each.block_no} from {each.starts_on:%-d %B %Y}"
            if each.outcome == RenewalDecision.Outcome.HELD:
                reasons = "; ".join(str(RenewalDecision.Reason(code).label) for code in each.reasons)
                self.stdout.write(f"Member {each.number}: held, {start}: {reasons}")
            else:
                paid = money.pounds(each.price_pence - each.from_pool_pence)
                credit = money.pounds(each.from_pool_pence)
                more = f", {money.pounds(each.top_up_pence)} topped up" if each.top_up_pence else ""
                self.stdout.write(f"Member {each.number}: renewed, {start}, {paid} and {credit} from credit{more}")
