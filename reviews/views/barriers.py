"""Barriers: what stands in the way, who looks after it, what is being done."""

from django.contrib import messages
from django.db import transaction
from django.db.models import Count, F, Q
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from careleavers.models import CareLeaver
from reviews import rules
from reviews.forms.barriers import ActionForm, BarrierForm, BarrierMoveForm
from reviews.models import CATEGORIES_FOR_BOTH, Barrier, BarrierCategory, BarrierState
from reviews.services import barriers as services
from stockport_hubs.accounts.models import Role
from stockport_hubs.accounts.permissions import get_or_404, roles
from stockport_hubs.audit import services as audit
from stockport_hubs.audit.services import CARE_LEAVER
from stockport_hubs.core import clock
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.keys import uuid_or_none
from stockport_hubs.core.pages import Paginator

WORK_ON = (Role.PERSONAL_ADVISOR, Role.LEAVING_CARE_MANAGER, Role.PANTRY_MANAGER)
ROWS = 25


@roles(*WORK_ON)
@require_safe
@transaction.atomic
def barriers(request):
    """Open barriers, the first due first; closed ones, one category, or one's own on request."""
    mine = Barrier.objects.for_user(request.user).select_related("care_leaver", "pantry", "owner")
    which, category = request.GET.get("show", "open"), request.GET.get("category", "")
    shown = mine.filter(closed_on__isnull=which != "closed")
    if which == "mine":
        shown = shown.filter(owner=request.user)
    if category in BarrierCategory:
        shown = shown.filter(category=category)
    shown = shown.order_by("-closed_on", F("due_on").asc(nulls_last=True), "raised_on", "id")
    page = Paginator(shown, ROWS, keys_first=True).get_page(request.GET.get("page"))
    people = [(CARE_LEAVER, each.care_leaver_id) for each in page if each.care_leaver_id]
    if people:
        audit.record("reviews.barriers.viewed", at=clock.now(), by=request.user, subjects=people)
    counts = mine.order_by().aggregate(
        open=Count("pk", filter=Q(closed_on__isnull=True)),
        mine=Count("pk", filter=Q(closed_on__isnull=True, owner=request.user)),
        closed=Count("pk", filter=Q(closed_on__isnull=False)),
    )
    context = {
        "page": page,
        "which": which,
        "tabs": [
            ("open", "Open", counts["open"]),
            ("mine", "Mine", counts["mine"]),
            ("closed", "Closed", counts["closed"]),
        ],
        "categories": BarrierCategory.choices if request.user.is_council else CATEGORIES_FOR_BOTH,
        "category": category,
        "today": clock.today(),
        "is_council": request.user.is_council,
    }
    return render(request, "reviews/barrier_list.html", context)


def _person(request) -> CareLeaver | None:
    """The young person the address names, if it names one."""
    asked = request.GET.get("person", "")
    if not asked:
        return None
    return get_or_404(CareLeaver.objects.for_user(request.user), pk=uuid_or_none(asked))


@roles(*WORK_ON)
@require_http_methods(["GET", "HEAD", "POST"])
@transaction.atomic
def barrier_add(request):
    """Record a barrier of the young person named by ?person=, or of a pantry."""
    person = _person(request)
    back = reverse("careleavers:detail", args=[person.pk]) if person else reverse("reviews:barriers")
    form = BarrierForm(request.POST or None, user=request.user, person=person, cancel=back)
    if person is not None:
        viewed = [(CARE_LEAVER, person.pk)]
        audit.record("careleavers.person.viewed", at=clock.now(), by=request.user, target=person, subjects=viewed)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            with transaction.atomic():
                made = services.raise_barrier(
                    care_leaver=person,
                    pantry=given.pop("pantry", None),
                    by=request.user,
                    at=clock.now(),
                    **given,
                )
        except Refused as why:
            form.add_error(None, str(why))
        else:
            messages.success(request, "The barrier is recorded.")
            return redirect(back if person else reverse("reviews:barrier", args=[made.pk]))
    return render(request, "reviews/barrier_add.html", {"form": form, "person": person, "back": back})


def _barrier(request, barrier_id) -> Barrier:
    found = Barrier.objects.for_user(request.user).select_related("care_leaver", "pantry", "owner", "raised_by")
    return get_or_404(found, pk=barrier_id)


@roles(*WORK_ON)
@require_safe
@transaction.atomic
def barrier(request, barrier_id):
    """One barrier: how it stands, what was tried, what is to be done."""
    shown = _barrier(request, barrier_id)
    if shown.care_leaver_id:
        who = [(CARE_LEAVER, shown.care_leaver_id)]
        audit.record("reviews.barrier.viewed", at=clock.now(), by=request.user, target=shown, subjects=who)
    context = {
        "barrier": shown,
        "moves": [(move, BarrierState(move.state).label) for move in shown.moves.select_related("by", "owner")],
        "actions": shown.actions.with_carrying().select_related("owner", "meeting"),
        "carried": services.carried(shown),
        "can_disagree": shown.care_leaver_id is None and request.user.role != Role.PERSONAL_ADVISOR,
        "can_move": bool(rules.BARRIER_MOVES[shown.state]),
        "can_open_person": _may_open(request.user, shown),
        "today": clock.today(),
    }
    return render(request, "reviews/barrier_detail.html", context)


def _may_open(user, barrier: Barrier) -> bool:
    """An advisor may own a barrier of someone who is no longer on their caseload."""
    people = CareLeaver.objects.for_user(user)
    return barrier.care_leaver_id is not None and people.filter(pk=barrier.care_leaver_id).exists()


@roles(*WORK_ON)
@require_http_methods(["GET", "HEAD", "POST"])
def barrier_move(request, barrier_id):
    """Take in hand, hand over, resolve, or say why not."""
    shown = _barrier(request, barrier_id)
    back = reverse("reviews:barrier", args=[shown.pk])
    if not rules.BARRIER_MOVES[shown.state]:
        messages.error(request, "This barrier is closed. If it has come back, record it again.")
        return redirect(back)
    form = BarrierMoveForm(request.POST or None, barrier=shown, cancel=back)
    if request.method == "POST" and form.is_valid():
        try:
            moved = services.move(barrier=shown, by=request.user, at=clock.now(), **form.cleaned_data)
        except Refused as why:
            form.add_error(None, str(why))
        else:
            messages.success(request, f"Saved: {moved.get_state_display().lower()}.")
            return redirect(back)
    context = {"form": form, "barrier": shown, "back": back, "heading": "How does the barrier stand?"}
    return render(request, "reviews/barrier_form.html", context)


@roles(*WORK_ON)
@require_http_methods(["GET", "HEAD", "POST"])
def barrier_action(request, barrier_id):
    """Something to be done about it."""
    shown = _barrier(request, barrier_id)
    back = reverse("reviews:barrier", args=[shown.pk])
    form = ActionForm(
        request.POST or None, council_id=shown.council_id, operator_id=services.operator_of(shown), cancel=back
    )
    if request.method == "POST" and form.is_valid():
        try:
            services.add_action(barrier=shown, by=request.user, at=clock.now(), **form.cleaned_data)
        except Refused as why:
            form.add_error(None, str(why))
        else:
            messages.success(request, "The action is added.")
            return redirect(back)
    context = {"form": form, "barrier": shown, "back": back, "heading": "Add an action"}
    return render(request, "reviews/barrier_form.html", context)
