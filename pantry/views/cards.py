"""Members' cards, looked after by the pantry manager: made, replaced, ended, printed."""

from collections.abc import Sequence

from django.contrib import messages
from django.db import transaction
from django.db.models import Prefetch
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from pantry import card_codes, documents
from pantry.forms.cards import CardForm
from pantry.models import Card, Membership, Pantry
from pantry.services import cards as services
from pantry.views.members import fetch, viewed
from stockport_hubs.accounts.models import Role
from stockport_hubs.accounts.permissions import get_or_404, roles
from stockport_hubs.core import clock
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.pages import Paginator

PAGE = 25


@roles(Role.PANTRY_MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
def card(request, membership_id):
    """A member's card: make the first one; or say that it is lost, worn out or not wanted."""
    found = fetch(request, membership_id)
    valid = Card.objects.for_user(request.user).filter(membership=found).valid().first()
    form = CardForm(request.POST or None, cancel=reverse("pantry:member", args=[found.pk])) if valid else None
    refused = ""
    if request.method == "POST" and (form is None or form.is_valid()):
        try:
            messages.success(request, _act(request, found, form))
            return redirect("pantry:card", found.pk)
        except Refused as why:
            refused = str(why)
    ended = Card.objects.for_user(request.user).filter(membership=found, revoked_at__isnull=False)
    with transaction.atomic():
        viewed(request, "pantry.member.viewed", [found], target=found)
        context = {
            "member": found,
            "may_have": found.state != Membership.State.ENDED,
            "card": valid,
            "code": card_codes.spoken(valid.code) if valid else "",
            "form": form,
            "refused": refused,
            "page": Paginator(ended.select_related("revoked_by"), PAGE).get_page(request.GET.get("page")),
        }
        return render(request, "pantry/card.html", context, status=409 if refused else 200)


def _act(request, found: Membership, form: CardForm | None) -> str:
    given = {"membership": found, "by": request.user, "at": clock.now()}
    if form is None or form.makes_new:
        services.make(lost=form is not None and form.is_lost, **given)
        return "The new card counts from now. Print it below."
    reason = Card.End.LOST if form.is_lost else Card.End.NOT_WANTED
    services.revoke(reason=reason, **given)
    return f"The card no longer counts. Member {found.number} says a name or number instead."


@roles(Role.PANTRY_MANAGER)
@require_safe
def card_pdf(request, membership_id):
    """One member's card, to be cut out."""
    found = fetch(request, membership_id)
    valid = Card.objects.for_user(request.user).filter(membership=found).valid().select_related("membership")
    return _print(request, list(valid), found, reverse("pantry:card", args=[found.pk]))


@roles(Role.PANTRY_MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
def cards(request, pantry_id):
    """Who of a pantry's members has a card; make the missing ones; print them."""
    pantry = get_or_404(Pantry.objects.for_user(request.user), pk=pantry_id)
    if request.method == "POST":
        made = services.make_missing(pantry=pantry, by=request.user, at=clock.now())
        more = " Press again for the rest." if len(made) == services.AT_ONCE else ""
        messages.success(request, f"Made: {len(made)} card{'' if len(made) == 1 else 's'}.{more}")
        return redirect("pantry:cards", pantry.pk)
    valid = _valid(request, pantry)
    mine = (
        services.holders(pantry)
        .order_by("number")
        .prefetch_related(Prefetch("cards", Card.objects.for_user(request.user).valid(), to_attr="valid_cards"))
    )
    page = Paginator(mine, PAGE, exact=True).get_page(request.GET.get("page"))
    n = valid.count()
    context = {
        "pantry": pantry,
        "page": page,
        "with_card": n,
        "without": page.paginator.count - n,
        "parts": _parts(n),
    }
    with transaction.atomic():
        viewed(request, "pantry.cards.viewed", page, target=pantry)
        return render(request, "pantry/cards.html", context)


def _valid(request, pantry: Pantry):
    mine = Card.objects.for_user(request.user).valid().filter(membership__in=services.holders(pantry))
    return mine.select_related("membership").order_by("membership__number")


def _parts(n: int) -> list[tuple[int, int, int]]:
    """(part, first, last) of n cards, so many to a file."""
    size = services.AT_ONCE
    return [(k // size + 1, k + 1, min(k + size, n)) for k in range(0, n, size)]


@roles(Role.PANTRY_MANAGER)
@require_safe
def cards_pdf(request, pantry_id):
    """All cards of a pantry that count, by number, so many to a file: the ?part= (1) of them."""
    pantry = get_or_404(Pantry.objects.for_user(request.user), pk=pantry_id)
    part = request.GET.get("part", "1")
    first = (int(part) - 1) * services.AT_ONCE if part.isdecimal() and 0 < int(part) < 10_000 else 0
    found = list(_valid(request, pantry)[first : first + services.AT_ONCE])
    return _print(request, found, pantry, reverse("pantry:cards", args=[pantry.pk]))


def _print(request, found: Sequence[Card], target, back: str):
    """The file; nothing is given out that is not written down."""
    if not found:
        messages.error(request, "There is no card to print. Make one first.")
        return redirect(back)
    try:
        printed = documents.cards_pdf(found)
    except Refused as why:
        messages.error(request, str(why))
        return redirect(back)
    viewed(request, "pantry.cards.printed", [each.membership for each in found], target=target)
    response = HttpResponse(printed, content_type="application/pdf")
    response["Content-Disposition"] = 'attachment; filename="cards.pdf"'
    return response
