"""Prove the closed statements: what they say is the journal's, to the penny. Reads only; named by `check_journal`."""

from collections.abc import Iterator

from django.db.models import Count, Sum

from pantry import statements
from pantry.models import AMOUNTS, Statement, StatementLine
from stockport_hubs.core.money import pounds

SAID = {"weeks_pence": "weeks", "joining_pence": "joining fees"}


def problems() -> Iterator[str]:
    """Each closed statement: its totals are the sums of its lines, and its lines the journal's."""
    sums = {
        key: (n, dict(zip(AMOUNTS, row, strict=True)))
        for key, n, *row in StatementLine.objects.order_by()
        .values_list("statement")
        .annotate(n=Count("pk"), **{f"sum_{name}": Sum(name) for name in AMOUNTS})
    }
    closed = Statement.objects.filter(closing__isnull=False).select_related("closing", "agreement", "pantry")
    for statement in closed.order_by("month", "pantry__name", "pk"):
        name = f"Statement of {statement} for {statement.pantry} under {statement.agreement}"
        n, found = sums.get(statement.pk, (0, dict.fromkeys(AMOUNTS, 0)))
        if n != statement.closing.lines:
            yield f"{name}: {statement.closing.lines} lines were agreed and {n} are there."
        for amount in AMOUNTS:
            if found[amount] != getattr(statement.closing, amount):
                said, there = _shown(amount, getattr(statement.closing, amount)), _shown(amount, found[amount])
                yield f"{name}: {amount.replace('_', ' ')} {said} agreed, its lines hold {there}."
        yield from _in_journal(statement, name)


def _in_journal(statement: Statement, name: str) -> Iterator[str]:
    """Told by member where the totals differ."""
    shown = statements.show(statement)
    if not shown.apart:
        return
    frozen = {(line.number, line.is_prior): line for line in shown.lines()}
    counted = {(line.number, line.is_prior): line for line in statements.lines(shown.scope)}
    for key in sorted({*frozen, *counted}, key=str):
        agreed, there = frozen.get(key, statements.Line()), counted.get(key, statements.Line())
        for amount, what in SAID.items():
            if getattr(agreed, amount) != getattr(there, amount):
                who = f"member {key[0]}" if key[0] else "of no one member"
                was, now = pounds(getattr(agreed, amount)), pounds(getattr(there, amount))
                yield f"{name}, {who}: {what} {was} agreed, {now} in the journal."


def _shown(amount: str, value: int) -> str:
    return pounds(value) if amount.endswith("pence") else str(value)
