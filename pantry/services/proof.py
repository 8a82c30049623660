"""Prove the journal: add everything up again and name each break in a sentence. Reads only.

The comparisons run in the database and only the breaks come back, so memory stays flat.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from functools import cache
from typing import Any

from django.db import connection, transaction
from django.db.models import BigIntegerField, Case, Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Sum, Value, When
from django.db.models.functions import Coalesce
from django.utils import timezone

from pantry.models import (
    Account,
    BlockSource,
    Budget,
    Collection,
    CreditPool,
    EarlierPrice,
    EntryKind,
    JournalEntry,
    JournalLine,
    Membership,
    MembershipMove,
    PaidWeek,
    Place,
    PrepaidBlock,
    Proposal,
    RenewalDecision,
    TopUp,
)
from pantry.sealed import JOURNAL, STATEMENTS
from pantry.services import paid_weeks, proof_statements
from stockport_hubs.audit import seals
from stockport_hubs.core.kept import Kept
from stockport_hubs.core.money import pounds
from stockport_hubs.core.weeks import financial_year

BATCH = 500
RAISED = Sum(F("top_up__tariff__weekly_pence") - F("pence"))  # of earlier prices
_any: dict[str, Kept] = {}


def problems(on: date) -> list[str]:
    """Every break, in sentences; empty when all agrees."""
    with _snapshot():
        checks = (
            _entries,
            _sources,
            _blocks,
            _top_ups,
            _credits,
            _transfers,
            _by_hand,
            _pools,
            _budgets,
            _decisions,
            _numbers,
            _states,
            _due,
            _taken,
            proof_statements.problems,
        )
        return [problem for check in checks for problem in check()] + list(_weekly_money(on)) + _seals()


@contextmanager
def _snapshot() -> Iterator[None]:
    """All reads see one moment. SQLite's immediate transaction does that by keeping writers waiting."""
    outermost = not connection.in_atomic_block
    with transaction.atomic():
        if outermost and connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield


def _seals() -> list[str]:
    """Each line and its entry is what it was when it was sealed: also a payment, that no block speaks of. And each line
    of a closed statement: also what was used, that no journal holds."""
    return [each for chain in (JOURNAL, STATEMENTS) for each in seals.check(chain.name, now=timezone.now()).breaks]


def _entries() -> Iterator[str]:
    """Each entry has lines, and they sum to zero."""
    broken = JournalEntry.objects.order_by("recorded_at").annotate(n=Count("lines"), out=_sum("lines__pence"))
    for entry in broken.filter(Q(n=0) | ~Q(out=0)):
        why = f"is out by {pounds(entry.out)}" if entry.n else "has no lines"
        yield f"Journal entry {entry.pk} ({entry}) {why}."


def _sources() -> Iterator[str]:
    """Each line about a block or top-up belongs to one that exists, in an entry of the right kind."""
    about = {"block": EntryKind.PURCHASE, "credit": EntryKind.CREDIT, "payment": EntryKind.PAYMENT}
    about |= {"move": EntryKind.TRANSFER, "top_up": EntryKind.TOP_UP}
    for line in _broken("lost", lambda: _lines("block", "credit", "move").filter(~_theirs(PrepaidBlock))):
        yield f"Journal line {line.pk} ({pounds(line.pence)}) belongs to no block under its agreement."
    for line in _broken("lost top-ups", lambda: _lines("top_up").filter(~_theirs(TopUp))):
        yield f"Journal line {line.pk} ({pounds(line.pence)}) belongs to no top-up under its agreement."
    wrong = Q()
    for source_type, kind in about.items():
        kinds = [kind, EntryKind.OPENING] if source_type == "block" else [kind]
        wrong |= Q(source_type=source_type) & ~Q(entry__kind__in=kinds)
    wrong |= Q(source_type="by_hand") & ~Q(entry__kind__in=[EntryKind.BY_HAND, EntryKind.REVERSAL])
    for line in _broken("kinds", lambda: JournalLine.objects.filter(wrong).order_by("pk")):
        yield f"Journal line {line.pk} ({pounds(line.pence)}) stands in an entry of another kind."


