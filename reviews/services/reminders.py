"""Owners are reminded of their actions: 3 days before the day, and once it has passed; of each day once.

What is due is a query; what is done stands on the action. Two sweeps, or none for 40 days, are harmless.
"""

from datetime import date, datetime

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.urls import reverse

from reviews import rules
from reviews.models import Action
from stockport_hubs.accounts.models import User
from stockport_hubs.audit import services as audit
from stockport_hubs.core.weeks import london_date, spoken
from stockport_hubs.notifications import services as notifications

KIND = "reviews.action_due"
AT_ONCE = 200


def due(on: date):
    """Actions whose owner has not been reminded of this day yet, or not since it passed."""
    soon = Q(due_on__lte=on + rules.REMINDED_AHEAD) & ~Q(reminded_soon_of=F("due_on"))
    late = Q(due_on__lt=on) & ~Q(reminded_late_of=F("due_on"))
    return Action.objects.waiting().filter(soon | late)


@transaction.atomic
def sweep(*, at: datetime, job: str) -> int:
    """Write the messages that are due; for what is late already there is one, not two. How many."""
    on = london_date(at)
    rows = due(on).select_for_update(of=("self",), skip_locked=True).select_related("owner").order_by("due_on", "pk")
    told = list(rows[:AT_ONCE])
    for action in told:
        which = "late" if action.due_on < on else "soon"
        action.reminded_soon_of = action.due_on
        action.reminded_late_of = action.due_on if which == "late" else action.reminded_late_of
        ids = {"action": str(action.pk), "due_on": action.due_on.isoformat(), "which": which}
        key = f"{KIND}:{action.pk}:{action.due_on}:{which}:{action.owner_id}"
        notifications.send(KIND, to=action.owner, key=key, ids=ids, at=at)
    Action.objects.bulk_update(told, ["reminded_soon_of", "reminded_late_of"])
    if told:
        audit.record("reviews.action.reminded", at=at, job=job, detail={"actions": len(told)})
    return len(told)


def _may_send(ids: dict, to: User) -> str | None:
    action = Action.objects.filter(pk=ids["action"]).first()
    if action is None or action.done_on:
        return "The action is done, or is not asked for any more."
    if action.owner_id != to.pk or not Action.objects.for_user(to).filter(pk=action.pk).exists():
        return "The action is not theirs any more."
    return None if action.due_on.isoformat() == ids["due_on"] else "It is due on another day now."


def _render(ids: dict, to: User) -> tuple[str, str]:
    day = spoken(date.fromisoformat(ids["due_on"]))
    link = f"{settings.SITE_URL}{reverse('reviews:actions')}"
    subject = "An action is overdue" if ids["which"] == "late" else "An action is due soon"
    said = f"An action of yours {'was' if ids['which'] == 'late' else 'is'} due on {day}."
    return subject, f"{said} Sign in to read it, and to say when it is done:\n{link}\n"


def register() -> None:
    """Make the kind known; called once at start."""
    notifications.kind(KIND, render=_render, may_send=_may_send, label="An action is due")
