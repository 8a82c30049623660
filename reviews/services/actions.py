"""Actions of meetings and barriers: done, or not done after all."""

from datetime import datetime

from django.db import transaction

from reviews.models import Action
from stockport_hubs.accounts.models import User
from stockport_hubs.audit import services as audit
from stockport_hubs.audit.services import CARE_LEAVER
from stockport_hubs.core.weeks import london_date


@transaction.atomic
def mark(*, action: Action, done: bool, by: User, at: datetime) -> Action:
    """Done today, or still to do; the same answer twice changes nothing."""
    locked = Action.objects.select_for_update(of=("self",)).select_related("barrier").get(pk=action.pk)
    if (locked.done_on is not None) == done:
        return locked
    locked.done_on = london_date(at) if done else None
    locked.save(update_fields=["done_on"])
    person = locked.barrier.care_leaver_id if locked.barrier else None
    audit.record(
        "reviews.action.done" if done else "reviews.action.reopened",
        at=at,
        by=by,
        target=locked,
        subjects=[(CARE_LEAVER, person)] if person else [],
    )
    return locked