def _blocks() -> Iterator[str]:
    """What the journal says was bought equals the block's price, and so do its weeks."""
    weeks = PaidWeek.objects.filter(block=OuterRef("pk")).order_by().values("block")
    every = PrepaidBlock.objects.select_related("membership").order_by("membership__number", "block_no")
    bought = every.filter(source__in=[BlockSource.FUNDED, BlockSource.GOODWILL])
    weekly = F("weeks") * F("weekly_pence")
    opening = every.filter(source=BlockSource.OPENING)
    for account, sign in ((Account.WEEKS, 1), (Account.OPENING, -1)):
        for block in _differing(f"cut over in {account}", opening, weekly, sign * _posted("block", account)):
            yield f"{_name(block)}: {pounds(block.said)} cut over by the block, {pounds(block.found)} in the journal."
    compared = {
        "weeks bought": (weekly, _posted("block", Account.WEEKS)),
        "joining fee": (F("joining_pence"), _posted("block", Account.JOINING)),
        "part paid from credit": (F("from_pool_pence"), -_posted("block", Account.POOL)),
        "part paid in advance": (
            F("joining_pence") + weekly - F("from_pool_pence"),
            -_posted("block", Account.ADVANCE),
        ),
    }
    for what, (said, posted) in compared.items():
        for block in _differing(what, bought, said, posted):
            yield f"{_name(block)}: {what} {pounds(block.said)} by the block, {pounds(block.found)} in the journal."
    cost = weekly + F("topped_up_pence")
    for block in _differing("cost of weeks", every.with_top_ups(), cost, _subquery(weeks.annotate(n=Sum("pence")))):
        yield f"{_name(block)}: its weeks cost {pounds(block.said)}, its paid weeks hold {pounds(block.found)}."
    there = _subquery(weeks.annotate(n=Count("pk")))
    for block in _differing("count of weeks", every, F("weeks"), there):
        yield f"{_name(block)}: {block.said} weeks were bought and {block.found} are there."


def _top_ups() -> Iterator[str]:
    """What a top-up cost is what its weeks were raised by, and what the journal says was paid for it."""
    raised = EarlierPrice.objects.filter(top_up=OuterRef("pk")).order_by().values("top_up").annotate(n=RAISED)
    compared = {
        "raised weeks": (F("pence"), _subquery(raised)),
        "weeks in the journal": (F("pence"), _posted("top_up", Account.WEEKS)),
        "part paid from credit": (F("from_pool_pence"), -_posted("top_up", Account.POOL)),
        "part paid in advance": (F("pence") - F("from_pool_pence"), -_posted("top_up", Account.ADVANCE)),
    }
    for what, (said, found) in compared.items():
        rows = TopUp.objects.select_related("agreement", "tariff__pantry").order_by("on", "pk")
        for each in _differing(f"top-up: {what}", rows, said, found):
            name = f"Top-up of {each.agreement} at {each.tariff.pantry} on {_day(each.on)}"
            yield f"{name}: {what} {pounds(each.found)}, {pounds(each.said)} by the top-up."


def _credits() -> Iterator[str]:
    """The weeks given back equal what the pool was given for them."""
    credited = PaidWeek.objects.filter(block=OuterRef("pk"), state=PaidWeek.State.CREDITED).order_by().values("block")
    funded = PrepaidBlock.objects.filter(agreement__isnull=False).select_related("membership")
    funded = funded.order_by("membership__number", "block_no")
    weeks = _subquery(credited.annotate(n=Sum("pence")))
    for account, sign in ((Account.WEEKS, -1), (Account.POOL, 1)):
        for block in _differing(f"credited in {account}", funded, weeks, sign * _posted("credit", account)):
            yield f"{_name(block)}: credited weeks {pounds(block.said)}, credit in the journal {pounds(block.found)}."


