"""What an import would do to the young people here, and doing it: all rows or none."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from django.db import IntegrityError, transaction

from careleavers.importing import Row
from careleavers.models import AdvisorAllocation, CareLeaver, InTouch
from careleavers.services import people
from careleavers.services.allocations import DAY
from stockport_hubs.accounts.models import Organisation, User
from stockport_hubs.audit import services as audit
from stockport_hubs.audit.services import CARE_LEAVER
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.weeks import london_date

WORDS = {
    "born_on": "date of birth",
    "in_touch": "in touch",
    "accommodation_suitable": "suitability",
    "pathway_plan_review_on": "pathway plan review",
    "imported_advisor": "advisor named in the file",
}


@dataclass
class Outcome:
    """What becomes of one row: new, changed (what), unchanged or refused (why)."""

    row: Row
    kind: str
    care_leaver: CareLeaver | None = None
    changed: list[str] = field(default_factory=list)
    advisor: User | None = None  # to be allocated to
    waits: bool = False  # nobody is allocated afterwards

    @property
    def words(self) -> str:
        """For a person: "changed: team, accommodation; allocated to the advisor named"."""
        if self.kind == "refused":
            return "refused: " + "; ".join(f"{column} {reason}" for column, reason in self.row.problems)
        said = self.kind
        if self.changed:
            said += ": " + ", ".join(WORDS.get(name, name) for name in self.changed)
        if self.advisor:
            said += ("; " if self.changed else ": ") + "allocated to the advisor named"
        return said


def plan(*, council: Organisation, rows: Sequence[Row], on: date) -> list[Outcome]:
    """Compare the rows with what is stored: four queries, whatever their number. A blank cell changes nothing."""
    references = [row.reference for row in rows]
    stored = {person.reference: person for person in _stored(council, references)}
    held = set(
        AdvisorAllocation.objects.filter(
            care_leaver__council=council, until_on=None, advisor__deactivated_at=None
        ).values_list("care_leaver_id", flat=True)
    )
    advisors = _advisors(council)
    return [_outcome(row, stored.get(row.reference), held, advisors) for row in rows]


def _stored(council: Organisation, references: list[str]):
    for start in range(0, len(references), 500):
        yield from CareLeaver.objects.filter(council=council, reference__in=references[start : start + 500])


def _advisors(council: Organisation) -> dict[str, User | None]:
    """Advisors by e-mail and by name; a name two of them have is nobody's."""
    found: dict[str, User | None] = {}
    for advisor in User.objects.advisors_of(council.pk):
        name = " ".join(advisor.name.casefold().split())
        found[name] = None if name in found else advisor
        found[advisor.email] = advisor
    return found


def _outcome(row: Row, person: CareLeaver | None, held: set, advisors: dict[str, User | None]) -> Outcome:
    facts = row.facts | ({"imported_advisor": row.advisor} if row.advisor else {})
    if person and person.has_died and facts.get("in_touch") not in (None, InTouch.DIED):
        row.problems.append(("LA in Touch", "says otherwise, but this young person is recorded here as died"))
    if row.problems:
        return Outcome(row, "refused", person)
    died = facts.get("in_touch") == InTouch.DIED or bool(person and person.has_died)
    outcome = Outcome(row, "new", person)
    if person is not None:
        outcome.changed = [name for name, value in facts.items() if getattr(person, name) != value]
        for name in outcome.changed:
            setattr(person, name, facts[name])
    if not died and not (person and person.pk in held):
        outcome.advisor = advisors.get(row.advisor.casefold()) if row.advisor else None
        outcome.waits = outcome.advisor is None
    if person is not None:
        outcome.kind = "changed" if outcome.changed or outcome.advisor else "unchanged"
    return outcome


@transaction.atomic
def apply(*, council: Organisation, rows: Sequence[Row], file_hash: str, job: str, at: datetime) -> list[Outcome]:
    """Save every row, or none when one is refused. The second time everything is unchanged."""
    on = london_date(at)
    # Lock the council's people: nobody edits between the comparison and the writing.
    list(CareLeaver.objects.select_for_update().filter(council=council).values_list("pk", flat=True))
    outcomes = plan(council=council, rows=rows, on=on)
    if any(outcome.kind == "refused" for outcome in outcomes):
        raise Refused("Nothing was saved. Put the refused rows right in the file, then import it again.")
    for outcome in outcomes:
        if outcome.kind == "new":
            row = outcome.row
            outcome.care_leaver = CareLeaver(
                council=council, reference=row.reference, created_at=at, imported_advisor=row.advisor, **row.facts
            )
    new = [o.care_leaver for o in outcomes if o.kind == "new" and o.care_leaver]
    changed = [o.care_leaver for o in outcomes if o.changed and o.care_leaver]
    try:
        with transaction.atomic():
            CareLeaver.objects.bulk_create(new, batch_size=500)
    except IntegrityError:
        raise Refused("Nothing was saved: someone added one of these people at the same moment. Import it again.")
    if changed:
        fields = sorted({name for outcome in outcomes for name in outcome.changed})
        CareLeaver.objects.bulk_update(changed, fields, batch_size=200)
    _allocate([outcome for outcome in outcomes if outcome.advisor], on)
    for outcome in outcomes:
        if outcome.care_leaver and outcome.changed:
            people.follow(outcome.care_leaver, outcome.changed, at)
    touched = [(CARE_LEAVER, o.care_leaver.pk) for o in outcomes if o.kind in ("new", "changed") and o.care_leaver]
    if touched:
        counted = {kind: sum(o.kind == kind for o in outcomes) for kind in ("new", "changed", "unchanged")}
        detail = counted | {"file": file_hash}
        audit.record("careleavers.people.imported", at=at, job=job, subjects=touched, detail=detail)
    return outcomes


def _allocate(outcomes: list[Outcome], on: date) -> None:
    """Open a row for each; an open one of a deactivated advisor is closed first."""
    people = [outcome.care_leaver for outcome in outcomes]
    AdvisorAllocation.objects.filter(care_leaver__in=people, until_on=None, from_on__gte=on).delete()
    AdvisorAllocation.objects.filter(care_leaver__in=people, until_on=None).update(until_on=on - DAY)
    AdvisorAllocation.objects.bulk_create(
        [AdvisorAllocation(care_leaver=o.care_leaver, advisor=o.advisor, from_on=on) for o in outcomes],
        batch_size=500,
    )
