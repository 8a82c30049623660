"""What onward links and volunteering share: a dated step, and taking the last one back."""

from datetime import date, datetime

from careleavers.models import CareLeaver
from stockport_hubs.accounts.models import User
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.weeks import london_date, spoken


def living(care_leaver: CareLeaver) -> CareLeaver:
    """The person, locked; Refused when they have died."""
    care_leaver = CareLeaver.objects.select_for_update().get(pk=care_leaver.pk)
    if care_leaver.has_died:
        raise Refused("This young person has died. Nothing more is offered.")
    return care_leaver


def check_day(on: date, since: date | None, at: datetime) -> None:
    """Raises Refused unless the day lies between the last step and today."""
    if on > london_date(at):
        raise Refused("The day must not be in the future.")
    if since and on < since:
        raise Refused(f"The day must not be before {spoken(since)}, the last step recorded.")


def write(moves, *, state: str, on: date, note: str, by: User, at: datetime) -> None:
    """The next step of a link or of somebody's volunteering; its row or its person is locked."""
    moves.create(number=moves.count() + 1, state=state, on=on, note=note.strip()[:200], by=by, recorded_at=at)


def take_back_last(moves, by: User, at: datetime):
    """(the last step that counts, now taken back; the one before it or None)."""
    counting = list(moves.filter(undone_at__isnull=True).order_by("-number")[:2])
    if not counting:
        raise Refused("There is no step to take back.")
    last = counting[0]
    last.undone_by, last.undone_at = by, at
    last.save(update_fields=["undone_by", "undone_at"])
    return last, counting[1] if len(counting) > 1 else None
