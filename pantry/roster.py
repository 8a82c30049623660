"""Who is shown in a pantry session, as rows that hold the volunteer whitelist of rules.md and nothing else.

Pages for volunteers are given these rows, never a Membership: what is not a field here cannot leak from there.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from django.db.models import Exists, OuterRef, QuerySet

from pantry import counter
from pantry import roster_queries as queries
from pantry.models import (
    Collection,
    Membership,
    PaidWeek,
    Pantry,
    PantrySession,
    Place,
    PrintedSheet,
    SheetRow,
)
from pantry.models.memberships import MembershipQuerySet, called
from pantry.roster_queries import FACTS, ROWS, Facts, Taken
from pantry.services import away, charges, collections
from pantry.services.blocks import prices_in_force
from stockport_hubs.accounts.models import User
from stockport_hubs.core import needs, weeks
from stockport_hubs.core.kept import Kept, whole
from stockport_hubs.core.pages import Page, Paginator


@dataclass(frozen=True)
class Collected:
    """This week's collection of a row, wherever it was taken."""

    id: UUID
    words: str  # "Collected today 10:42 by Jo"
    taken: str  # "10 items, fruit and veg"
    can_undo: bool  # one tap: recorded in this session by who is looking
    can_void: bool  # on the page that asks for a reason


@dataclass(frozen=True)
class Row:
    """The whitelist."""

    id: UUID
    number: int
    called: str
    may_shop: bool
    words: str  # why not; or a neutral note
    to_pay_pence: int
    left: int
    allowance: int
    needs: tuple[str, ...]
    interpreter: str
    no_cooking: bool
    is_first_visit: bool
    collected: Collected | None


def of_operator(session: PantrySession) -> MembershipQuerySet:
    """Everyone who could come, wherever they belong: the operator's members."""
    return Membership.objects.filter(operator_id=session.pantry.operator_id)


def member_of(session: PantrySession, key: UUID) -> Membership | None:
    """One of them."""
    found = queries.MEMBER(operator=session.pantry.operator_id, key=key)
    return whole(Membership, found[0]) if found else None


def listed(session: PantrySession) -> MembershipQuerySet:
    """Members with a place at the session's pantry that day whose membership has not ended before it, by name. Who has
    died is on no list from the moment it is known."""
    return queries.listed(session.pantry.operator_id, session.pantry_id, session.on)


def _ask(kept: Kept, keys: list[UUID], **more) -> Iterable:
    """Of a page's members by the text that is kept; of a whole list, whose length is seldom the same, by a new one."""
    return kept(keys=keys, **more) if len(keys) <= ROWS else kept.query(keys=keys, **more)


def page_of(session: PantrySession, words: str, number: str) -> Page:
    """One page of the members listed, as Facts."""
    members = listed(session).search(words) if words else listed(session)
    facts = members.values_list(*FACTS)
    paginator = Paginator(facts, ROWS, exact=True)  # as the first page is, whose count comes with its rows
    if number in ("", "1"):
        of = {"operator": session.pantry.operator_id, "pantry": session.pantry_id, "day": session.on}
        first = list(facts[: ROWS + 1]) if words else queries.FIRST_PAGE(**of)
        if len(first) <= ROWS:
            paginator.count = len(first)
        elif not words:
            paginator.count = first[0][-1]
        return Page([Facts(*each[: len(FACTS)]) for each in first[:ROWS]], 1, paginator)
    page = paginator.get_page(number)
    return Page([Facts(*each) for each in page], page.number, paginator)


def page_to_type(session: PantrySession, sheet: PrintedSheet | None, number: str, n: int) -> Page:
    """n members a page, as Facts, to be typed in: those of a sheet in its order, otherwise those listed."""
    members = sheet.rows.values_list("membership", flat=True) if sheet else listed(session).values_list("pk", flat=True)
    page = Paginator(members, n).get_page(number)
    return Page(facts_of(session, page), page.number, page.paginator)


def facts_of(session: PantrySession, keys: Iterable[UUID]) -> list[Facts]:
    """The operator's members with these ids, in their order; others are left out."""
    keys = list(keys)
    found = {each[0]: Facts(*each) for each in of_operator(session).filter(pk__in=keys).values_list(*FACTS)}
    return [found[key] for key in keys if key in found]


