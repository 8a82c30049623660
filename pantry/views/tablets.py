"""The pantry manager's pages on tablets: set one up, take it out of use; volunteers with PINs; what is to sort out."""

from django.contrib import messages
from django.contrib.auth import logout
from django.db import transaction
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from pantry import held_entries
from pantry.forms.tablets import EnrolForm, NameForm, SortEntryForm
from pantry.models import Pantry, Tablet, TabletEntry
from pantry.services import sorting, tablets, volunteers
from pantry.views import tablet_api
from stockport_hubs.accounts.models import Role, User
from stockport_hubs.accounts.permissions import get_or_404, roles
from stockport_hubs.audit import services as audit
from stockport_hubs.core import clock
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.pages import Paginator

PAGE = 25
manages = roles(Role.PANTRY_MANAGER)


@manages
@require_http_methods(["GET", "HEAD", "POST"])
def enrol(request):
    """On the tablet itself: it becomes a pantry's, and the manager is signed out there."""
    present = tablets.find(request.COOKIES.get(tablet_api.COOKIE, ""))
    if present and (present.revoked_at or present.pantry.operator_id != request.user.organisation_id):
        present = None
    form = EnrolForm(
        request.POST or None,
        user=request.user,
        cancel=reverse("pantry:pantries"),
        initial={"pantry": request.GET.get("pantry", "")},
    )
    if request.method == "POST" and form.is_valid():
        try:
            _, secret = tablets.enrol(**form.cleaned_data, by=request.user, at=clock.now())
        except Refused as why:
            form.add_error("name", str(why))
        else:
            logout(request)
            response = redirect(tablet_api.PATH)
            tablet_api.set_cookie(response, secret)
            return response
    return render(request, "pantry/tablet_enrol.html", {"form": form, "present": present})


@manages
@require_http_methods(["GET", "HEAD", "POST"])
def pantry_tablets(request, pantry_id):
    """A pantry's tablets and who records on them; add a volunteer, whose starting code is shown once."""
    shown, now = get_or_404(Pantry.objects.for_user(request.user), pk=pantry_id), clock.now()
    form = NameForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            user, code = volunteers.add(pantry=shown, **form.cleaned_data, by=request.user, at=now)
        except Refused as why:
            form.add_error("called", str(why))
        else:
            return _show_code(request, shown, user, code)
    mine = Tablet.objects.for_user(request.user).filter(pantry=shown).select_related("enrolled_by", "revoked_by")
    out = Paginator(mine.filter(revoked_at__isnull=False).order_by("-revoked_at"), PAGE)
    context = {
        "pantry": shown,
        "form": form,
        "tablets": mine.in_use(),
        "out": out.get_page(request.GET.get("page")),
        "volunteers": volunteers.overview(shown, at=now),
        "waiting": TabletEntry.objects.for_user(request.user).filter(pantry=shown).to_sort_out().count(),
    }
    return render(request, "pantry/tablets.html", context)


def _show_code(request, shown: Pantry, user: User, code: str):
    """Never kept, never in an address: only in this answer."""
    context = {"pantry": shown, "called": user.get_short_name(), "code": f"{code[:3]} {code[3:]}"}
    return render(request, "pantry/tablet_code.html", context)


@manages
@require_http_methods(["GET", "HEAD", "POST"])
def tablet_revoke(request, tablet_id):
    """Asked first: a tablet that is lost, or no longer used."""
    mine = Tablet.objects.for_user(request.user).select_related("pantry")
    tablet = get_or_404(mine, pk=tablet_id)
    back = reverse("pantry:tablets", args=[tablet.pantry_id])
    if request.method == "POST":
        try:
            tablets.revoke(tablet=tablet, by=request.user, at=clock.now())
        except Refused as why:
            messages.error(request, str(why))
        else:
            messages.success(request, f"{tablet} is out of use. What it has not sent yet comes to be sorted out.")
        return redirect(back)
    return render(request, "pantry/tablet_revoke.html", {"tablet": tablet, "back_url": back})


