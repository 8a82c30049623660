"""What tablets sent and was held, in words for the pantry manager.

Of the kinds that other areas own nothing is told but that there is one: what makes it hard for a member to come is
the council's to know by name, and here it is counted only.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from pantry.models import Band, Collection, Membership, TabletEntry
from pantry.services import entry_kinds
from pantry.services.collections import OverrideReason
from stockport_hubs.core.keys import uuid_or_none

OTHER_KINDS = {
    "told": "Something a member was told about",
    "wish": "A wish to volunteer",
    "barrier": "Something that makes it hard to come",
    "worry": "A worry about someone",
}
READ = ("pantry", "session", "tablet", "recorded_by", "sent_by", "sorted_by")


@dataclass(frozen=True)
class Line:
    """One entry as the pages show it."""

    entry: TabletEntry
    what: str  # "Collection"
    who: str  # "7003 Ash", "number 7009", "Vi"; "" where nobody is named
    more: str  # "8 items, fruit and veg"
    member_id: UUID | None


def lines(found: Iterable[TabletEntry]) -> list[Line]:
    """In their order; three queries for any number of entries."""
    found = list(found)
    named = {entry.pk: entry_kinds.member_id(entry.body) for entry in found if entry.kind in ("collection", "void")}
    taken = {entry.pk: uuid_or_none(entry.body.get("collection_key")) for entry in found if entry.kind == "void"}
    of_key = {
        made.key: made
        for made in Collection.objects.filter(key__in=[key for key in taken.values() if key]).select_related(
            "membership"
        )
    }
    operators = {entry.pantry.operator_id for entry in found}
    members = Membership.objects.filter(operator__in=operators).in_bulk([key for key in named.values() if key])
    bands = {
        str(key): name for key, name in Band.objects.filter(pantry__operator__in=operators).values_list("pk", "name")
    }

    def line(entry: TabletEntry) -> Line:
        body, made = entry.body, of_key.get(taken.get(entry.pk))  # type: ignore[arg-type]
        member = made.membership if made else members.get(named.get(entry.pk))  # type: ignore[arg-type]
        who, key = (f"{member.number} {member.called}", member.pk) if member else ("", None)
        if entry.kind == "collection":
            number = body.get("number")
            return Line(entry, "Collection", who or (f"Number {number}" if number else ""), _items(body, bands), key)
        if entry.kind == "void":
            return Line(entry, "A collection taken back", who, str(body.get("reason") or ""), key)
        if entry.kind == "visitor":
            return Line(entry, "Visitor", str(body.get("called") or "") or "No name given", "", None)
        return Line(entry, OTHER_KINDS.get(entry.kind, "Something else"), "", "", None)

    return [line(entry) for entry in found]


def _items(body: dict, bands: dict[str, str]) -> str:
    given = body.get("quantities")
    if isinstance(given, dict):
        parts = [f"{n} {bands.get(str(band), 'items')}" for band, n in given.items()]
    else:
        parts = ["the usual items"]
    parts += ["fruit and veg"] if body.get("fruit", True) else []
    said = dict(OverrideReason.choices).get(str(body.get("override") or ""))
    parts += [f"more than the allowance: {said.lower()}"] if said else []
    parts += [] if body.get("paid", True) else ["not paid"]
    return ", ".join(parts)