def on_sheets(sheets: Iterable[PrintedSheet]) -> dict[UUID, tuple[int, int]]:
    """(members on it, those of them whose collection of its session is recorded) by sheet, in two queries."""
    keys = [sheet.pk for sheet in sheets]
    rows = SheetRow.objects.filter(sheet__in=keys).order_by()
    there = Collection.objects.counted().filter(session=OuterRef("sheet__session"), membership=OuterRef("membership"))
    all_rows = Counter(rows.values_list("sheet", flat=True))
    recorded = Counter(rows.filter(Exists(there)).values_list("sheet", flat=True))
    return {key: (all_rows[key], recorded[key]) for key in keys}


def rows(session: PantrySession, members: Iterable[Facts], *, by: User, today: date) -> list[Row]:
    """Rows for listed members in their order; the number of queries does not depend on how many there are."""
    members = list(members)
    week = weeks.monday(session.on)
    keys = [member.id for member in members]
    shared: dict[UUID, list[tuple[str, str]]] = defaultdict(list)
    for key, kind, value in _ask(queries.NEEDS, keys):
        shared[key].append((kind, value))
    collected = _taken(keys, week)
    most_paid = dict(_ask(queries.OTHER_WEEKS, keys, week=week))  # of those who came before
    states = collections.states_on({member.id: member.state for member in members}, session.on, today)
    gone = away.until(keys, session.on)
    payers = [member for member in members if member.pays(week, states[member.id])]
    due = _due(session, payers, week, most_paid)

    def row(member: Facts) -> Row:
        is_first, state = member.id not in most_paid, states[member.id]
        why, note, pence = counter.why_not(state), counter.note(state), due.get(member.id, 0)
        if not note and member.id in gone:
            note = away.words(gone[member.id])
        return _row(session, member, collected.get(member.id), shared[member.id], pence, is_first, by, today, why, note)

    return [row(member) for member in members]


def _due(
    session: PantrySession,
    payers: list[Facts],
    week: date,
    most_paid: dict[UUID, int],
    homes: dict[UUID, UUID] | None = None,
) -> dict[UUID, int]:
    """Pence by member, for those who pay at the counter and whose week is not bought already, at the price of the
    pantry they belong to: the session's, or where `homes` says."""
    if not payers:
        return {}
    paid = {key for (key,) in _ask(queries.BOUGHT, [member.id for member in payers], week=week)}
    here = session.pantry_id
    prices = prices_in_force({here, *(homes or {}).values()}, week)
    return {
        member.id: charges.of(
            prices.get((homes or {}).get(member.id, here)),
            paid_for=member.agreement_id is not None,
            has_paid=most_paid.get(member.id, 0) > 0,
            joined_on=member.joined_on,
            previous_left_on=member.previous_left_on,
        ).pence
        for member in payers
        if member.id not in paid
    }


def _taken(keys: list[UUID], week: date) -> dict[UUID, Taken]:
    """The week's counted collections of these members."""
    return {each[0]: Taken(*each) for each in _ask(queries.OF_WEEK, keys, week=week)}


def _row(session, member: Facts, taken, shared, due, is_first, by, today, why: str, note: str = "") -> Row:
    by_kind = defaultdict(list)
    for kind, value in shared:
        by_kind[kind].append(value)
    return Row(
        id=member.id,
        number=member.number,
        called=called(member.preferred_name),
        may_shop=not why and taken is None,
        words=why or note,
        to_pay_pence=0 if why or taken else due,
        left=0 if why or taken else session.pantry.allowance,
        allowance=session.pantry.allowance,
        needs=tuple(needs.words(kind, value) for kind in ("allergen", "diet") for value in by_kind[kind]),
        interpreter=", ".join(by_kind["language"]),
        no_cooking=bool(by_kind["no_cooking"]),
        is_first_visit=is_first,
        collected=_collected(session, taken, by, today) if taken else None,
    )


def _collected(session: PantrySession, taken: Taken, by: User, today: date) -> Collected:
    here, own = taken.session_id == session.pk, taken.recorded_by_id == by.pk
    may = here and not collections.why_stays(day=taken.on, is_own=own, by=by, on=today)
    parts = [f"{taken.items} item{'' if taken.items == 1 else 's'}"] if taken.items else []
    return Collected(
        id=taken.id,
        words=collections.in_words(
            day=taken.on,
            today=today,
            collected_at=taken.collected_at,
            entered_at=taken.recorded_at if taken.is_late else None,
            by=taken.recorded_by_name.split(" ")[0],
            there="" if taken.pantry_id == session.pantry_id else taken.pantry_name,
        ),
        taken=", ".join(parts + (["fruit and veg"] if taken.fruit_and_veg else [])),
        can_undo=may and own,
        can_void=may,
    )


