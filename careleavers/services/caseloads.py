"""A whole caseload at once: hand it to another advisor from a day on, have it covered for a while, take that back."""

from collections.abc import Iterable
from datetime import date, datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet

from careleavers.models import AdvisorAllocation, AdvisorCover, CareLeaver, CaseloadMove
from careleavers.services.allocations import DAY, check_can_advise, spoken
from stockport_hubs.accounts.models import Role, User, UserQuerySet
from stockport_hubs.audit import services as audit
from stockport_hubs.audit.services import CARE_LEAVER
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.weeks import london_date

AT_ONCE = 200  # young people in one go: one page shows them all
Kind = CaseloadMove.Kind


def holders(user: User) -> UserQuerySet:
    """Advisors of a manager's council; and those whose account is deactivated while they still have someone."""
    found = User.objects.filter(organisation_id=user.organisation_id, role=Role.PERSONAL_ADVISOR)
    theirs = _living_rows().filter(advisor=OuterRef("pk"))
    return found.filter(Q(deactivated_at__isnull=True) | Exists(theirs)).order_by("name", "pk")


def held_by(advisors: Iterable[User]) -> dict[UUID, int]:
    """How many living young people each of these advisors has from now on; who has none is left out."""
    rows = _living_rows().filter(advisor__in=list(advisors)).order_by()
    return dict(rows.values_list("advisor").annotate(Count("pk")))


def _living_rows() -> QuerySet[AdvisorAllocation]:
    died = CareLeaver.objects.filter(pk=OuterRef("care_leaver")).died()
    return AdvisorAllocation.objects.filter(~Exists(died), until_on=None)


def caseload(of: User, on: date) -> QuerySet[CareLeaver]:
    """The living young people allocated to an advisor on that day with no other advisor to follow."""
    mine = AdvisorAllocation.objects.filter(advisor=of, from_on__lte=on, until_on=None, care_leaver=OuterRef("pk"))
    return CareLeaver.objects.filter(council_id=of.organisation_id).living().filter(Exists(mine))


@transaction.atomic
def transfer(*, of: User, to: User, people: Iterable[CareLeaver], on: date, by: User, at: datetime) -> CaseloadMove:
    """These young people of one advisor are another's from a day on; refused as a whole when one of them is not."""
    rows = _locked(of, to, people, on)
    if on < london_date(at):
        raise Refused("A caseload is handed over from today or a later day. Change one person’s dates on their page.")
    move = _move(Kind.TRANSFER, of, to, rows, on, None, by, at)
    begun = [row.pk for row in rows if row.from_on < on]
    AdvisorAllocation.objects.filter(pk__in=begun).update(until_on=on - DAY)
    # A row that would never have held a day is replaced; undoing the move puts it back.
    AdvisorAllocation.objects.filter(pk__in=[row.pk for row in rows if row.from_on >= on]).delete()
    AdvisorAllocation.objects.bulk_create(
        [
            AdvisorAllocation(care_leaver_id=row.care_leaver_id, advisor=to, from_on=on, given_by=by, move=move)
            for row in rows
        ]
    )
    _audit("careleavers.caseload.transferred", move, [row.care_leaver_id for row in rows], by, at)
    return move


@transaction.atomic
def cover(
    *, of: User, to: User, people: Iterable[CareLeaver], from_on: date, until_on: date, by: User, at: datetime
) -> CaseloadMove:
    """A colleague covers these young people from the first to the last day; who is covered already stays so."""
    if until_on < from_on:
        raise Refused("The last day of cover must not be before the first.")
    if until_on < london_date(at):
        raise Refused("The last day of cover has passed already. Choose today or a later day.")
    rows = _locked(of, to, people, max(from_on, london_date(at)))
    overlapping = AdvisorCover.objects.filter(advisor=to, from_on__lte=until_on, until_on__gte=from_on)
    covered = set(
        overlapping.filter(care_leaver__in=[row.care_leaver_id for row in rows]).values_list("care_leaver", flat=True)
    )
    rows = [row for row in rows if row.care_leaver_id not in covered]
    if not rows:
        raise Refused(f"{to.name} covers all of them on some of these days already. Choose other days.")
    move = _move(Kind.COVER, of, to, rows, from_on, until_on, by, at)
    AdvisorCover.objects.bulk_create(
        [
            AdvisorCover(
                care_leaver_id=row.care_leaver_id,
                advisor=to,
                from_on=from_on,
                until_on=until_on,
                given_by=by,
                move=move,
            )
            for row in rows
        ]
    )
    _audit("careleavers.caseload.covered", move, [row.care_leaver_id for row in rows], by, at)
    return move


