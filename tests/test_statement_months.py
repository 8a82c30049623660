"""Months of random histories, closed one after the other while late entries come in: the statements, what was entered
since, the journal and the figures of the packs are never a penny apart."""

from collections import Counter

import pytest

from pantry import money, statement_files, statements
from pantry.models import AMOUNTS, JournalLine, Membership, Statement
from pantry.services import memberships
from pantry.services import statements as services
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.weeks import add_months
from tests.scheme_histories import Life, a_life

pytestmark = pytest.mark.postgres  # the others of statements run on SQLite
OF_PACK = ("collected_pence", "missed_pence", "closed_pence", "joining_pence", "collected_weeks", "missed_weeks")


@pytest.mark.promise("M7")
def test_statements_what_was_entered_since_journal_and_packs_are_never_a_penny_apart(db, sized, seed, figures):
    months, told = sized(2, 24), Counter()
    with a_life(seed, 0) as life:
        for n in range(1, months + 1):
            life.live((add_months(life.day.replace(day=1), 1) - life.day).days + 4)
            services.make(on=life.day, at=life.at())
            for statement in Statement.objects.filter(closing__isnull=True).order_by("month"):
                if n == 1 or life.draw.random() < 0.8:
                    told["closed"] += close(life, statement)
            if n == 1:
                leave_late(life)
            if n % 6 and n != months:
                continue
            told["late"] = 0
            for statement in Statement.objects.select_related("agreement", "pantry").order_by("month"):
                told["lines"] += check(statement)
                told["late"] += check_since(life, statement)
            check_together(life)
    assert told["closed"] > months
    assert told["late"] > 0
    figures(f"{months} months of 2 pantries, {told['closed']} closed; {told['lines']:,} lines, {told['late']:,} late")


def close(life: Life, statement: Statement) -> bool:
    try:
        for by in (life.pantry_manager, life.finance):
            services.agree(statement=statement, by=by, at=life.at("00:00"))  # before what is entered today
    except Refused:
        return False  # an earlier month is open
    return True


def leave_late(life: Life) -> None:
    """Somebody left in the month that has just been closed; what is credited for it can only come late."""
    [last_day] = {each.last_day for each in Statement.objects.filter(closing__isnull=False)}
    for member in Membership.objects.filter(state="open", joined_on__lte=last_day).order_by("number"):
        try:
            left = {"on": last_day, "reason": "left", "by": life.pantry_manager, "at": life.at("00:01")}
            if memberships.leave(membership=member, **left):
                return
        except Refused:  # they came on a day of the new month
            continue
    raise AssertionError("Nobody could leave late.")


def summed(lines: list[statements.Line]) -> dict[str, int]:
    return {name: sum(getattr(line, name) for line in lines) for name in AMOUNTS}


def check(statement: Statement) -> int:
    """The lines are the total, the pages hold every line, and the journal says the same; how many lines."""
    shown = statements.show(statement)
    lines = shown.lines()
    assert summed(lines) == shown.total.amounts
    assert shown.apart == 0
    on_pages = [line for key in shown.keys().values_list("pk", flat=True) for line in shown.lines([key])]
    assert on_pages == [line for line in lines if line.membership]
    assert [line for line in lines if line.membership is None] == shown.of_nobody()
    file = statement_files.statement_csv(shown, lines, [], {})
    assert "To come at the end" in file
    return len(lines)


def check_since(life: Life, statement: Statement) -> int:
    """Everything closed up to a month and what was entered since are the figures of a pack as at its end."""
    if not hasattr(statement, "closing"):
        return 0
    found = statements.since(statement)
    keys = list(statements.members_since(found).values_list("pk", flat=True))
    late = [line for line in statements.lines(found) if line.is_prior]
    assert [line for line in statements.lines(found, keys) if line.is_prior] == late
    closed = Statement.objects.filter(
        agreement=statement.agreement, pantry=statement.pantry, month__lte=statement.month, closing__isnull=False
    )
    frozen = [statements.show(each).total for each in closed]
    now = summed([*frozen, *late])
    packs = {each.pantry: each for each in money.by_pantry(statement.agreement, statement.last_day)}
    if pack := packs.get(statement.pantry):
        assert {name: now[name] for name in OF_PACK} == {name: getattr(pack, name) for name in OF_PACK}
    weeks = JournalLine.objects.filter(
        account="weeks", pantry=statement.pantry, entry__effective_on__lte=statement.last_day
    )
    moved = [line.weeks_pence for line in (*frozen, *late)]
    assert sum(moved) == sum(weeks.values_list("pence", flat=True))
    return len(late)


def check_together(life: Life) -> None:
    """What is to come at both pantries is what the agreement has prepaid; a month begins as the last one ended."""
    by_month: Counter = Counter()
    before: dict = {}
    for statement in Statement.objects.select_related("agreement", "pantry").order_by("month"):
        shown = statements.show(statement)
        if statement.pantry_id in before:
            assert shown.month.opening_pence == before[statement.pantry_id]
        before[statement.pantry_id] = shown.total.to_come_pence
        if shown.closing is None:
            by_month[statement.last_day] += shown.total.to_come_pence
    last = max(by_month, default=None)
    if last and Statement.objects.filter(month=last.replace(day=1), closing__isnull=True).count() == 2:
        assert by_month[last] == money.position(life.agreement, last).recoverable_pence