def unlisted(session: PantrySession, words: str) -> Facts | None:
    """The operator's member with exactly this number who is not listed: left, or of another pantry."""
    if not words.isdecimal() or len(words) > 8:
        return None
    number = of_operator(session).filter(number=int(words)).exclude(pk__in=listed(session).order_by().values("pk"))
    found = number.values_list(*FACTS).first()
    return Facts(*found) if found else None


def row_elsewhere(session: PantrySession, member: Facts, *, by: User, today: date) -> Row:
    """The row of a member found by number alone who is not on this pantry's list: no name, no needs."""
    week = weeks.monday(session.on)
    taken = _taken([member.id], week).get(member.id)
    member = member._replace(preferred_name="")
    state = collections.states_on({member.id: member.state}, session.on, today)[member.id]
    why = counter.why_not(state)
    if not why and not session.pantry.welcomes_other_pantries:
        why = f"Member of another pantry. {counter.ASK}"
    if why:
        return _row(session, member, taken, [], 0, False, by, today, why)
    place = Place.objects.filter(membership=member.id).order_by("-from_week").first()
    home = place.pantry_id if place else session.pantry_id
    whole = Membership.objects.select_related("previous").get(pk=member.id)
    has_paid_week = PaidWeek.objects.dated().filter(membership=member.id, week=week).exists()
    due = charges.due(whole, home=home, week=week, state=state, has_paid_week=has_paid_week).pence
    is_first = not Collection.objects.counted().filter(membership=member.id).exclude(week=week).exists()
    return _row(session, member, taken, [], due, is_first, by, today, "", counter.OTHER_PANTRY)


def elsewhere(session: PantrySession, *, by: User, today: date) -> list[Row]:
    """`row_elsewhere` for every member of the operator's other pantries whose membership has not ended, by number: what
    a tablet without network needs to know of who comes from there. A fixed number of queries."""
    others = of_operator(session).exclude(state=Membership.State.ENDED).order_by("number")
    others = others.exclude(pk__in=listed(session).order_by().values("pk"))
    members = [Facts(*each)._replace(preferred_name="") for each in others.values_list(*FACTS)]
    keys, week = [member.id for member in members], weeks.monday(session.on)
    collected, welcome = _taken(keys, week), session.pantry.welcomes_other_pantries
    states = collections.states_on({member.id: member.state for member in members}, session.on, today)
    most_paid, due = {}, {}
    if welcome:
        most_paid = dict(_ask(queries.OTHER_WEEKS, keys, week=week))
        payers = [member for member in members if member.pays(week, states[member.id])]
        homes = dict(
            Place.objects.filter(membership__in=[member.id for member in payers])
            .order_by("from_week")
            .values_list("membership_id", "pantry_id")
        )
        due = _due(session, payers, week, most_paid, homes)

    def row(member: Facts) -> Row:
        why = counter.why_not(states[member.id]) or ("" if welcome else f"Member of another pantry. {counter.ASK}")
        is_first, pence = not why and member.id not in most_paid, due.get(member.id, 0)
        taken, note = collected.get(member.id), "" if why else counter.OTHER_PANTRY
        return _row(session, member, taken, [], pence, is_first, by, today, why, note)

    return [row(member) for member in members]


def row_of(session: PantrySession, member: Membership, *, by: User, today: date) -> Row:
    """The row of one member of the operator, listed here or not."""
    facts = Facts(*Membership.objects.values_list(*FACTS).get(pk=member.pk))
    if listed(session).filter(pk=member.pk).exists():
        return rows(session, [facts], by=by, today=today)[0]
    return row_elsewhere(session, facts, by=by, today=today)


def recorded(session: PantrySession) -> int:
    """How many counted collections it holds: one query."""
    return dict(queries.RECORDED(session=session.pk)).get(session.pk, 0)


def recorded_in(sessions: Iterable[PantrySession]) -> Counter:
    """How many counted collections each session holds, by its id: one query."""
    counted = Collection.objects.counted().filter(session__in=[s.pk for s in sessions])
    return Counter(counted.order_by().values_list("session_id", flat=True))


def only_funded(pantries: QuerySet[Pantry]) -> QuerySet[Pantry]:
    """Those with members of whom every one is paid for by an agreement: there the list itself tells who that is."""
    current = Place.objects.filter(pantry=OuterRef("pk"), to_week__isnull=True).exclude(
        membership__state=Membership.State.ENDED
    )
    paying = current.filter(membership__agreement__isnull=True)
    return pantries.filter(Exists(current), ~Exists(paying)).order_by("name")
