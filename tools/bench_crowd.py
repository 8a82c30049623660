"""The hall in which `make bench` records: the sample pilot's first pantry, as it is or with thousands of members.

Each of them is one of the members there again, under another number, with their needs, places, blocks, paid weeks,
collections and items: a page of them has as much to tell.
"""

from itertools import cycle, islice
from uuid import uuid4

from django.contrib.auth import get_user_model
from django.db import connection, models, transaction
from django.db.models import Max

from pantry.models import (
    Collection,
    Membership,
    PaidWeek,
    PantrySession,
    Place,
    PrepaidBlock,
    SelectedItem,
    SharedNeed,
)
from stockport_hubs.core import clock

AT_ONCE = 100  # members of one statement


def hall(members: int) -> str:
    """Fills the hall up to so many members; "session pantry member members" of it, as the benchmark needs them."""
    volunteer = get_user_model().objects.get(email="volunteer@example.org")
    session = PantrySession.objects.for_user(volunteer).get(on=clock.today())
    here = Membership.objects.filter(places__pantry=session.pantry, places__to_week=None).exclude(state="ended")
    with transaction.atomic():
        fill(list(here.order_by("number")), members)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # as the server does by itself within minutes
    first = here.filter(state="open").order_by("number").first()
    assert first, "the sample pilot has no member there"
    return f"{session.pk} {session.pantry_id} {first.pk} {here.count()}"


def fill(originals: list[Membership], members: int) -> None:
    """Copies of these in turn, until there are so many."""
    wanted = islice(cycle(originals), max(0, members - len(originals)))
    number = Membership.objects.aggregate(highest=Max("number"))["highest"]
    while batch := list(islice(wanted, AT_ONCE)):
        for again in (batch[n : n + len(originals)] for n in range(0, len(batch), len(originals))):
            number = _once_more(again, number)


def _once_more(originals: list[Membership], number: int) -> int:
    """Each of these once more; the highest number then."""
    old = [each.pk for each in originals]
    keys = _copy(Membership, Membership.objects.filter(pk__in=old).order_by("number"), {}, number=number)
    of_them = {"membership": keys}
    _copy(SharedNeed, SharedNeed.objects.filter(membership__in=old), of_them)
    _copy(Place, Place.objects.filter(membership__in=old), of_them)
    numbers = {key: number + n for n, key in enumerate(keys.values(), start=1)}
    blocks = _copy(PrepaidBlock, PrepaidBlock.objects.filter(membership__in=old), of_them, numbers=numbers)
    weeks = _copy(PaidWeek, PaidWeek.objects.filter(membership__in=old), of_them | {"block": blocks})
    taken = Collection.objects.filter(membership__in=old)
    collections = _copy(Collection, taken, of_them | {"paid_week": weeks})
    _copy(SelectedItem, SelectedItem.objects.filter(collection__in=taken), {"collection": collections})
    return number + len(old)


def _copy(
    model: type[models.Model], rows, keys: dict[str, dict], *, number: int = 0, numbers: dict | None = None
) -> dict:
    """Copies of rows with what they name replaced; the new key of each old one."""
    copies, found = [], []
    for n, row in enumerate(rows, start=1):
        found.append(row.pk)
        row.pk = uuid4() if isinstance(model._meta.pk, models.UUIDField) else None
        for name, new in keys.items():
            column = f"{name}_id"
            setattr(row, column, new.get(getattr(row, column)))
        if hasattr(row, "key"):
            row.key = uuid4()
        if numbers:
            row.member_number = numbers[row.membership_id]
        if model is Membership:
            row.number, row.previous_id = number + n, None  # type: ignore[attr-defined]
        copies.append(row)
    made = model._default_manager.bulk_create(copies)
    return dict(zip(found, (each.pk for each in made), strict=True))