@manages
@require_http_methods(["GET", "HEAD", "POST"])
def volunteer_code(request, pantry_id, user_id):
    """Asked first, for the present PIN ends: a new starting code, shown once."""
    shown, user = _volunteer(request, pantry_id, user_id)
    if request.method == "POST":
        try:
            code = volunteers.new_code(user=user, pantry=shown, by=request.user, at=clock.now())
        except Refused as why:
            messages.error(request, str(why))
            return redirect("pantry:tablets", shown.pk)
        return _show_code(request, shown, user, code)
    return render(request, "pantry/volunteer_code.html", {"pantry": shown, "volunteer": user})


@manages
@require_http_methods(["GET", "HEAD", "POST"])
def volunteer_end(request, pantry_id, user_id):
    """Asked first: somebody without e-mail records no more."""
    shown, user = _volunteer(request, pantry_id, user_id)
    if request.method == "POST":
        try:
            volunteers.deactivate(user=user, pantry=shown, by=request.user, at=clock.now())
        except Refused as why:
            messages.error(request, str(why))
        else:
            messages.success(request, f"{user.name} records no more. What they recorded stays.")
        return redirect("pantry:tablets", shown.pk)
    return render(request, "pantry/volunteer_end.html", {"pantry": shown, "volunteer": user})


def _volunteer(request, pantry_id, user_id) -> tuple[Pantry, User]:
    shown = get_or_404(Pantry.objects.for_user(request.user), pk=pantry_id)
    staff = shown.staff.values("user")
    return shown, get_or_404(User.objects.for_user(request.user).filter(pk__in=staff), pk=user_id)


# -- to sort out -------------------------------------------------------------------------------------------------------


@manages
@require_safe
@transaction.atomic
def entries(request):
    """What tablets sent and could not be recorded as it was, the latest first; with ?all=1 what was sorted out too."""
    everything = request.GET.get("all") == "1"
    mine = TabletEntry.objects.for_user(request.user).exclude(outcome=TabletEntry.Outcome.RECORDED)
    mine = mine if everything else mine.to_sort_out()
    page = Paginator(mine.select_related(*held_entries.READ), PAGE).get_page(request.GET.get("page"))
    rows = held_entries.lines(page)
    _viewed(request, rows)
    return render(request, "pantry/entries.html", {"page": page, "rows": rows, "everything": everything})


@manages
@require_http_methods(["GET", "HEAD", "POST"])
def entry(request, entry_id):
    """One of them: record it now, set it aside with a reason; or undo that."""
    mine = TabletEntry.objects.for_user(request.user).exclude(outcome=TabletEntry.Outcome.RECORDED)
    shown = get_or_404(mine.select_related(*held_entries.READ), pk=entry_id)
    back, given = reverse("pantry:entries"), {"entry": shown, "by": request.user, "at": clock.now()}
    posted = request.POST if request.method == "POST" and "again" not in request.POST else None
    form = SortEntryForm(posted, kind=shown.kind, user=request.user, cancel=back)
    refused = ""
    try:
        if "again" in request.POST:
            sorting.sort_again(**given)
            messages.success(request, "Undone. It is to be sorted out again.")
            return redirect("pantry:entry", shown.pk)
        if request.method == "POST" and form.is_valid():
            messages.success(request, _sort(form, given))
            return redirect(back)
    except Refused as why:
        refused = str(why)
    with transaction.atomic():
        [line] = held_entries.lines([shown])
        _viewed(request, [line], shown)
        context = {"line": line, "entry": shown, "back": back, "form": form, "refused": refused}
        return render(request, "pantry/entry.html", context, status=409 if refused else 200)


def _sort(form: SortEntryForm, given: dict) -> str:
    """Do what was chosen; what to say of it."""
    if form.reason:
        sorting.dismiss(reason=form.reason, **given)
        return "Set aside. Nothing was recorded."
    more = {name: form.cleaned_data[name] for name in ("number", "override") if name in form.cleaned_data}
    sorting.settle(**given, **more)
    return "Recorded, for the day it happened."


def _viewed(request, shown: list[held_entries.Line], target: TabletEntry | None = None) -> None:
    subjects = [(audit.MEMBERSHIP, line.member_id) for line in shown if line.member_id]
    audit.record("pantry.entries.viewed", at=clock.now(), by=request.user, target=target, subjects=subjects)
