"""Review meetings: planned, edited, held; who was there and what was agreed to do."""

from datetime import date, datetime
from uuid import UUID

from django.db import transaction

from pantry.calendar import bank_holidays
from pantry.models import FundingAgreement
from reviews import rules
from reviews.models import Action, MeetingAttendance, MeetingRhythm, ReviewMeeting, ReviewMeetingState
from reviews.services import actions, agenda, minutes
from reviews.services.barriers import owners
from reviews.wording import refuse_names
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
    lasts_minutes: int = 90,
    by: User,
    at: datetime,
) -> ReviewMeeting:
    """A meeting about one agreement and one period; its agenda fills itself from now on."""
    _check_period(agreement, starts_at, period_from, period_to)
    _check_where(agreement, where, by)
    meeting = ReviewMeeting.objects.create(
        agreement=agreement,
        starts_at=starts_at,
        lasts_minutes=lasts_minutes,
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
    lasts_minutes: int | None = None,
    by: User,
    at: datetime,
) -> ReviewMeeting:
    """Another time, place or period; refused once the meeting has been held. When it moves, the next calendar file says
    so, and calendars that have the old one replace it."""
    locked = _locked(meeting)
    if locked.state not in rules.EDITABLE:
        raise Refused("This meeting has been held. Its time, place and period stay as they were.")
    _check_period(locked.agreement, starts_at, period_from, period_to)
    _check_where(locked.agreement, where, by)
    new = {"starts_at": starts_at, "where": where, "period_from": period_from, "period_to": period_to}
    new["lasts_minutes"] = lasts_minutes or locked.lasts_minutes
    changed = [name for name, value in new.items() if getattr(locked, name) != value]
    for name in changed:
        setattr(locked, name, new[name])
    if {"starts_at", "lasts_minutes", "where"} & set(changed):
        locked.times_moved, locked.moved_at = locked.times_moved + 1, at
    if changed:
        locked.save(update_fields=[*changed, "times_moved", "moved_at"])
        audit.record("reviews.meeting.edited", at=at, by=by, target=locked, detail={"fields": changed})
    return locked


def _check_period(agreement: FundingAgreement, starts_at: datetime, period_from: date, period_to: date) -> None:
    if period_to < period_from:
        raise Refused("The period must end on or after the day it begins.")
    if period_from > london_date(starts_at):
        raise Refused("The period must begin before the meeting: a meeting looks back.")
    if (period_to - period_from).days > 3 * 366:
        raise Refused("The period can be three years at most.")


def _check_where(agreement: FundingAgreement, where: str, by: User) -> None:
    both = {"council_id": agreement.funder_id, "operator_id": agreement.operator_id}
    refuse_names([where], **both, by=by, names_nobody=True)


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
    if locked.state in rules.EDITABLE:
        agenda.fill(meeting=locked, by=by, at=at)
    if state == ReviewMeetingState.MINUTES_AGREED:
        agenda.check_can_agree(locked)
        agenda.put_off_the_rest(locked)
        minutes.freeze(meeting=locked, by=by, at=at)
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
    if meeting.state == ReviewMeetingState.MINUTES_AGREED:
        raise Refused("The minutes are agreed. Put it on the agenda of the next meeting.")
    refuse_names([what], council_id=agreement.funder_id, operator_id=agreement.operator_id, by=by, names_nobody=True)
    return actions.make(meeting=meeting, barrier_id=None, what=what, owner=owner, due_on=due_on, by=by, at=at)


@transaction.atomic
def set_rhythm(*, agreement: FundingAgreement, weeks: int, from_on: date, by: User, at: datetime) -> MeetingRhythm:
    """Every so many weeks from a day on; for the same day said again, the later word counts."""
    if not 1 <= weeks <= 52:
        raise Refused("Choose 1 to 52 weeks.")
    values = {"weeks": weeks, "set_by": by, "set_at": at}
    made, _ = MeetingRhythm.objects.update_or_create(agreement=agreement, from_on=from_on, defaults=values)
    detail = {"weeks": weeks, "from_on": from_on.isoformat()}
    audit.record("reviews.rhythm.set", at=at, by=by, target=made, detail=detail)
    return made


def rhythm_on(rhythms: list[MeetingRhythm], on: date) -> MeetingRhythm | None:
    """Of one agreement's, the one that holds on a day; before the first begins, the first."""
    begun = [each for each in rhythms if each.from_on <= on]
    return max(begun, key=lambda each: each.from_on) if begun else min(rhythms, key=lambda r: r.from_on, default=None)


def proposals(
    agreements: list[FundingAgreement], on: date
) -> list[tuple[FundingAgreement, MeetingRhythm | None, date | None]]:
    """(agreement, its rhythm, the day of the next meeting by it) of each: no day where there is no rhythm, or where a
    meeting is planned already. Two queries."""
    rhythms = list(MeetingRhythm.objects.filter(agreement__in=agreements))
    latest: dict[UUID, tuple[datetime | None, str]] = {}
    met = ReviewMeeting.objects.filter(agreement__in=agreements).order_by("starts_at")
    for key, starts_at, state in met.values_list("agreement_id", "starts_at", "state"):
        latest[key] = starts_at, state
    found = []
    for agreement in agreements:
        rhythm = rhythm_on([each for each in rhythms if each.agreement_id == agreement.pk], on)
        met_at, state = latest.get(agreement.pk, (None, ""))
        day = None
        if rhythm is not None and state not in rules.EDITABLE:
            last = london_date(met_at) if met_at else None
            day = rules.next_meeting_on(last, rhythm.weeks, rhythm.from_on, on, _is_bank_holiday)
        found.append((agreement, rhythm, day))
    return found


def _is_bank_holiday(day: date) -> bool:
    return day in bank_holidays(day.year)
