"""Periodic jobs of the pantries' money."""

from pantry import sealed  # noqa: F401 - makes the journal a table that is sealed
from pantry.services import journal, renewals, statements
from stockport_hubs.accounts.models import Role
from stockport_hubs.core import clock
from stockport_hubs.core.errors import Refused
from stockport_hubs.jobs.services import Work, handler

SHOWN = 5


@handler("pantry.renew_blocks", seconds=300, every_minutes=10, label="Renewing blocks")
def renew_blocks(work: Work) -> None:
    """Decide the renewals that are due; members who could not be decided are named, and tried again next time."""
    done = renewals.sweep(on=clock.today(), at=clock.now(), job="pantry.renew_blocks")
    if done.failed:
        raise Refused(f"Renewals failed for {_first([f'member {number}' for number in done.failed])}.")


@handler(
    "pantry.check_journal",
    seconds=300,
    every_minutes=24 * 60,
    label="Checking the journal",
    watched_by=(Role.FINANCE_OFFICER,),
)
def check_journal(work: Work) -> None:
    """Prove the journal each night; a break shows as a failed job."""
    if problems := journal.check(clock.today()):
        raise Refused(_first(problems))


@handler("pantry.make_statements", seconds=120, every_minutes=60, label="Making statements")
def make_statements(work: Work) -> None:
    """The statements of a month that is over, to be agreed."""
    statements.make(on=clock.today(), at=clock.now())


def _first(texts: list[str]) -> str:
    more = len(texts) - SHOWN
    return ", ".join(texts[:SHOWN]) + (f" and {more} more" if more > 0 else "")
