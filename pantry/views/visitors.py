"""Visitors who were not found: recorded at the counter, sorted out by the pantry manager."""

from django.contrib import messages
from django.db import transaction
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from pantry.forms.visitors import SortForm, VisitorForm
from pantry.models import Visitor
from pantry.services import visitors as services
from pantry.views.sessions import can_record_on, session_or_404
from stockport_hubs.accounts.models import Role
from stockport_hubs.accounts.permissions import get_or_404, roles
from stockport_hubs.audit import services as audit
from stockport_hubs.core import clock
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.pages import Paginator

PAGE = 25
READ = ("session", "pantry", "recorded_by", "sorted_by", "membership", "collection")


@roles(Role.PANTRY_VOLUNTEER, Role.PANTRY_MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
def visitor_add(request, session_id):
    """Record someone who is not on the list; who was recorded in this session so far, to take back."""
    shown = session_or_404(request, session_id)
    back = reverse("pantry:session", args=[shown.pk])
    form = VisitorForm(request.POST or None, cancel=back)
    if request.method == "POST" and form.is_valid():
        try:
            services.record(session=shown, **form.cleaned_data, by=request.user, at=clock.now())
        except Refused as why:
            form.add_error(None, str(why))
        else:
            messages.success(request, "Visitor recorded with the usual items. The pantry manager sorts out who it was.")
            return redirect(back)
    on = clock.today()
    mine = Visitor.objects.for_user(request.user).filter(session=shown).exclude(outcome=Visitor.Outcome.MISTAKE)
    page = Paginator(mine.select_related(*READ), PAGE).get_page(request.GET.get("page"))
    context = {
        "session": shown,
        "back": back,
        "form": form,
        "can_record": can_record_on(shown, request.user, on),
        "page": page,
        "rows": [(each, services.can_take_back(each, by=request.user, on=on)) for each in page],
    }
    with transaction.atomic():
        audit.record("pantry.visitors.viewed", at=clock.now(), by=request.user, target=shown)
        return render(request, "pantry/visitor_add.html", context)


@roles(Role.PANTRY_VOLUNTEER, Role.PANTRY_MANAGER)
@require_POST
def visitor_take_back(request, visitor_id):
    """The button beside a visitor recorded by mistake."""
    visitor = get_or_404(Visitor.objects.for_user(request.user).select_related(*READ), pk=visitor_id)
    try:
        services.take_back(visitor=visitor, by=request.user, at=clock.now())
    except Refused as why:
        messages.error(request, str(why))
    else:
        messages.success(request, "Taken back. Nobody is recorded for that visit.")
    return redirect("pantry:visitor_add", visitor.session_id)


@roles(Role.PANTRY_MANAGER)
@require_safe
@transaction.atomic
def visitors(request):
    """Those to sort out, the latest first; with ?all=1 those sorted out too."""
    everyone = request.GET.get("all") == "1"
    mine = Visitor.objects.for_user(request.user).select_related(*READ)
    shown = mine if everyone else mine.to_sort_out()
    page = Paginator(shown, PAGE, keys_first=True).get_page(request.GET.get("page"))
    _viewed(request, "pantry.visitors.viewed", page)
    return render(request, "pantry/visitors.html", {"page": page, "everyone": everyone})


@roles(Role.PANTRY_MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
def visitor_sort(request, visitor_id):
    """Say who a visitor was; or, where that is said, undo it."""
    visitor = get_or_404(Visitor.objects.for_user(request.user).select_related(*READ), pk=visitor_id)
    back, given = reverse("pantry:visitors"), {"visitor": visitor, "by": request.user, "at": clock.now()}
    form = SortForm(
        request.POST if request.method == "POST" and "again" not in request.POST else None,
        user=request.user,
        cancel=back,
    )
    refused = ""
    try:
        if "again" in request.POST:
            services.sort_again(**given)
            messages.success(request, "Undone. The visitor is to be sorted out again.")
            return redirect("pantry:visitor_sort", visitor.pk)
        if request.method == "POST" and form.is_valid():
            messages.success(request, _sort(form, given))
            return redirect(back)
    except Refused as why:
        refused = str(why)
    with transaction.atomic():
        _viewed(request, "pantry.visitor.viewed", [visitor], target=visitor)
        context = {"visitor": visitor, "back": back, "form": form, "refused": refused}
        return render(request, "pantry/visitor_sort.html", context, status=409 if refused else 200)


def _sort(form: SortForm, given: dict) -> str:
    """Do what was chosen; what to say of it."""
    outcome = form.cleaned_data["outcome"]
    if outcome == Visitor.Outcome.MEMBER:
        done, why = services.match(membership=form.membership, **given)
        if done.collection:
            return f"Matched to number {form.membership.number}. The visit is their collection of that week."
        return f"Matched to number {form.membership.number} without a collection. {why}"
    if outcome == Visitor.Outcome.TURNED_UP:
        return f"Added as number {services.add_pending(**given).number}, to be confirmed."
    if outcome == Visitor.Outcome.NOBODY:
        services.no_further(**given)
        return "Sorted out: not a member."
    services.take_back(**given)
    return "Taken back. Nobody is recorded for that visit."


def _viewed(request, verb: str, shown, target=None) -> None:
    subjects = [(audit.MEMBERSHIP, each.membership_id) for each in shown if each.membership_id]
    audit.record(verb, at=clock.now(), by=request.user, target=target, subjects=subjects)