def _transfers() -> Iterator[str]:
    """What each block has moved between pantries sums to zero, and its weeks lie where the journal says."""
    moved = JournalLine.objects.filter(source_type="move").order_by().values("source_id").annotate(out=_sum("pence"))
    for row in moved.exclude(out=0).order_by("source_id"):
        yield f"Transfers of block {row['source_id']} are out by {pounds(row['out'])}."
    entered = JournalLine.objects.filter(
        source_type__in=["block", "credit", "move"],
        source_id=OuterRef("block"),
        pantry=OuterRef("pantry"),
        account=Account.WEEKS,
    )
    kept = PaidWeek.objects.filter(block__agreement__isnull=False).exclude(
        state__in=[PaidWeek.State.CREDITED, PaidWeek.State.REVERSED]
    )
    there = kept.order_by().values("block", "pantry", "block__block_no", "block__membership__number", "pantry__name")
    there = there.annotate(n=Sum("pence"))
    raised = EarlierPrice.objects.filter(paid_week__block=OuterRef("block"), top_up__tariff__pantry=OuterRef("pantry"))
    posted = _subquery(entered.order_by().values("source_id").annotate(n=Sum("pence")))
    posted += _subquery(raised.order_by().values("paid_week__block").annotate(n=RAISED))
    for lies in (
        there.annotate(found=posted).exclude(n=F("found")).order_by("block__membership__number", "pantry__name")
    ):
        block = f"Block {lies['block__block_no']} of member {lies['block__membership__number']}"
        weeks, posted_there = pounds(lies["n"]), pounds(lies["found"])
        yield f"{block}: {weeks} of weeks at {lies['pantry__name']}, {posted_there} in the journal."


def _by_hand() -> Iterator[str]:
    """What was entered by hand was agreed by two people, of the amount they agreed; a reversal is its entry turned."""
    for line in _broken("by hand", lambda: _lines("by_hand").filter(~_theirs(Proposal, state="approved"))):
        yield f"Journal line {line.pk} ({pounds(line.pence)}) was entered by hand and two people have not agreed it."

    def entered() -> QuerySet:
        lines = _lines("by_hand").filter(source_id=OuterRef("pk"), pence__gt=0)
        posted = _subquery(lines.order_by().values("source_id").annotate(n=Sum("pence")))
        agreed = Proposal.objects.filter(kind__in=["entry", "reversal"], state="approved").annotate(found=posted)
        return agreed.exclude(pence=F("found")).order_by("proposed_at")

    for each in _broken("entered", entered):
        yield f"{each} of {_day(each.proposed_at.date())}: {pounds(each.pence)} agreed, {pounds(each.found)} entered."

    def reversed_otherwise() -> QuerySet:
        turned = JournalLine.objects.filter(entry=OuterRef("entry__reverses"), account=OuterRef("account"))
        found = _subquery(turned.order_by().values("entry").annotate(n=Sum("pence")))
        back = JournalLine.objects.filter(entry__kind=EntryKind.REVERSAL).annotate(found=found)
        return back.exclude(pence=-F("found")).order_by("pk")

    for line in _broken("reversed", reversed_otherwise):
        yield f"Journal line {line.pk} reverses {pounds(line.found)} with {pounds(line.pence)}."


def _pools() -> Iterator[str]:
    """Each pool holds what the journal says."""
    lines = JournalLine.objects.filter(account=Account.POOL).order_by()
    journal = dict(lines.values_list("entry__agreement").annotate(Sum("pence")))
    for pool in CreditPool.objects.select_related("agreement").order_by("agreement__name"):
        found = journal.pop(pool.agreement_id, 0)
        if pool.balance_pence != found:
            held = pounds(pool.balance_pence)
            yield f"{pool.agreement}: the pool of credit holds {held}, the journal {pounds(found)}."
    for key, found in journal.items():
        yield f"Agreement {key}: the journal holds {pounds(found)} of credit and there is no pool."


def _budgets() -> Iterator[str]:
    """Each year's commitments are what was bought or topped up in it and not paid from credit."""
    price = F("joining_pence") + F("weeks") * F("weekly_pence") - F("from_pool_pence")
    bought = PrepaidBlock.objects.filter(source=BlockSource.FUNDED).order_by()
    spent: dict = defaultdict(int)
    for agreement_id, day, pence in bought.values_list("agreement", "bought_on").annotate(pence=Sum(price)):
        spent[agreement_id, financial_year(day)] += pence
    raised = TopUp.objects.order_by().values_list("agreement", "on")
    for agreement_id, day, pence in raised.annotate(n=Sum(F("pence") - F("from_pool_pence"))):
        spent[agreement_id, financial_year(day)] += pence
    for budget in Budget.objects.select_related("agreement").order_by("agreement__name", "year_starts_on"):
        found = spent.pop((budget.agreement_id, budget.year_starts_on), 0)
        if budget.committed_pence != found:
            yield (
                f"{budget.agreement}, year from {budget.year_starts_on:%-d %B %Y}: "
                f"{pounds(budget.committed_pence)} committed, {pounds(found)} bought."
            )
    for (key, year), found in spent.items():
        yield f"Agreement {key}, year from {year:%-d %B %Y}: {pounds(found)} bought and there is no budget."


