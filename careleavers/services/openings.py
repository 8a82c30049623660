"""Open a colleague's young person with a reason, and close the record again."""

from datetime import datetime, time, timedelta

from django.db import transaction

from careleavers.models import CareLeaver, RecordOpening
from stockport_hubs.accounts.models import Role, User
from stockport_hubs.audit import services as audit
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.weeks import LONDON, london_date
from stockport_hubs.notifications import services as notifications

HOLDS = timedelta(hours=24)
MOST_A_DAY, MOST_UNKNOWN = 10, 3  # references one advisor may ask for in a day; of those, references nobody has
MANY_A_DAY, MANY_PEOPLE, LOOKED_BACK = 5, 5, timedelta(days=28)  # from here on managers are told
STANDS_OUT = "careleavers.openings"  # the kind of e-mail


@transaction.atomic
def open_record(*, reference: str, reason: str, words: str, by: User, at: datetime) -> RecordOpening:
    """Open the record of whoever has exactly this reference, to be read for 24 hours; no `care_leaver` on the row when
    nobody of the council has it. Asking for it is what is counted, limited and shown to managers, found or not.

    Raises Refused when it is one of the advisor's own, or the day's number is used up.
    """
    if by.role != Role.PERSONAL_ADVISOR:
        raise Refused("Only personal advisors open records with a reason. A leaving care manager sees everybody.")
    if not words.strip():
        raise Refused("Write why you need to open this record.")
    User.objects.select_for_update(no_key=True).get(pk=by.pk)  # one request at a time: they are counted
    if CareLeaver.objects.for_user(by, london_date(at)).filter(reference=reference).exists():
        raise Refused("This is one of your own young people. Search for the reference under Young people.")
    if running := RecordOpening.objects.running(by, at).filter(care_leaver__reference=reference).first():
        return running
    today = _today(by, at)
    _check_limits(today)  # before anybody is looked for: a refusal takes as long whether somebody has the reference
    person = CareLeaver.objects.filter(council=by.organisation_id, reference=reference).first()
    made = RecordOpening(
        advisor=by,
        care_leaver=person,
        reason=reason,
        words=words.strip()[:300],
        opened_at=at,
        until_at=at + HOLDS if person else None,
    )
    made.pattern = _pattern(made, today)
    made.save(force_insert=True)
    subjects = [(audit.CARE_LEAVER, person.pk)] if person else []
    verb = "careleavers.record.opened" if person else "careleavers.record.not_found"
    detail = {"reason": reason, **({"pattern": made.pattern} if made.pattern else {})}
    audit.record(verb, at=at, by=by, target=made, subjects=subjects, detail=detail)
    if made.pattern:
        _tell_managers(made)
    return made


@transaction.atomic
def close_record(*, opening: RecordOpening, by: User, at: datetime) -> None:
    """The advisor has read enough, or a manager ends it: from this moment on it is not found any more."""
    opening = RecordOpening.objects.select_for_update(of=("self",)).get(pk=opening.pk)
    if not opening.is_running(at):
        raise Refused("This record is closed already.")
    if by.pk != opening.advisor_id and by.role != Role.LEAVING_CARE_MANAGER:
        raise Refused("Whoever opened it, or a leaving care manager, closes it.")
    opening.until_at = at
    opening.save(update_fields=["until_at"])
    subjects = [(audit.CARE_LEAVER, opening.care_leaver_id)] if opening.care_leaver_id else []
    audit.record("careleavers.record.closed", at=at, by=by, target=opening, subjects=subjects)


def left_today(user: User, at: datetime) -> int:
    """How many references this advisor may still ask for today."""
    today = _today(user, at)
    unknown = sum(person is None for person in today)
    return 0 if unknown >= MOST_UNKNOWN else max(0, MOST_A_DAY - len(today))


def _today(user: User, at: datetime) -> list:
    """Whom this advisor asked for since midnight in London; None for a reference nobody has."""
    midnight = datetime.combine(london_date(at), time(), LONDON)
    asked = RecordOpening.objects.filter(advisor=user, opened_at__gte=midnight).order_by()
    return list(asked.values_list("care_leaver", flat=True))


def _check_limits(today: list) -> None:
    if sum(person is None for person in today) >= MOST_UNKNOWN:
        raise Refused(
            f"{MOST_UNKNOWN} references today belonged to nobody. Ask a leaving care manager, who can look people up; "
            "tomorrow you can try again."
        )
    if len(today) >= MOST_A_DAY:
        raise Refused(
            f"You have opened {MOST_A_DAY} records today, the most there is. Ask a leaving care manager; tomorrow you "
            "can open others."
        )


def _pattern(opening: RecordOpening, today: list) -> str:
    """Whether this opening makes its advisor's openings stand out."""
    unknown = sum(person is None for person in [*today, opening.care_leaver_id])
    if opening.care_leaver_id is None and unknown >= MOST_UNKNOWN:
        return RecordOpening.Pattern.UNKNOWN
    if len(today) + 1 >= MANY_A_DAY:
        return RecordOpening.Pattern.MANY_A_DAY
    before = RecordOpening.objects.filter(advisor=opening.advisor, opened_at__gt=opening.opened_at - LOOKED_BACK)
    people = set(before.order_by().values_list("care_leaver", flat=True)) | {opening.care_leaver_id}
    many = len(people - {None}) >= MANY_PEOPLE
    return RecordOpening.Pattern.MANY_PEOPLE if many else RecordOpening.Pattern.NONE


def _tell_managers(opening: RecordOpening) -> None:
    """One e-mail a day and advisor to each leaving care manager; it names nobody."""
    managers = User.objects.filter(
        role=Role.LEAVING_CARE_MANAGER, organisation=opening.advisor.organisation_id, is_active=True
    )
    day, ids = london_date(opening.opened_at), {"opening": str(opening.pk)}
    for user in managers.order_by("pk"):
        key = f"{STANDS_OUT}:{opening.advisor_id}:{day}:{user.pk}"
        notifications.send(STANDS_OUT, to=user, key=key, ids=ids, at=opening.opened_at)
