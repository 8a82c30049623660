"""What a list would do to the young people here, and doing it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from difflib import SequenceMatcher

from django.db import IntegrityError, transaction

from careleavers import rules
from careleavers.importing import Row
from careleavers.models import ACCOMMODATION, AdvisorAllocation, CareLeaver, Eligibility, InTouch
from careleavers.services import cohort, people
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
    "preferred_name": "preferred name",
}
CHUNK = 500
MOST_TWINS = 5  # of one row; more are born on one day only where a list of thousands meets thousands
SOMEONE_ELSE = "new"  # decided: somebody else than the people who may be the same
REFERENCE_ALIKE = 0.75  # one figure of four differs


@dataclass(frozen=True)
class Twin:
    """Somebody stored who may be the one of a row, and what matched."""

    care_leaver: CareLeaver
    called: str  # as they are stored now
    matched: str


@dataclass
class Outcome:
    """What becomes of one row: new, changed (what), unchanged or refused (why); "duplicate": possibly somebody who is
    here under another reference, which a human decides."""

    row: Row
    kind: str
    care_leaver: CareLeaver | None = None
    changed: list[str] = field(default_factory=list)
    was: dict[str, str] = field(default_factory=dict)  # by field that changes, in words
    advisor: User | None = None  # to be allocated to
    waits: bool = False  # nobody is allocated afterwards
    twins: list[Twin] = field(default_factory=list)

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

    @property
    def changes(self) -> list[tuple[str, str, str]]:
        """(what, was, becomes) in words."""
        now = self.care_leaver
        return [(WORDS.get(name, name), self.was[name], in_words(name, getattr(now, name))) for name in self.changed]

    @property
    def died(self) -> bool:
        return self.row.facts.get("in_touch") == InTouch.DIED or bool(self.care_leaver and self.care_leaver.has_died)

    @property
    def tells_of_a_death(self) -> bool:
        """Of somebody stored: recorded whether or not anybody ticks them."""
        return self.kind == "changed" and self.row.facts.get("in_touch") == InTouch.DIED and "in_touch" in self.changed

    @property
    def can_be_ticked(self) -> bool:
        """Not what was refused or is still to be decided, nor who has died: nothing more is offered."""
        return self.kind in ("new", "changed", "unchanged") and not self.died


def in_words(name: str, value) -> str:
    """A fact as a page shows it."""
    if value in ("", None):
        return "not recorded"
    if isinstance(value, date):
        return f"{value.day} {value:%B %Y}"
    if isinstance(value, bool):
        return "suitable" if value else "not suitable"
    labels = {"eligibility": Eligibility, "in_touch": InTouch}
    return (
        ACCOMMODATION[value] if name == "accommodation" else str(labels[name](value).label) if name in labels else value
    )


def plan(*, council: Organisation, rows: Sequence[Row], decided: Mapping[str, str] | None = None) -> list[Outcome]:
    """Compare the rows with what is stored, in as many queries whatever their number (up to CHUNK rows). A blank cell
    changes nothing. `decided`: by row number, SOMEONE_ELSE or the id of the person it is; None where nobody can decide:
    then somebody with a twin is new, and the twin is told."""
    nobody_decides, decided = decided is None, decided or {}
    references = [row.reference for row in rows]
    stored = {person.reference: person for person in _stored(council, "reference", references)}
    twins = _twins(council, [row for row in rows if row.reference not in stored and not row.problems], set(references))
    held = set(
        AdvisorAllocation.objects.filter(
            care_leaver__council=council, until_on=None, advisor__deactivated_at=None
        ).values_list("care_leaver_id", flat=True)
    )
    advisors = _advisors(council)
    taken = {person.pk for person in stored.values()}  # one row for each: two would write over each other
    outcomes = []
    for row in rows:
        person, said, alike = stored.get(row.reference), decided.get(str(row.number)), twins.get(row.number, [])
        same = next((twin.care_leaver for twin in alike if str(twin.care_leaver.pk) == said), None)
        if same is not None and same.pk in taken:
            row = replace(row, warnings=[*row.warnings, "the person chosen has another row in this list: left out"])
        elif same is not None:
            taken.add(same.pk)
            person = same
        outcome = _outcome(row, person, held, advisors)
        outcome.twins = alike
        if outcome.kind == "new" and alike and said != SOMEONE_ELSE and not nobody_decides:
            outcome.kind = "duplicate"
        outcomes.append(outcome)
    return outcomes


def _stored(council: Organisation, name: str, values: Collection):
    values = list(values)
    for start in range(0, len(values), CHUNK):
        found = CareLeaver.objects.filter(council=council, **{f"{name}__in": values[start : start + CHUNK]})
        yield from found.select_related("cohort_place")


def _twins(council: Organisation, rows: list[Row], references: set[str]) -> dict[int, list[Twin]]:
    """Who is stored under another reference and may be the one of a row: born that day, and nothing known that tells
    them apart. Somebody who is in the file under their own reference is somebody else, unless the names are alike."""
    born: dict[date, list[CareLeaver]] = {}
    for person in _stored(council, "born_on", {row.facts["born_on"] for row in rows}):
        born.setdefault(person.born_on, []).append(person)
    found: dict[int, list[Twin]] = {}
    for row in rows:
        name = f"{row.facts.get('preferred_name', '')} {row.facts.get('surname', '')}".strip()
        # Who has a name first: it tells more than a date of birth.
        for person in sorted(born.get(row.facts["born_on"], []), key=lambda each: not each.preferred_name):
            known = f"{person.preferred_name} {person.surname}".strip()
            if not rules.names_are_alike(name, known) or (person.reference in references and not (name and known)):
                continue
            if len(found.get(row.number, ())) == MOST_TWINS:
                break
            matched = ["date of birth", "a similar name" if name and known else "no name to compare"]
            if SequenceMatcher(None, row.reference, person.reference).ratio() >= REFERENCE_ALIKE:
                matched.append("a similar reference")
            called = f"{known}, reference {person.reference}" if known else person.full_name
            found.setdefault(row.number, []).append(Twin(person, called, ", ".join(matched)))
    return found


def _advisors(council: Organisation) -> dict[str, User | None]:
    """Advisors by e-mail and by name; a name two of them have is nobody's."""
    found: dict[str, User | None] = {}
    for advisor in User.objects.advisors_of(council.pk):
        name = " ".join(advisor.name.casefold().split())
        found[name] = None if name in found else advisor
        found[advisor.email] = advisor
    return found