def _decisions() -> Iterator[str]:
    """A renewed decision has the block it speaks of."""
    other = RenewalDecision.objects.filter(block__isnull=False).exclude(
        block__membership=F("membership"), block__block_no=F("block_no")
    )
    for decision in other.select_related("membership").order_by("membership__number"):
        yield f"{decision.membership}: the decision about block {decision.block_no} names another block."


def _numbers() -> Iterator[str]:
    """A block and a decision stand under their member's number."""
    for rows, what in ((PrepaidBlock.objects, "block"), (RenewalDecision.objects, "the decision about block")):
        other = rows.exclude(member_number=F("membership__number")).select_related("membership")
        for row in other.order_by("membership__number", "block_no"):
            yield f"{row.membership}: {what} {row.block_no} is listed under the number {row.member_number}."


def _states() -> Iterator[str]:
    """A member's weeks lie as the state says: parked while paused, none after the end, at the pantry of their place."""

    def noted_otherwise() -> QuerySet:
        last = MembershipMove.objects.filter(membership=OuterRef("pk")).order_by("-on", "-recorded_at")
        members = Membership.objects.annotate(noted=Subquery(last.values("state")[:1]))
        return members.exclude(state=F("noted")).order_by("number")

    for member in _broken("noted", noted_otherwise):
        yield f"{member}: {member.get_state_display().lower()}, but the last change noted is {member.noted}."
    State, in_order = PaidWeek.State, PaidWeek.objects.order_by("membership__number", "pk")
    weeks = in_order.values_list("membership__number", "week").distinct()
    since = MembershipMove.objects.filter(membership=OuterRef("membership")).order_by("-on").values("on")[:1]
    elsewhere = Place.objects.filter(membership=OuterRef("membership"), from_week__lte=OuterRef("week"))
    elsewhere = elsewhere.filter(Q(to_week__isnull=True) | Q(to_week__gt=OuterRef("week")))
    dated = weeks.filter(state=State.DATED)
    wrong = {
        "parked and the member is not paused": lambda: weeks.filter(state=State.PARKED).exclude(
            membership__state="paused"
        ),
        "dated in a pause": lambda: dated.filter(membership__state="paused", week__gt=Subquery(since)),
        "dated after the end": lambda: dated.filter(week__gt=F("membership__ended_on")),
        "at a pantry they do not belong to in it": lambda: dated.filter(
            Exists(elsewhere), ~Exists(elsewhere.filter(pantry=OuterRef("pantry")))
        ),
    }
    for why, rows in wrong.items():
        for row in _broken(f"week {why}", rows):
            yield f"Member {row[0]}: the paid week {f'of {_day(row[1])} ' if row[1] else ''}is {why}."


def _due() -> Iterator[str]:
    """The day noted for each next renewal is the day that follows from blocks, weeks, closures and decisions."""
    rows = Membership.objects.filter(Q(agreement__isnull=False) | Q(next_due_on__isnull=False)).order_by("pk")
    batch = list(rows[:BATCH])
    while batch:
        due = paid_weeks.due_dates(batch)
        for membership in batch:
            if membership.next_due_on != due[membership.pk]:
                noted, right = _day(membership.next_due_on), _day(due[membership.pk])
                yield f"{membership}: the next renewal is noted for {noted} and is due on {right}."
        batch = list(rows.filter(pk__gt=batch[-1].pk)[:BATCH])


