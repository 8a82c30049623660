"""Which pantry is nearest: straight lines on the national grid between postcodes. Only the council's side asks."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import hypot
from uuid import UUID

from django.db.models import OuterRef, QuerySet, Subquery

from careleavers import rules
from careleavers.models import CareLeaver, Position, Postcode, PostcodeDirectory
from pantry.models import Pantry

MILE = 1609.344  # metres


def metres(one: Position, other: Position) -> int:
    """As the crow flies."""
    return round(hypot(one.easting - other.easting, one.northing - other.northing))


def in_words(distance: int) -> str:
    """1,240 metres → "0.8 miles in a straight line"."""
    miles = distance / MILE
    return f"{miles:.1f} miles in a straight line" if miles >= 0.1 else "less than 0.1 miles in a straight line"


@dataclass(frozen=True)
class Where:
    """Where somebody lives, as far as it may be used; `said` is what the page says about it."""

    said: str
    position: Position | None = None
    can_be_put_right: bool = False  # on the person's own page


def of_person(care_leaver: CareLeaver) -> Where:
    """Two queries at most."""
    by_name = "so the pantries are listed by name."
    directory = PostcodeDirectory.objects.first()
    if directory is None:
        return Where(f"No postcode directory is loaded here, {by_name}")
    if care_leaver.is_safe_address:
        return Where(f"Their address is kept safe and not used for distances, {by_name} Choose together with them.")
    typed = care_leaver.postcode
    if not typed:
        return Where(f"No postcode is recorded for {care_leaver}, {by_name}", can_be_put_right=True)
    found = Postcode.objects.found([typed]).get(typed)
    if found is None:
        return Where(
            f"The postcode {typed} is not in the directory, {by_name} It may be mistyped, very new, or far "
            "outside the council’s area.",
            can_be_put_right=True,
        )
    said = f"The pantries in order of distance from {typed}, in a straight line: the way there may be longer."
    if found.authority != directory.authority:
        said += (
            " This postcode is outside the council’s area. Ask the pantry whether they take someone from there, or "
            "look for a pantry where they live."
        )
    if found.is_ended:
        said += " This postcode is no longer in use: check it with them."
    return Where(said, found.position, can_be_put_right=found.is_ended)


def positions(pantries: Iterable[Pantry]) -> dict[UUID, Position]:
    """Where pantries are, of those whose postcode is known: one query."""
    typed = {pantry.pk: rules.tidy_postcode(pantry.postcode) or "" for pantry in pantries}
    known = Postcode.objects.found(typed.values())
    return {key: known[postcode].position for key, postcode in typed.items() if postcode in known}


@dataclass
class Catchments:
    """Who lives nearest to which pantry; in `nearest` (distance in metres, person), the nearest first."""

    nearest: dict[UUID, list[tuple[int, UUID]]]
    directory: PostcodeDirectory | None = None  # by which it was reckoned
    outside: int = 0  # of those: outside the council's area
    without: int = 0  # no postcode recorded
    unknown: int = 0  # a postcode that is not in the directory
    safe: int = 0  # an address kept safe: not used

    @property
    def matched(self) -> int:
        return sum(len(each) for each in self.nearest.values())


def catchments(people: QuerySet[CareLeaver], pantries: dict[UUID, Position]) -> Catchments:
    """Everybody once, in one pass and one query; two pantries equally near: the first of them."""
    directory = PostcodeDirectory.objects.first()
    made = Catchments({key: [] for key in pantries}, directory)
    own = directory.authority if directory else ""
    at = Postcode.objects.filter(pk=OuterRef("postcode"))
    facts = {name: Subquery(at.values(name)[:1]) for name in ("easting", "northing", "authority")}
    rows = people.order_by().annotate(**facts).values_list("pk", "postcode", "is_safe_address", *facts)
    known: dict[tuple[int, int], tuple[int, UUID]] = {}  # many live at one postcode
    for key, postcode, is_safe, easting, northing, authority in rows.iterator(chunk_size=5_000):
        if is_safe:
            made.safe += 1
        elif not postcode:
            made.without += 1
        elif easting is None:
            made.unknown += 1
        elif pantries:
            here = Position(easting, northing)
            if here not in known:
                distance, _, pantry = min((metres(here, p), n, each) for n, (each, p) in enumerate(pantries.items()))
                known[here] = distance, pantry
            distance, pantry = known[here]
            made.nearest[pantry].append((distance, key))
            made.outside += authority != own
    for each in made.nearest.values():
        each.sort()
    return made
