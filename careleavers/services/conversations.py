"""We spoke to them: recorded with one click, taken back on the same day."""

from datetime import datetime

from django.db import transaction

from careleavers.models import CareLeaver, Conversation
from stockport_hubs.accounts.models import User
from stockport_hubs.audit import services as audit
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.weeks import london_date


@transaction.atomic
def spoke(*, care_leaver: CareLeaver, by: User, at: datetime) -> Conversation:
    """Somebody spoke to them today; said twice in a day, it is the row already there."""
    care_leaver = CareLeaver.objects.select_for_update().get(pk=care_leaver.pk)
    if care_leaver.has_died:
        raise Refused("This young person has died. Nothing is recorded here any more.")
    today = london_date(at)
    if earlier := care_leaver.conversations.filter(on=today, taken_back_at=None).first():
        return earlier
    made = Conversation.objects.create(care_leaver=care_leaver, on=today, by=by, recorded_at=at)
    _log("spoke", made, by, at)
    return made


@transaction.atomic
def take_back(*, care_leaver: CareLeaver, by: User, at: datetime) -> None:
    """A wrong click: on its day, by whoever clicked."""
    today = care_leaver.conversations.select_for_update(of=("self",)).filter(on=london_date(at), taken_back_at=None)
    made = today.first()
    if made is None or made.by_id != by.pk:
        raise Refused("Only whoever recorded it takes it back, on the same day.")
    made.taken_back_at = at
    made.save(update_fields=["taken_back_at"])
    _log("taken_back", made, by, at)


def _log(did: str, made: Conversation, by: User, at: datetime) -> None:
    subjects = [(audit.CARE_LEAVER, made.care_leaver_id)]
    audit.record(f"careleavers.conversation.{did}", at=at, by=by, target=made, subjects=subjects)
