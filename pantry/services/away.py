"""A member told us until when they are away: shown to the session, and the reason of the weeks until then."""

from collections.abc import Iterable
from datetime import date, datetime
from uuid import UUID

from django.db import transaction

from pantry.models import Away, Collection, Membership, MissedWeek
from pantry.services import blocks
from stockport_hubs.accounts.models import Role, User
from stockport_hubs.audit import services as audit
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.kept import Kept
from stockport_hubs.core.weeks import WEEK, london_date, monday, spoken, weeks_between

AT_MOST = 26 * WEEK


LASTING = Kept(
    lambda keys, day: (
        Away.objects.lasting(day)
        .filter(membership__in=keys, from_on__lte=day)
        .order_by()
        .values_list("membership_id", "until_on")
    )
)
BEFORE = Kept(
    lambda key, day: Away.objects.lasting(day).filter(membership=key, from_on__lt=day).order_by().values_list("pk")
)


def until(keys: Iterable[UUID], day: date) -> dict[UUID, date]:
    """Until when each of these members is away, of those who told us."""
    listed = list(keys)
    return dict(LASTING(keys=listed, day=day)) if listed else {}


def of(membership: Membership, day: date) -> Away | None:
    """What the member told us that still lasts on that day."""
    return Away.objects.lasting(day).filter(membership=membership).select_related("told_by").first()


@transaction.atomic
def tell(*, membership: Membership, until_on: date, key: UUID, by: User, at: datetime) -> Away:
    """They are away from today until a day, that day included. Weeks until then get "told us" where nobody has said
    another reason; they are used all the same. The same key is the same telling; another day replaces what was said."""
    membership = blocks.locked(membership.pk)
    if by.organisation_id != membership.operator_id:
        raise Refused("Only who works at the pantry records this.")
    if earlier := Away.objects.filter(key=key).first():
        if (earlier.membership_id, earlier.until_on) != (membership.pk, until_on):
            raise Refused("This form was already used to record something else. Go back and start again.")
        return earlier
    on = london_date(at)
    if membership.state == Membership.State.ENDED:
        raise Refused("This membership has ended. Nothing is recorded about it any more.")
    if until_on < on:
        raise Refused("The day they are away until must be today or later.")
    if until_on > on + AT_MOST:
        raise Refused("Up to 26 weeks can be said ahead. Ask the pantry manager about longer.")
    if last := Away.objects.filter(membership=membership, ended_at__isnull=True).first():
        _end(last, from_week=monday(on), by=by, at=at)
    said = Away.objects.create(membership=membership, from_on=on, until_on=until_on, key=key, told_at=at, told_by=by)
    _explain(said, by, at)
    _log("told", said, by, at)
    return said


@transaction.atomic
def take_back(*, away: Away, by: User, at: datetime) -> Away:
    """Not away after all, or a mistake: volunteers what they recorded themselves today, the pantry manager any."""
    blocks.locked(away.membership_id)
    away = Away.objects.select_related("membership", "told_by").get(pk=away.pk)
    check_can_take_back(away, by=by, on=london_date(at))
    _end(away, from_week=london_date(at), by=by, at=at)
    _log("taken_back", away, by, at)
    return away


def check_can_take_back(away: Away, *, by: User, on: date) -> None:
    """Refused with a sentence when it stays."""
    if away.ended_at:
        raise Refused("This has ended already.")
    if by.organisation_id != away.membership.operator_id:
        raise Refused("Only who works at the pantry records this.")
    if by.role != Role.PANTRY_MANAGER and (away.told_by_id != by.pk or london_date(away.told_at) != on):
        raise Refused("Ask the pantry manager to take this back, or record a new day.")


def can_take_back(away: Away, *, by: User, on: date) -> bool:
    """Whether check_can_take_back lets it pass."""
    try:
        check_can_take_back(away, by=by, on=on)
    except Refused:
        return False
    return True


def came(collection: Collection) -> None:
    """Somebody who was to be away has come: the weeks from this one on have no reason by their words any more. Called
    within the transaction that records the visit; the membership is locked."""
    for (key,) in BEFORE(key=collection.membership_id, day=collection.on):
        away = Away.objects.get(pk=key)
        by, at = collection.recorded_by, collection.recorded_at
        _end(away, from_week=collection.week, by=by, at=at, visit=collection)
        _log("came", away, by, at)


def undone(collection: Collection, *, by: User, at: datetime) -> None:
    """The visit that ended it is taken back: they are away again, unless something else was said since."""
    away = Away.objects.filter(came=collection).select_related("membership").first()
    if away and not Away.objects.filter(membership=away.membership_id, ended_at__isnull=True).exists():
        away.ended_at = away.ended_by = away.came = None
        away.save(update_fields=["ended_at", "ended_by", "came"])
        _explain(away, by, at)
        _log("told", away, by, at)


def _explain(away: Away, by: User, at: datetime) -> None:
    mondays = weeks_between(monday(away.from_on), monday(away.until_on))
    kept = MissedWeek.objects.filter(membership=away.membership_id, week__in=mondays)
    said = set(kept.values_list("week", flat=True))
    MissedWeek.objects.bulk_create(
        MissedWeek(
            membership_id=away.membership_id,
            week=week,
            reason=MissedWeek.Reason.TOLD_US,
            away=away,
            recorded_by=by,
            recorded_at=at,
        )
        for week in mondays
        if week not in said
    )


def _end(away: Away, *, from_week: date, by: User, at: datetime, visit: Collection | None = None) -> None:
    away.weeks.filter(week__gte=monday(from_week)).delete()
    away.ended_at, away.ended_by, away.came = at, by, visit
    away.save(update_fields=["ended_at", "ended_by", "came"])


def _log(verb: str, away: Away, by: User, at: datetime) -> None:
    detail = {"until": away.until_on.isoformat()}
    subjects = [(audit.MEMBERSHIP, away.membership_id)]
    audit.record(f"pantry.away.{verb}", at=at, by=by, target=away, subjects=subjects, detail=detail)


def words(until_on: date) -> str:
    """What the session is told."""
    return f"Said they are away until {spoken(until_on)}, may shop"
