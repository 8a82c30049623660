"""Review meetings: planned, edited, held; who was there and what was agreed to do."""

from datetime import date, datetime

from django.db import transaction

from pantry.models import FundingAgreement
from reviews import rules
from reviews.models import Action, MeetingAttendance, ReviewMeeting, ReviewMeetingState
from reviews.services.barriers import owners
from stockport_hubs.accounts.models import Organisation, User
from stockport_hubs.audit import services as audit
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.weeks import london_date


@transaction.atomic
def plan(
    *,
    agreement: FundingAgreement,
    starts_at: datetime,
    where: str,
    period_from: date,
    period_to: date,
    by: User,
    at: datetime,
) -> ReviewMeeting:
    """A meeting about one agreement and one period."""
    _check_period(agreement, starts_at, period_from, period_to)
    meeting = ReviewMeeting.objects.create(
        agreement=agreement,
        starts_at=starts_at,
        where=where,
        period_from=period_from,
        period_to=period_to,
        planned_by=by,
        planned_at=at,
    )
    audit.record("reviews.meeting.planned", at=at, by=by, target=meeting)
    return meeting


@transaction.atomic
def edit(
    *,
    meeting: ReviewMeeting,
    starts_at: datetime,
    where: str,
    period_from: date,
    period_to: date,
    by: User,
    at: datetime,
) -> ReviewMeeting:
    """Another time, place or period; refused once the meeting has been held."""
    locked = _locked(meeting)
    if locked.state not in rules.EDITABLE:
        raise Refused("This meeting has been held. Its time, place and period stay as they were.")
    _check_period(locked.agreement, starts_at, period_from, period_to)
    new = {"starts_at": starts_at, "where": where, "period_from": period_from, "period_to": period_to}
    changed = [name for name, value in new.items() if getattr(locked, name) != value]
    for name in changed:
        setattr(locked, name, new[name])
    if changed:
        locked.save(update_fields=changed)
        audit.record("reviews.meeting.edited", at=at, by=by, target=locked, detail={"fields": changed})
    return locked


def _check_period(agreement: FundingAgreement, starts_at: datetime, period_from: date, period_to: date) -> None:
    if period_to < period_from:
        raise Refused("The period must end on or after the day it begins.")
    if period_from > london_date(starts_at):
        raise Refused("The period must begin before the meeting: a meeting looks back.")
    if (period_to - period_from).days > 3 * 366:
        raise Refused("The period can be three years at most.")


def _locked(meeting: ReviewMeeting) -> ReviewMeeting:
    return ReviewMeeting.objects.select_for_update(of=("self",)).select_related("agreement").get(pk=meeting.pk)


@transaction.atomic
def move(*, meeting: ReviewMeeting, state: str, by: User, at: datetime) -> ReviewMeeting:
    """Agenda out, held, minutes agreed: one way."""
    locked = _locked(meeting)
    label = ReviewMeetingState(state).label
    if state not in rules.MEETING_MOVES[locked.state]:
        raise Refused(f"“{locked.get_state_display()}” cannot become “{label}”.")
    day = london_date(locked.starts_at)
    if state == ReviewMeetingState.HELD and day > london_date(at):
        raise Refused(f"The meeting is on {day.day} {day:%B %Y}. From that day it can be marked as held.")
    if state == ReviewMeetingState.MINUTES_AGREED and locked.attendance.filter(came__isnull=True).exists():
        raise Refused("Say of everyone on the list whether they came. Then the minutes can be agreed.")
    locked.state = state
    locked.save(update_fields=["state"])
    audit.record("reviews.meeting.moved", at=at, by=by, target=locked, detail={"state": state})
    return locked


@transaction.atomic
def invite(
    *, meeting: ReviewMeeting, name: str, organisation: Organisation, by: User, at: datetime
) -> MeetingAttendance:
    """Put someone of either organisation on the list."""
    if organisation.pk not in (meeting.agreement.funder_id, meeting.agreement.operator_id):
        raise Refused("Choose one of the two organisations of the agreement.")
    if meeting.state == ReviewMeetingState.MINUTES_AGREED:
        raise Refused("The minutes are agreed. The list stays as it is.")
    row, made = MeetingAttendance.objects.get_or_create(meeting=meeting, name=name, organisation=organisation)
    if not made:
        raise Refused(f"{name} of {organisation.name} is on the list already.")
    audit.record("reviews.attendance.added", at=at, by=by, target=meeting)
    return row


@transaction.atomic
def uninvite(*, attendance: MeetingAttendance, by: User, at: datetime) -> None:
    """Take someone off the list who was put there by mistake."""
    if attendance.meeting.state == ReviewMeetingState.MINUTES_AGREED:
        raise Refused("The minutes are agreed. The list stays as it is.")
    attendance.delete()
    audit.record("reviews.attendance.removed", at=at, by=by, target=attendance.meeting)


@transaction.atomic
def mark_attendance(*, attendance: MeetingAttendance, came: bool | None, by: User, at: datetime) -> MeetingAttendance:
    """They came, did not come, or it is not yet known."""
    if attendance.meeting.state == ReviewMeetingState.MINUTES_AGREED:
        raise Refused("The minutes are agreed. The list stays as it is.")
    if attendance.came != came:
        attendance.came = came
        attendance.save(update_fields=["came"])
        audit.record("reviews.attendance.marked", at=at, by=by, target=attendance.meeting)
    return attendance


@transaction.atomic
def add_action(*, meeting: ReviewMeeting, what: str, owner: User, due_on: date, by: User, at: datetime) -> Action:
    """Something the meeting asks someone of either organisation to do."""
    agreement = meeting.agreement
    if not owners(council_id=agreement.funder_id, operator_id=agreement.operator_id).filter(pk=owner.pk).exists():
        raise Refused(f"{owner.name} is of neither organisation. Choose an owner from the list.")
    action = Action.objects.create(meeting=meeting, what=what, owner=owner, due_on=due_on, made_by=by, made_at=at)
    audit.record("reviews.action.made", at=at, by=by, target=action)
    return action