def _outcome(row: Row, person: CareLeaver | None, held: set, advisors: dict[str, User | None]) -> Outcome:
    """The row stays as it was read: the same rows may be planned again."""
    facts = row.facts | ({"imported_advisor": row.advisor} if row.advisor else {})
    if person and person.has_died and facts.get("in_touch") not in (None, InTouch.DIED):
        dead = ("In touch", "says otherwise, but this young person is recorded here as died")
        row = replace(row, problems=[*row.problems, dead])
    if row.problems:
        return Outcome(row, "refused", person)
    if person is None and row.defaults:
        row = replace(row, warnings=[*row.warnings, "the file holds no eligibility: taken from the age"])
    outcome = Outcome(row, "new", person)
    if person is not None:
        facts |= {"reference": row.reference}  # decided: the same person, under another one
        outcome.changed = [name for name, value in facts.items() if getattr(person, name) != value]
        for name in outcome.changed:
            outcome.was[name] = in_words(name, getattr(person, name))
            setattr(person, name, facts[name])
    if not outcome.died and not (person and person.pk in held):
        outcome.advisor = advisors.get(row.advisor.casefold()) if row.advisor else None
        outcome.waits = outcome.advisor is None
    if person is not None:
        outcome.kind = "changed" if outcome.changed or outcome.advisor else "unchanged"
    return outcome


@transaction.atomic
def apply(*, council: Organisation, rows: Sequence[Row], file_hash: str, job: str, at: datetime) -> list[Outcome]:
    """Save every row, or none when one is refused. The second time everything is unchanged."""
    lock(council)
    outcomes = plan(council=council, rows=rows)
    if any(outcome.kind == "refused" for outcome in outcomes):
        raise Refused("Nothing was saved. Put the refused rows right in the file, then import it again.")
    save(council=council, outcomes=outcomes, file_hash=file_hash, job=job, at=at)
    return outcomes


def lock(council: Organisation) -> None:
    """Nobody edits the council's people between the comparison and the writing."""
    list(CareLeaver.objects.select_for_update().filter(council=council).values_list("pk", flat=True))


def save(
    *,
    council: Organisation,
    outcomes: Sequence[Outcome],
    file_hash: str,
    by: User | None = None,
    job: str = "",
    at: datetime,
    into_cohort: Sequence[Outcome] = (),
) -> None:
    """Write what was planned, in the caller's transaction; those of `into_cohort` belong to the cohort from today."""
    on = london_date(at)
    for outcome in outcomes:
        if outcome.care_leaver is None:
            row = outcome.row
            facts = row.defaults | row.facts | {"reference": row.reference, "imported_advisor": row.advisor}
            outcome.care_leaver = CareLeaver(council=council, created_at=at, **facts)
    new = [o.care_leaver for o in outcomes if o.care_leaver and o.care_leaver._state.adding]
    changed = [o.care_leaver for o in outcomes if o.changed and o.care_leaver]
    fields = sorted({name for outcome in outcomes for name in outcome.changed})
    try:
        with transaction.atomic():
            CareLeaver.objects.bulk_create(new, batch_size=CHUNK)
            if changed:
                CareLeaver.objects.bulk_update(changed, fields, batch_size=200)
    except IntegrityError:
        raise Refused("Nothing was saved: someone added one of these people at the same moment. Import it again.")
    _allocate([outcome for outcome in outcomes if outcome.advisor], on)
    for outcome in outcomes:
        if outcome.care_leaver and outcome.changed:
            people.follow(outcome.care_leaver, outcome.changed, at)
    touched = [(CARE_LEAVER, o.care_leaver.pk) for o in outcomes if o.kind != "unchanged" and o.care_leaver]
    if touched:
        counted = {kind: sum(o.kind == kind for o in outcomes) for kind in ("new", "changed", "unchanged")}
        detail = counted | {"file": file_hash}
        audit.record("careleavers.people.imported", at=at, by=by, job=job, subjects=touched, detail=detail)
    belong = [outcome.care_leaver for outcome in into_cohort if outcome.care_leaver]
    if belong:
        cohort.tick(care_leavers=belong, on=on, by=by, job=job, at=at)


def _allocate(outcomes: list[Outcome], on: date) -> None:
    """Open a row for each; an open one of a deactivated advisor is closed first."""
    people = [outcome.care_leaver for outcome in outcomes]
    AdvisorAllocation.objects.filter(care_leaver__in=people, until_on=None, from_on__gte=on).delete()
    AdvisorAllocation.objects.filter(care_leaver__in=people, until_on=None).update(until_on=on - DAY)
    AdvisorAllocation.objects.bulk_create(
        [AdvisorAllocation(care_leaver=o.care_leaver, advisor=o.advisor, from_on=on) for o in outcomes],
        batch_size=CHUNK,
    )