def _taken() -> Iterator[str]:
    """What a counted collection says was taken at the counter is what the member's own week and joining fee cost, and
    each such week has its collection."""
    own = PaidWeek.objects.filter(block__source=BlockSource.SELF_PAY).exclude(state=PaidWeek.State.REVERSED)
    price = own.filter(pk=OuterRef("paid_week")).annotate(n=F("pence") + F("block__joining_pence"))
    counted = Collection.objects.counted()

    def taken() -> QuerySet:
        rows = counted.filter(Q(paid_pence__gt=0) | Q(paid_week__in=own)).annotate(found=_subquery(price))
        return rows.exclude(paid_pence=F("found")).select_related("membership").order_by("membership", "on")

    def alone() -> QuerySet:
        rows = own.exclude(Exists(counted.filter(paid_week=OuterRef("pk"))))
        return rows.order_by("membership__number", "week").values_list("membership__number", "week")

    for each in _broken("taken", taken):
        paid, found = f"{pounds(each.paid_pence)} taken", pounds(each.found)
        yield f"{each.membership}: {paid} at the counter on {_day(each.on)}, paid weeks of their own hold {found}."
    for number, week in _broken("alone", alone):
        yield f"Member {number}: the week of {_day(week)} is paid by the member and has no collection."


def _weekly_money(on: date) -> Iterator[str]:
    """Bought + transferred in = used + to come + credited + transferred out, for each funder and pantry."""
    entered: dict = defaultdict(lambda: dict.fromkeys(("in", "out"), 0))
    lines = JournalLine.objects.filter(account=Account.WEEKS).exclude(entry__kind=EntryKind.CREDIT).order_by()
    way = Case(When(Q(pence__lt=0) & Q(entry__kind=EntryKind.TRANSFER), then=Value("out")), default=Value("in"))
    grouped = lines.annotate(way=way).values_list("entry__agreement__funder__name", "pantry__name", "way")
    for funder, pantry, key, pence in grouped.annotate(Sum("pence")):
        entered[funder, pantry][key] += abs(pence) if key == "out" else pence
    weeks = PaidWeek.objects.filter(block__agreement__isnull=False).exclude(state=PaidWeek.State.REVERSED).order_by()
    became = Case(
        When(state=PaidWeek.State.CREDITED, then=Value("credited")),
        When(Q(state=PaidWeek.State.DATED, week__lte=on), then=Value("used")),
        default=Value("to come"),
    )
    there: dict = defaultdict(lambda: defaultdict(int))
    counted = weeks.annotate(became=became).values_list("block__agreement__funder__name", "pantry__name", "became")
    for funder, pantry, key, pence in counted.annotate(Sum("pence")):
        there[funder, pantry][key] += pence
    for key in sorted({*entered, *there}, key=str):
        into, out = entered[key]["in"], entered[key]["out"]
        if into != sum(there[key].values()) + out:
            parts = " + ".join(f"{pounds(there[key][name])} {name}" for name in ("used", "to come", "credited"))
            yield f"{key[0]} at {key[1]}: {pounds(into)} bought and transferred in, but {parts} + {pounds(out)} out."


def _sum(field: str):
    return Coalesce(Sum(field), 0, output_field=BigIntegerField())


def _subquery(grouped):
    return Coalesce(Subquery(grouped.values("n"), output_field=BigIntegerField()), 0)


def _lines(*about: str) -> QuerySet[JournalLine]:
    return JournalLine.objects.filter(source_type__in=about).order_by("pk")


def _theirs(model: Any, **more: Any) -> Exists:
    """There is such a row behind a line, under the line's agreement."""
    return Exists(model.objects.filter(pk=OuterRef("source_id"), agreement=OuterRef("entry__agreement"), **more))


@cache
def _posted(source_type: str, account: str):
    """The sum of a block's lines in one account."""
    lines = JournalLine.objects.filter(source_type=source_type, source_id=OuterRef("pk"), account=account)
    return _subquery(lines.order_by().values("source_id").annotate(n=Sum("pence")))


def _differing(name: str, rows: QuerySet, said: Any, found: Any) -> Iterable[Any]:
    """The rows where two amounts are not the same."""
    amount = Coalesce(said, 0, output_field=BigIntegerField())
    return _broken(name, lambda: rows.annotate(said=amount, found=found).exclude(said=F("found")))


def _broken(name: str, rows: Callable[[], QuerySet]) -> Iterable[Any]:
    """These rows. Nearly always there are none, and a query that is written once says so in a tenth of the time."""
    if name not in _any:
        _any[name] = Kept(lambda: rows().order_by().values_list("pk"))
    return rows() if _any[name]() else ()


def _name(block: PrepaidBlock) -> str:
    return f"Block {block.block_no} of member {block.membership.number}"


def _day(day: date | None) -> str:
    return f"{day:%-d %B %Y}" if day else "no day"
