"""The rota of a pantry's volunteers, and the notes they read."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Q

from pantry.models import Duty, Note, Pantry, PantrySession
from pantry.services import sessions, volunteers
from pantry.wording import refuse_forbidden
from stockport_hubs.accounts.models import Role, User
from stockport_hubs.audit import services as audit
from stockport_hubs.core import weeks
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.kept import Kept

AHEAD = 26  # weeks for which a rota is written
NOTES = Kept(lambda pantry, day: Note.objects.shown_on(day).filter(pantry=pantry).values_list("text"))


@transaction.atomic
def put_down(*, pantry: Pantry, on: date, opens: time, user: User, by: User, at: datetime) -> Duty:
    """A volunteer who works at the pantry is down for one of its openings, today's or a later one."""
    _check_manager(pantry, by)
    today = weeks.london_date(at)
    if not today <= on <= today + timedelta(weeks=AHEAD):
        raise Refused(f"A rota is for sessions from today to {AHEAD} weeks ahead.")
    [plan] = sessions.plans([pantry], on)
    if opens not in [begins for begins, _ in plan.openings(on)]:
        raise Refused(f"{pantry} has no session then. Choose one of those listed.")
    working = pantry.staff.in_force_on(on).filter(user=user)
    if user.role != Role.PANTRY_VOLUNTEER or user.deactivated_at or not working.exists():
        raise Refused(f"{user} does not work at {pantry} that day. Add them to its volunteers first.")
    try:
        with transaction.atomic():
            duty = Duty.objects.create(pantry=pantry, on=on, opens=opens, user=user, added_by=by, added_at=at)
    except IntegrityError:
        raise Refused(f"{user} is down for this session already.")
    audit.record("pantry.duty.added", at=at, by=by, target=pantry, detail={"user": str(user.pk), "on": on.isoformat()})
    return duty


@transaction.atomic
def take_off(*, duty: Duty, by: User, at: datetime) -> None:
    """They are not down for it any more. What has passed stays as it was."""
    _check_manager(duty.pantry, by)
    if duty.on < weeks.london_date(at):
        raise Refused("This session has passed, and its rota stays as it was.")
    detail = {"user": str(duty.user_id), "on": duty.on.isoformat()}
    duty.delete()
    audit.record("pantry.duty.removed", at=at, by=by, target=duty.pantry, detail=detail)


def down_for(pantry: Pantry, days: Iterable[date]) -> dict[tuple[date, time], list[Duty]]:
    """Who is down, by day and opening, by name: one query."""
    found: dict[tuple[date, time], list[Duty]] = defaultdict(list)
    duties = Duty.objects.standing().filter(pantry=pantry, on__in=list(days)).select_related("user")
    for duty in duties.order_by("on", "opens", "user__name"):
        found[duty.on, duty.opens].append(duty)
    return found


@dataclass(frozen=True)
class Turn:
    """A session somebody is down for, as its volunteers see it."""

    pantry: Pantry
    on: date
    opens: time
    closes: time | None  # None: it does not open
    others: list[str]  # first names


def turns_of(user: User, today: date) -> list[Turn]:
    """A volunteer's own sessions from today on, with the first names of who else is down; four queries."""
    own = list(Duty.objects.for_user(user).standing().filter(user=user, on__gte=today).select_related("pantry"))
    if not own:
        return []
    same = Q()
    for duty in own:
        same |= Q(pantry=duty.pantry_id, on=duty.on, opens=duty.opens)
    others: dict[tuple, list[str]] = defaultdict(list)
    fellows = Duty.objects.standing().filter(same).exclude(user=user).select_related("user").order_by("user__name")
    for each in fellows:
        others[each.pantry_id, each.on, each.opens].append(each.user.get_short_name())
    pantries = {duty.pantry_id: duty.pantry for duty in own}
    plans = {plan.pantry.pk: plan for plan in sessions.plans(pantries.values(), today)}
    return [
        Turn(
            pantry=duty.pantry,
            on=duty.on,
            opens=duty.opens,
            closes=dict(plans[duty.pantry_id].openings(duty.on)).get(duty.opens),
            others=others[duty.pantry_id, duty.on, duty.opens],
        )
        for duty in own
    ]


@transaction.atomic
def write_note(*, pantry: Pantry, text: str, from_on: date, until_on: date | None, by: User, at: datetime) -> Note:
    """Volunteers read it on the session page from one day to another; no end: until it is taken down."""
    _check_manager(pantry, by)
    text = refuse_forbidden(" ".join(text.split()))
    if not text:
        raise Refused("Write what volunteers should know.")
    if until_on is not None and until_on < max(from_on, weeks.london_date(at)):
        raise Refused("The last day of a note is its first day or later, and not in the past.")
    note = Note.objects.create(
        pantry=pantry, text=text, from_on=from_on, until_on=until_on, written_by=by, written_at=at
    )
    audit.record("pantry.note.written", at=at, by=by, target=note)
    return note


@transaction.atomic
def take_down_note(*, note: Note, by: User, at: datetime) -> None:
    """Nobody is shown it any more; it stays on record."""
    note = Note.objects.select_for_update(of=("self",)).select_related("pantry").get(pk=note.pk)
    _check_manager(note.pantry, by)
    if note.removed_at:
        raise Refused("This note is taken down already.")
    note.removed_at, note.removed_by = at, by
    note.save(update_fields=["removed_at", "removed_by"])
    audit.record("pantry.note.removed", at=at, by=by, target=note)


def notes_for(session: PantrySession) -> list[str]:
    """What volunteers read on the session's page: one query."""
    return [text for (text,) in NOTES(pantry=session.pantry_id, day=session.on)]


def called_down_for(session: PantrySession) -> list[str]:
    """What those are called who are down for it, by name: one query."""
    same = {"pantry": session.pantry_id, "on": session.on, "opens": session.opens}
    duties = Duty.objects.standing().filter(**same).select_related("user").order_by("user__name")
    users = [duty.user for duty in duties]
    called = volunteers.names(users)
    return [called[user.pk] for user in users]


def _check_manager(pantry: Pantry, by: User) -> None:
    if by.role != Role.PANTRY_MANAGER or by.organisation_id != pantry.operator_id:
        raise Refused("The pantry manager looks after the rota and the notes.")
