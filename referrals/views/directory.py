"""The directory: what is beyond the pantry, kept by the managers of both organisations."""

from django.contrib import messages
from django.db import transaction
from django.db.models import Q
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from referrals import forms
from referrals.models import DirectoryEntry
from referrals.services import directory, told
from referrals.views.doors import COUNCIL
from stockport_hubs.accounts.models import Role
from stockport_hubs.accounts.permissions import get_or_404, roles
from stockport_hubs.core import clock
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.pages import Paginator

PAGE = 25
KEEPERS = (Role.LEAVING_CARE_MANAGER, Role.PANTRY_MANAGER)


@require_safe
@roles(*COUNCIL, Role.PANTRY_MANAGER)
def index(request):
    """Every entry one may offer; those no longer offered on request."""
    query, retired = request.GET.get("q", "").strip(), request.GET.get("show") == "retired"
    found = DirectoryEntry.objects.for_user(request.user).filter(retired_at__isnull=not retired)
    if query:
        found = found.filter(Q(name__icontains=query) | Q(where__icontains=query))
    page = Paginator(found.select_related("kept_by").order_by("name", "pk"), PAGE).get_page(request.GET.get("page"))
    counted = request.user.role == Role.PANTRY_MANAGER  # of all members, of whom a council sees its own alone
    times = told.counts(request.user, page, clock.today()) if counted else {}
    context = {
        "page_obj": page,
        "rows": [(entry, times[entry.pk] if counted else 0) for entry in page],
        "query": query,
        "retired": retired,
        "keeps": request.user.role in KEEPERS,
        "is_council": request.user.is_council,
    }
    return render(request, "referrals/directory.html", context)


@roles(*KEEPERS)
def add(request):
    """A new entry of one's own organisation."""
    return _form(request, None)


@roles(*KEEPERS)
def edit(request, entry_id):
    """Change an entry of one's own organisation."""
    return _form(request, get_or_404(DirectoryEntry.objects.for_user(request.user).kept_by(request.user), pk=entry_id))


def _form(request, entry: DirectoryEntry | None):
    back = reverse("referrals:directory")
    is_council = request.user.is_council
    form = forms.EntryForm(request.POST or None, is_council=is_council, entry=entry, cancel=back)
    if request.method == "POST" and form.is_valid():
        try:
            facts = {**form.cleaned_data, "by": request.user, "at": clock.now()}
            saved = directory.change(entry=entry, **facts) if entry else directory.add(**facts)
        except Refused as why:
            form.add_error("name", str(why))
        else:
            messages.success(request, f"{saved} is {'changed' if entry else 'in the directory'}.")
            return redirect(back)
    return render(request, "referrals/directory_entry.html", {"form": form, "entry": entry, "back_url": back})


@roles(*KEEPERS)
@require_POST
@transaction.atomic
def retire(request, entry_id):
    """Take an entry out of use, or bring it back."""
    entry = get_or_404(DirectoryEntry.objects.for_user(request.user).kept_by(request.user), pk=entry_id)
    retired = request.POST.get("retired") == "yes"
    try:
        directory.set_retired(entry=entry, retired=retired, by=request.user, at=clock.now())
        said = "is not offered any more. Links that name it stay." if retired else "can be offered again."
        messages.success(request, f"{entry} {said}")
    except Refused as why:
        messages.error(request, str(why))
    return redirect("referrals:directory")
