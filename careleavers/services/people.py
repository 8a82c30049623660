"""Young people: add, edit, name. What a form or an import file says about them comes in as facts by field name."""

from collections.abc import Iterable
from datetime import date, datetime

from django.db import IntegrityError, transaction

from careleavers import rules
from careleavers.models import CareLeaver, DeathCorrection, InTouch
from careleavers.services import allocations
from stockport_hubs.accounts.models import Organisation, Role, User
from stockport_hubs.audit import services as audit
from stockport_hubs.audit.services import CARE_LEAVER
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.weeks import london_date
from stockport_hubs.jobs import services as jobs

FACTS = frozenset(
    [
        *("reference", "preferred_name", "surname", "born_on", "team", "eligibility", "in_touch"),
        *("accommodation", "accommodation_suitable", "pathway_plan_review_on"),
        *("address", "postcode", "is_safe_address", "phone", "email", "died_on"),
    ]
)


def follow(care_leaver: CareLeaver, changed: Iterable[str], at: datetime) -> None:
    """Have a membership follow what was changed about its person, in a job that `referrals` registers by this name."""
    if not care_leaver.has_died and not {"preferred_name", "born_on"} & set(changed):
        return
    key = f"referrals.follow:{care_leaver.pk}:{at.isoformat()}"
    jobs.enqueue("referrals.follow", key=key, ids={"care_leaver": str(care_leaver.pk)})


def check_can_introduce(care_leaver: CareLeaver) -> None:
    """Raises with a sentence when an introduction of this young person cannot be started."""
    if care_leaver.has_died:
        raise Refused("This young person has died. Nothing more is sent to them or about them.")
    if not care_leaver.preferred_name:
        raise Refused(
            "This young person was imported without a name. Enter the name they like to be called, then introduce them."
        )


def can_introduce(care_leaver: CareLeaver) -> bool:
    try:
        check_can_introduce(care_leaver)
    except Refused:
        return False
    return True


@transaction.atomic
def add(
    *, council: Organisation, by: User | None = None, job: str = "", at: datetime, advisor: User | None = None, **facts
) -> CareLeaver:
    """A new young person; allocated from today to the advisor who adds them, otherwise to `advisor`, if any."""
    _check(facts, at)
    try:
        with transaction.atomic():
            care_leaver = CareLeaver.objects.create(council=council, created_at=at, **facts)
    except IntegrityError:
        raise _taken(facts["reference"])
    subjects = [(CARE_LEAVER, care_leaver.pk)]
    audit.record("careleavers.person.added", at=at, by=by, job=job, target=care_leaver, subjects=subjects)
    if by is not None and by.role == Role.PERSONAL_ADVISOR:
        advisor = by
    if advisor is not None:
        allocations.allocate(care_leaver=care_leaver, advisor=advisor, on=london_date(at), by=by, job=job, at=at)
    return care_leaver


@transaction.atomic
def edit(*, care_leaver: CareLeaver, by: User | None = None, job: str = "", at: datetime, **facts) -> list[str]:
    """Change the facts that differ; their names, also in the audit row. Nothing different: nothing written."""
    _check(facts, at, born_on=care_leaver.born_on)
    # Read again under the lock: the form may have been open for an hour.
    stored = CareLeaver.objects.select_for_update().get(pk=care_leaver.pk)
    _check_stays_recorded(stored, facts)
    changed = sorted(field for field, value in facts.items() if getattr(stored, field) != value)
    for field, value in facts.items():
        setattr(care_leaver, field, value)
    if changed:
        try:
            with transaction.atomic():
                care_leaver.save(update_fields=changed)
        except IntegrityError:
            if "reference" not in changed:
                raise
            raise _taken(facts["reference"])
        subjects, detail = [(CARE_LEAVER, care_leaver.pk)], {"fields": changed}
        audit.record(
            "careleavers.person.edited", at=at, by=by, job=job, target=care_leaver, subjects=subjects, detail=detail
        )
        follow(care_leaver, changed, at)
    return changed


@transaction.atomic
def name(*, care_leaver: CareLeaver, preferred_name: str, surname: str = "", by: User, at: datetime) -> list[str]:
    """Give an imported person the name they like to be called."""
    if not preferred_name.strip():
        raise Refused("Enter the name the young person likes to be called.")
    return edit(care_leaver=care_leaver, preferred_name=preferred_name.strip(), surname=surname.strip(), by=by, at=at)


@transaction.atomic
def correct_death(*, care_leaver: CareLeaver, because: str, by: User, at: datetime) -> DeathCorrection:
    """A manager says that a death was recorded by mistake, and why."""
    stored = CareLeaver.objects.select_for_update().get(pk=care_leaver.pk)
    if by.role != Role.LEAVING_CARE_MANAGER:
        raise Refused("Only a leaving care manager can correct this. Ask yours.")
    if not stored.has_died:
        raise Refused("Nobody has recorded that this young person died.")
    because = because.strip()
    if not because:
        raise Refused("Write why this was a mistake.")
    made = DeathCorrection.objects.create(
        care_leaver=stored, died_on=stored.died_on, because=because[:300], corrected_by=by, corrected_at=at
    )
    care_leaver.died_on, care_leaver.in_touch = None, ""
    care_leaver.save(update_fields=["died_on", "in_touch"])
    subjects = [(CARE_LEAVER, care_leaver.pk)]
    audit.record("careleavers.death.corrected", at=at, by=by, target=made, subjects=subjects)
    return made


def likely_the_same(
    *, council: Organisation, born_on: date, full_name: str, except_for: CareLeaver | None = None
) -> list[CareLeaver]:
    """People of the council born that day whose name is alike or not known yet: perhaps the same person."""
    born_that_day = CareLeaver.objects.filter(council=council, born_on=born_on)
    if except_for is not None:
        born_that_day = born_that_day.exclude(pk=except_for.pk)
    known = "{0.preferred_name} {0.surname}".format
    return [each for each in born_that_day if rules.names_are_alike(full_name, known(each).strip())]


def _check_stays_recorded(stored: CareLeaver, facts: dict) -> None:
    """A death is not undone by an edit: a leaving care manager corrects it, with a reason."""
    died_on, in_touch = facts.get("died_on", stored.died_on), facts.get("in_touch", stored.in_touch)
    if stored.has_died and died_on is None and in_touch != InTouch.DIED:
        raise Refused(
            "It is recorded that this young person died. If that is wrong, a leaving care manager corrects it on their "
            "page."
        )


def _check(facts: dict, at: datetime, born_on: date | None = None) -> None:
    if unknown := facts.keys() - FACTS:
        raise TypeError(f"not facts about a young person: {sorted(unknown)}")
    if died_on := facts.get("died_on"):
        if died_on > london_date(at):
            raise Refused("The date of death must not be in the future.")
        if died_on < (facts.get("born_on") or born_on or died_on):
            raise Refused("The date of death must not be before the date of birth.")
        facts["in_touch"] = "DIED"


def _taken(reference: str) -> Refused:
    return Refused(
        f"The reference {reference} already belongs to someone in the scheme. Search for it in the list of young "
        "people; if you cannot see them there, ask your leaving care manager."
    )
