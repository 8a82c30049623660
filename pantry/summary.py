"""What a session came to: counts of its rows, with no member named. For volunteers too."""

from dataclasses import dataclass

from django.db.models import Count, Exists, F, OuterRef, Q, Sum

from pantry.models import Collection, Membership, PantrySession, Place, SelectedItem, Visitor
from pantry.services.blocks import tariff_in_force
from stockport_hubs.core import weeks


@dataclass(frozen=True)
class Summary:
    """Counts and pence. Collections undone count as such alone."""

    collections: int
    items: int
    by_band: tuple[tuple[str, int], ...]  # empty where the pantry has no bands
    fruit_and_veg: int
    first_visits: int
    paid: int
    paid_pence: int
    not_paid: int
    of_other_pantries: int
    late: int
    undone: int
    visitors: int
    visitors_to_sort_out: int


def of(session: PantrySession) -> Summary:
    """The summary of one session; the number of queries does not depend on its size.

    Not paid: members who pay at the counter whose week nobody has bought or paid. Somebody a council pays for is none
    of them, whatever is still to be bought.
    """
    week = weeks.monday(session.on)
    rows = Collection.objects.filter(session=session).order_by()
    here = Place.objects.filter(Q(to_week=None) | Q(to_week__gte=session.on), membership=OuterRef("membership"))
    before = Collection.objects.counted().filter(membership=OuterRef("membership"), week__lt=week)
    pays = ~Q(membership__state=Membership.State.PENDING) & (
        Q(membership__self_pay_from__lte=week) | Q(membership__self_pay_from=None, membership__agreement=None)
    )
    counted = rows.counted().annotate(is_here=Exists(here.filter(pantry=session.pantry_id)), came_before=Exists(before))
    found = counted.aggregate(
        collections=Count("pk"),
        n_fruit=Count("pk", filter=Q(fruit_and_veg=True)),
        first_visits=Count("pk", filter=Q(came_before=False)),
        paid=Count("pk", filter=Q(paid_pence__gt=0)),
        pence=Sum("paid_pence", default=0),
        not_paid=Count("pk", filter=Q(paid_pence=0, paid_week=None) & pays),
        of_other_pantries=Count("pk", filter=Q(is_here=False)),
        late=Count("pk", filter=Q(is_late=True)),
    )
    if tariff_in_force(session.pantry, week) is None:
        found["not_paid"] = 0  # without an agreed price nothing is to be paid
    items = SelectedItem.objects.filter(collection__in=rows.counted()).order_by()
    by_band = dict(items.values_list(F("band__name")).annotate(Sum("quantity")))
    visited = Visitor.objects.filter(session=session).exclude(outcome=Visitor.Outcome.MISTAKE).order_by()
    return Summary(
        items=sum(by_band.values()),
        by_band=tuple(sorted((name or "Not by band", n) for name, n in by_band.items())) if any(by_band) else (),
        undone=rows.filter(voided_at__isnull=False).count(),
        fruit_and_veg=found.pop("n_fruit"),
        paid_pence=found.pop("pence"),
        **found,
        **visited.aggregate(visitors=Count("pk"), visitors_to_sort_out=Count("pk", filter=Q(outcome=""))),
    )
