"""Who a pack is given to by name."""

from django.contrib import messages
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST

from reviews.models import PackRecipient, ReviewPack
from reviews.services import recipients as services
from reviews.views.packs import MAKE, ROWS
from stockport_hubs.accounts.models import User, UserQuerySet
from stockport_hubs.accounts.permissions import get_or_404, roles
from stockport_hubs.core import clock
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.keys import uuid_or_none
from stockport_hubs.core.pages import Paginator


@roles(*MAKE)
@require_http_methods(["GET", "HEAD", "POST"])
def recipients(request, pack_id):
    """Whom it was given to, and accounts to choose from, by name or e-mail address; POST user = ID gives it."""
    shown = get_or_404(ReviewPack.objects.for_user(request.user).select_related("meeting__agreement"), pk=pack_id)
    found = services.choices(pack=shown, by=request.user)
    if request.method == "POST":
        try:
            user = _chosen(found, request.POST.get("user", ""))
            services.choose(pack=shown, user=user, by=request.user, at=clock.now())
        except Refused as why:
            messages.error(request, str(why))
        else:
            messages.success(request, f"{user.name} gets an email with a link to it.")
        return redirect("reviews:pack_recipients", shown.pk)
    words = request.GET.get("q", "")[:100]
    given = PackRecipient.objects.for_user(request.user).filter(pack=shown).select_related("user", "chosen_by")
    context = {
        "pack": shown,
        "words": words,
        "page": Paginator(found.search(words).select_related("organisation"), ROWS).get_page(request.GET.get("page")),
        "given": given.order_by("withdrawn_at", "user__name", "pk"),
    }
    return render(request, "reviews/pack_recipients.html", context)


def _chosen(found: UserQuerySet, key: str) -> User:
    if user := found.filter(pk=uuid_or_none(key)).first():
        return user
    raise Refused("Choose someone from the list. Whoever has the pack already is not on it.")


@roles(*MAKE)
@require_POST
def recipient_withdraw(request, recipient_id):
    """Take it back."""
    row = get_or_404(PackRecipient.objects.for_user(request.user).select_related("user", "pack"), pk=recipient_id)
    try:
        services.withdraw(recipient=row, by=request.user, at=clock.now())
    except Refused as why:
        messages.error(request, str(why))
    else:
        reads = ReviewPack.objects.for_user(row.user).filter(pk=row.pack_id).exists()
        still = " They can still read it, as every manager it is made for can." if reads else ""
        messages.success(request, f"Taken back from {row.user.name}.{still}")
    return redirect("reviews:pack_recipients", row.pack_id)
