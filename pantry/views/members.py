"""Members of an operator's pantries: for pantry managers as people, for the funder's managers as numbers and money."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from pantry import members as shown
from pantry import roster
from pantry.forms.members import EndForm, MemberFilters, MemberForm
from pantry.models import Membership, Pantry
from pantry.services import memberships
from stockport_hubs.accounts.models import Role
from stockport_hubs.accounts.permissions import get_or_404, roles
from stockport_hubs.audit import services as audit
from stockport_hubs.core import clock, needs
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.money import pounds

PAGE = 25
STATE_COLOURS = {"pending": "blue", "open": "green", "paused": "yellow", "ended": "grey"}


@roles(Role.PANTRY_MANAGER, Role.LEAVING_CARE_MANAGER, Role.FINANCE_OFFICER)
@require_safe
@transaction.atomic
def members(request):
    """Searched, filtered and paged; the funder's roles see numbers, weeks and money and search by number only."""
    on, query = clock.today(), request.GET.get("q", "").strip()[:60]
    sees_people = shown.sees_people(request.user)
    filters = MemberFilters(request.GET or {"state": "current"}, user=request.user, sees_people=sees_people)
    pantry, state = filters.chosen
    mine = Membership.objects.for_user(request.user)
    found = shown.found(mine, user=request.user, query=query, pantry=pantry, state=state, on=on)
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    lines = shown.lines(page, on)
    _viewed(request, "pantry.members.viewed", [line.member for line in lines])
    own = Pantry.objects.for_user(request.user)
    context = {
        "page": page,
        "lines": [(line, STATE_COLOURS[line.member.state]) for line in lines],
        "filters": filters,
        "query": query,
        "is_filtered": bool(query or pantry or state != "current"),
        "sees_people": sees_people,
        "search_label": "Name or number" if sees_people else "Number",
        "telling": roster.only_funded([pantry] if pantry else own) if sees_people else [],
    }
    return render(request, "pantry/members.html", context)


@roles(Role.PANTRY_MANAGER, Role.LEAVING_CARE_MANAGER, Role.FINANCE_OFFICER)
@require_safe
@transaction.atomic
def member(request, membership_id):
    """One member: facts, needs, weeks, collections and blocks; weeks and money alone for the funder's roles."""
    found = _member(request, membership_id)
    on, sees_people = clock.today(), shown.sees_people(request.user)
    _viewed(request, "pantry.member.viewed", [found], target=found)
    places = list(found.places.select_related("pantry"))
    context = {
        "member": found,
        "colour": STATE_COLOURS[found.state],
        "is_ended": found.state == Membership.State.ENDED,
        "places": places,
        "place": places[-1] if places else None,
        "blocks": shown.block_lines(found, on),
        "recoverable": shown.credit_if_left(found, on),
        "sees_people": sees_people,
    }
    if sees_people:
        taken = found.collections.select_related("recorded_by", "pantry", "voided_by").prefetch_related("items")
        context |= {
            "needs": [needs.words(need.kind, need.value) for need in found.needs.all()],
            "strip": shown.strip(found, on),
            "page": Paginator(taken.order_by("-on", "-recorded_at"), PAGE).get_page(request.GET.get("page")),
            "moves": [_move(move, request.user) for move in found.moves.select_related("by__organisation")],
        }
    return render(request, "pantry/member.html", context)


def _move(move, user) -> dict:
    """A change of state; people of another organisation appear as that organisation."""
    by = move.by and (move.by.name if move.by.organisation_id == user.organisation_id else move.by.organisation.name)
    return {"label": move.get_state_display(), "on": move.on, "by": by or "by itself"}


@roles(Role.PANTRY_MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
def member_add(request):
    """Someone who pays at the counter joins."""
    form = MemberForm(request.POST or None, user=request.user, cancel=reverse("pantry:members"))
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            joined = memberships.join(
                pantry=given["pantry"],
                preferred_name=given["preferred_name"],
                needs=form.needs,
                agreement=None,
                first_week=given["first_week"],
                by=request.user,
                at=clock.now(),
            )
        except Refused as why:
            form.add_error(None, str(why))
        else:
            messages.success(request, f"Added. The membership number is {joined.number}.")
            return redirect("pantry:member", joined.pk)
    return render(request, "pantry/member_add.html", {"form": form})


@roles(Role.PANTRY_MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
def member_end(request, membership_id):
    """A membership ends: first the day and the reason, then what is credited, then it is done."""
    found = _member(request, membership_id)
    back = reverse("pantry:member", args=[found.pk])
    if found.state == Membership.State.ENDED:
        messages.info(request, f"Membership {found.number} has already ended.")
        return redirect(back)
    form = EndForm(request.POST or None, cancel=back, initial={"on": clock.today()})
    context = {"member": found, "back": back, "form": form, "asks_again": False}
    if request.method == "POST" and form.is_valid():
        day, reason = form.cleaned_data["on"], form.cleaned_data["reason"]
        try:
            with transaction.atomic():
                pence = memberships.leave(membership=found, on=day, reason=reason, by=request.user, at=clock.now())
                if not form.cleaned_data["confirmed"]:  # done and taken back: what is shown is what will happen
                    transaction.set_rollback(True)
            if form.cleaned_data["confirmed"]:
                credited = f" {pounds(pence)} went back as credit." if pence else ""
                messages.success(request, f"Membership {found.number} has ended.{credited}")
                return redirect(back)
            context |= {"asks_again": True, "pence": pence, "weeks": shown.credit_if_left(found, day)[0], "day": day}
            context["reason"] = Membership.EndReason(reason).label
        except Refused as why:
            form.add_error("on", str(why))
    with transaction.atomic():
        _viewed(request, "pantry.member.viewed", [found], target=found)
        return render(request, "pantry/member_end.html", context)


def _member(request, membership_id) -> Membership:
    return get_or_404(Membership.objects.for_user(request.user).select_related("previous"), pk=membership_id)


def _viewed(request, verb: str, people, target=None) -> None:
    subjects = [(audit.MEMBERSHIP, person.pk) for person in people]
    audit.record(verb, at=clock.now(), by=request.user, target=target, subjects=subjects)
