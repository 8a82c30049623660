"""Actions of meetings and barriers: made, changed, done, or not done after all."""

from datetime import date, datetime
from uuid import UUID

from django.db import transaction

from reviews.models import Action, ReviewMeeting
from stockport_hubs.accounts.models import User
from stockport_hubs.audit import services as audit
from stockport_hubs.audit.services import CARE_LEAVER
from stockport_hubs.core.weeks import london_date


def _locked(action: Action) -> Action:
    return Action.objects.select_for_update(of=("self",)).select_related("barrier").get(pk=action.pk)


def subjects(action: Action) -> list[tuple[str, UUID]]:
    """Whom an action is about, for the audit."""
    person = action.barrier.care_leaver_id if action.barrier else None
    return [(CARE_LEAVER, person)] if person else []


@transaction.atomic
def make(
    *,
    meeting: ReviewMeeting | None,
    barrier_id: UUID | None,
    what: str,
    owner: User,
    due_on: date,
    by: User,
    at: datetime,
) -> Action:
    """A decision somebody carries out; whoever calls has looked who may own it."""
    action = Action.objects.create(
        meeting=meeting, barrier_id=barrier_id, what=what, owner=owner, due_on=due_on, made_by=by, made_at=at
    )
    audit.record("reviews.action.made", at=at, by=by, target=action, subjects=subjects(action))
    return action


@transaction.atomic
def change(*, action: Action, owner: User, due_on: date, what: str | None = None, by: User, at: datetime) -> Action:
    """Somebody else, another day, other words; the same again changes nothing."""
    locked = _locked(action)
    new = {"owner_id": owner.pk, "due_on": due_on, "what": what or locked.what}
    changed = [name for name, value in new.items() if getattr(locked, name) != value]
    for name in changed:
        setattr(locked, name, new[name])
    if changed:
        locked.save(update_fields=[name.removesuffix("_id") for name in changed])
        audit.record(
            "reviews.action.changed", at=at, by=by, target=locked, subjects=subjects(locked), detail={"fields": changed}
        )
    return locked


@transaction.atomic
def take_back(*, action: Action, by: User, at: datetime) -> None:
    """The meeting has thought again: nobody is asked to do it."""
    locked = _locked(action)
    audit.record("reviews.action.taken_back", at=at, by=by, target=locked, subjects=subjects(locked))
    locked.delete()


@transaction.atomic
def mark(*, action: Action, done: bool, by: User, at: datetime) -> Action:
    """Done today, or still to do; the same answer twice changes nothing."""
    locked = _locked(action)
    if (locked.done_on is not None) == done:
        return locked
    locked.done_on = london_date(at) if done else None
    locked.save(update_fields=["done_on"])
    verb = "reviews.action.done" if done else "reviews.action.reopened"
    audit.record(verb, at=at, by=by, target=locked, subjects=subjects(locked))
    return locked
