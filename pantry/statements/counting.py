"""The amounts of each line: money from the journal, use from paid weeks."""

from collections import defaultdict
from collections.abc import Collection as Keys
from collections.abc import Iterator
from uuid import UUID

from django.db.models import Count, F, IntegerField, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce

from pantry import money
from pantry.models import Account, BlockSource, EarlierPrice, EntryKind, Membership, PrepaidBlock
from pantry.statements.lines import Line, Member
from pantry.statements.scope import MONTH, OPENING, PRIOR, Scope
from stockport_hubs.core.among import Among

USE = ("used", "collected", "missed", "closed")
FROZEN = tuple(f"{name}_{unit}" for name in USE for unit in ("pence", "weeks")) + ("goodwill_weeks",)
Counted = dict[Member, dict[str, Line]]  # of each member the line of the month, and the prior one


def lines(found: Scope, members: Keys[UUID] | None = None) -> list[Line]:
    """The lines of some members, or of everybody, by number; those of no one member last. Nothing is left out."""
    counted = _counted(found, members)
    numbers = dict(Membership.objects.filter(Among("pk", [key for key in counted if key])).values_list("pk", "number"))
    made = []
    for key, parts in counted.items():
        for part, line in parts.items():
            line.membership, line.number, line.is_prior = key, numbers.get(key) if key else None, part == PRIOR
            if not line.is_empty:
                made.append(line)
    return sorted(made, key=lambda line: (line.number is None, line.number or 0, line.is_prior))


def totals(found: Scope) -> tuple[Line, Line]:
    """(the month, what was entered late for months before), added up by the database."""
    parts = _counted(found, None, whole=True).get(None, {})
    return parts.get(MONTH, Line()), parts.get(PRIOR, Line(is_prior=True))


def _counted(found: Scope, members: Keys[UUID] | None, *, whole: bool = False) -> Counted:
    """Of each member, or all together under None, the line of the month and the prior one."""
    counted: Counted = defaultdict(lambda: {MONTH: Line(), PRIOR: Line(is_prior=True)})
    for member, part, kind, account, pence, weeks in _whole(found) if whole else _journal(found, members):
        if part == OPENING:
            counted[member][MONTH].opening_pence += pence if account == Account.WEEKS else 0
            continue
        line = counted[member][part]
        line.post(kind, account, pence)
        if account == Account.WEEKS and kind in (EntryKind.PURCHASE, EntryKind.OPENING):
            line.bought_weeks += weeks
    # What was entered late is part of what there was at the start; used by the end, less used by the eve.
    for member, start, end, agreed, goodwill in _use(found, members, whole):
        parts = counted[member]
        month, prior = parts[MONTH], parts[PRIOR]
        before = start if agreed is None else agreed
        month.opening_pence -= before["used_pence"]
        for name in FROZEN[:-1]:
            setattr(month, name, end[name] - start[name])
            setattr(prior, name, start[name] - before[name])
        month.goodwill_weeks = goodwill[1]
        prior.goodwill_weeks = 0 if agreed is None else goodwill[0] - agreed["goodwill_weeks"]
        month.to_come_weeks = end["to_come_weeks"]
    return counted


Row = tuple[Member, str, str, str, int, int]  # member, part, kind, account, pence, weeks


def _whole(found: Scope) -> Iterator[Row]:
    block = PrepaidBlock.objects.filter(pk=OuterRef("source_id")).values("weeks")
    rows = found.here.annotate(n=Coalesce(Subquery(block, output_field=IntegerField()), 0))
    grouped = rows.values_list("part", "entry__kind", "account").annotate(Sum("pence"), Sum("n"))
    return ((None, *row) for row in grouped)


def _journal(found: Scope, members: Keys[UUID] | None) -> Iterator[Row]:
    """Lines of blocks by their member; a top-up is shared out by what each member's weeks were raised by. What is left
    is of no one member, and is told when everybody is."""
    blocks = PrepaidBlock.objects.filter(agreement=found.agreement)
    if members is not None:
        blocks = blocks.filter(Among("membership", members))
    of_block = {key: (member, weeks) for key, member, weeks in blocks.values_list("pk", "membership_id", "weeks")}
    rows = found.here
    if members is not None:
        rows = rows.filter(Among("source_id", of_block) | Q(source_type="top_up"))
    top_ups: dict[UUID, str] = {}
    grouped = rows.values_list("source_type", "source_id", "part", "entry__kind", "account")
    for source_type, source, part, kind, account, pence in grouped.annotate(Sum("pence")):
        if source_type == "top_up" and kind == EntryKind.TOP_UP:
            top_ups[source] = part
        elif source in of_block:
            member, weeks = of_block[source]
            yield member, part, kind, account, pence, weeks
        else:
            yield None, part, kind, account, pence, 0
    raised = EarlierPrice.objects.filter(top_up__agreement=found.agreement, top_up__tariff__pantry=found.pantry)
    if members is not None:
        raised = raised.filter(Among("paid_week__membership", members))
    each = Sum(F("top_up__tariff__weekly_pence") - F("pence"))
    for top_up, member, pence in raised.order_by().values_list("top_up", "paid_week__membership").annotate(n=each):
        if top_up in top_ups:
            yield member, top_ups[top_up], EntryKind.TOP_UP, Account.WEEKS, pence, 0


Use = dict[str, int]


def _use(
    found: Scope, members: Keys[UUID] | None, whole: bool
) -> Iterator[tuple[Member, Use, Use, Use | None, tuple[int, int]]]:
    """(member, by the eve, by the end, by the eve as agreed, goodwill weeks given (by the eve, in the month))."""
    key, weeks = "pantry_id" if whole else "membership_id", found.weeks(members)
    end = money.counted(weeks.filter(block__bought_on__lte=found.until), found.until, key)
    start = money.counted(weeks.filter(block__bought_on__lte=found.eve), found.eve, key)
    given = weeks.filter(block__source=BlockSource.GOODWILL, block__bought_on__lte=found.until).order_by()
    in_month = Q(block__bought_on__gte=found.month)
    goodwill = {
        who: (before, month)
        for who, before, month in given.values_list(key).annotate(
            before=Count("pk", filter=~in_month), month=Count("pk", filter=in_month)
        )
    }
    agreed: dict = {}
    if found.before is not None:
        frozen = found.frozen().order_by()
        if members is not None:
            frozen = frozen.filter(Among("membership", members))
        rows = frozen.values_list("statement__pantry" if whole else "membership").annotate(
            **{f"sum_{name}": Sum(name) for name in FROZEN}
        )
        agreed = {who: dict(zip(FROZEN, sums, strict=True)) for who, *sums in rows}
    for who in {*end, *start, *agreed, *goodwill}:
        frozen_use = None if found.before is None else agreed.get(who, dict.fromkeys(FROZEN, 0))
        member = None if whole else who
        yield member, _used(start.get(who)), _used(end.get(who)), frozen_use, goodwill.get(who, (0, 0))


def _used(tally: dict[str, int] | None) -> Use:
    """A week is used once its Monday has come."""
    tally = tally or defaultdict(int)
    found = {f"{name}_{unit}": tally[f"{name}_{unit}"] for name in USE[1:] for unit in ("pence", "weeks")}
    for unit in ("pence", "weeks"):
        begun = tally[f"to_come_{unit}"] - tally[f"recoverable_{unit}"]
        found[f"used_{unit}"] = begun + sum(found[f"{name}_{unit}"] for name in USE[1:])
    return found | {"to_come_weeks": tally["recoverable_weeks"]}