def check_can_undo(move: CaseloadMove, on: date) -> None:
    """Raises when what was done cannot be taken back any more."""
    if move.undone_at:
        raise Refused("This has been undone already.")
    if move.kind == Kind.COVER and move.until_on is not None and move.until_on < on:
        raise Refused("This cover has ended already.")
    if move.kind == Kind.TRANSFER and on > max(move.from_on, london_date(move.given_at)):
        raise Refused(
            f"{move.to.name} has been the advisor since {spoken(move.from_on)}, and has seen these young people. "
            f"Transfer the caseload back to {move.of.name} instead: the dates then say what happened."
        )


def can_undo(move: CaseloadMove, on: date) -> bool:
    try:
        check_can_undo(move, on)
    except Refused:
        return False
    return True


@transaction.atomic
def undo(*, move: CaseloadMove, by: User, at: datetime) -> int:
    """Take back a transfer until the end of its first day, or end cover from now on; how many people it concerned.

    Someone who has been given to a third advisor meanwhile stays there.
    """
    move = CaseloadMove.objects.select_for_update(of=("self",)).select_related("of", "to").get(pk=move.pk)
    today = london_date(at)
    check_can_undo(move, today)
    if move.kind == Kind.COVER:
        rows = move.covers.filter(until_on__gte=today)
        people = list(rows.values_list("care_leaver", flat=True))
        rows.filter(from_on__gte=today).delete()
        move.covers.filter(until_on__gte=today).update(until_on=today - DAY)
    else:
        people = _give_back(move)
        if not people:
            raise Refused(
                f"{move.to.name} has none of these young people by this transfer any more, so nothing can be undone. "
                "Transfer them from the caseload that has them now."
            )
    move.undone_by, move.undone_at = by, at
    move.save(update_fields=["undone_by", "undone_at"])
    _audit("careleavers.caseload.undone", move, people, by, at)
    return len(people)


def _give_back(move: CaseloadMove) -> list:
    """The former rows are open again, or made again where the transfer replaced them."""
    people = list(move.allocations.filter(until_on=None).values_list("care_leaver", flat=True))
    list(CareLeaver.objects.select_for_update().filter(pk__in=people).order_by("pk").values_list("pk", flat=True))
    move.allocations.filter(until_on=None).delete()
    before = AdvisorAllocation.objects.filter(care_leaver__in=people, advisor=move.of_id, until_on=move.from_on - DAY)
    closed = set(before.values_list("care_leaver", flat=True))
    before.update(until_on=None)
    AdvisorAllocation.objects.bulk_create(
        [
            AdvisorAllocation(care_leaver_id=key, advisor_id=move.of_id, from_on=move.from_on, given_by=move.given_by)
            for key in people
            if key not in closed
        ]
    )
    return people


def _locked(of: User, to: User, people: Iterable[CareLeaver], on: date) -> list[AdvisorAllocation]:
    """The open allocations of these people, their rows locked; in words what does not fit."""
    people = list(people)
    if not people:
        raise Refused("Tick at least one young person.")
    if len(people) > AT_ONCE:
        raise Refused(f"At most {AT_ONCE} young people at once. Do these first, then the others.")
    keys = [person.pk for person in people]
    list(CareLeaver.objects.select_for_update().filter(pk__in=keys).order_by("pk").values_list("pk", flat=True))
    if of.pk == to.pk:
        raise Refused(f"{to.name} is the advisor of these young people already. Choose another.")
    for person in people:
        check_can_advise(to, person)
    found = AdvisorAllocation.objects.filter(care_leaver__in=caseload(of, on).filter(pk__in=keys), until_on=None)
    rows = list(found.order_by("care_leaver"))
    if len(rows) != len(people):
        raise Refused(
            f"{len(people) - len(rows)} of them are not on {of.name}’s caseload any more. Look at the list again."
        )
    return rows


def _move(kind, of, to, rows, from_on, until_on, by, at) -> CaseloadMove:
    return CaseloadMove.objects.create(
        council_id=of.organisation_id,
        kind=kind,
        of=of,
        to=to,
        people=len(rows),
        from_on=from_on,
        until_on=until_on,
        given_by=by,
        given_at=at,
    )


def _audit(verb: str, move: CaseloadMove, people: list, by: User, at: datetime) -> None:
    audit.record(
        verb,
        at=at,
        by=by,
        target=move,
        subjects=[(CARE_LEAVER, key) for key in people],
        detail={"of": str(move.of_id), "to": str(move.to_id), "from": move.from_on.isoformat()},
    )
