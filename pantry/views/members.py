"""Members of an operator's pantries: for pantry managers as people, for the funder's managers as numbers and money."""

from django.contrib import messages
from django.db import transaction
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from pantry import members as shown
from pantry import money_history, roster
from pantry.forms.members import EndForm, MemberFilters, MemberForm
from pantry.models import Membership, Pantry, TabletEntry
from pantry.services import away, memberships
from stockport_hubs.accounts.models import Role
from stockport_hubs.accounts.permissions import get_or_404, roles
from stockport_hubs.audit import services as audit
from stockport_hubs.core import clock, needs
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.money import pounds
from stockport_hubs.core.pages import Paginator
from stockport_hubs.core.rehearsal import rehearsed

PAGE = 25
TOLD = 4  # pantries looked for whose list tells; three are named
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
    viewed(request, "pantry.members.viewed", [line.member for line in lines])
    own = Pantry.objects.for_user(request.user)
    here = {pantry.pk} if pantry else {line.pantry.pk for line in lines if line.pantry}
    context = {
        "page": page,
        "lines": [(line, STATE_COLOURS[line.member.state]) for line in lines],
        "filters": filters,
        "query": query,
        "is_filtered": bool(query or pantry or state != "current"),
        "sees_people": sees_people,
        "search_label": "Name or number" if sees_people else "Number",
        "telling": list(roster.only_funded(own.filter(pk__in=here))[:TOLD]) if sees_people else [],
    }
    return render(request, "pantry/members.html", context)


@roles(Role.PANTRY_MANAGER, Role.LEAVING_CARE_MANAGER, Role.FINANCE_OFFICER)
@require_safe
@transaction.atomic
def member(request, membership_id):
    """One member: facts, needs, weeks, collections and blocks; weeks and money alone for the funder's roles."""
    found = fetch(request, membership_id)
    on, sees_people = clock.today(), shown.sees_people(request.user)
    viewed(request, "pantry.member.viewed", [found], target=found)
    places = list(found.places.select_related("pantry"))
    context = {
        "member": found,
        "colour": STATE_COLOURS[found.state],
        "is_ended": found.state == Membership.State.ENDED,
        "places": places,
        "place": places[-1] if places else None,
        "blocks": shown.block_lines(found, on),
        "recoverable": shown.credit_if_left(found, on),
        "moves": money_history.of(found, request.user),
        "unfunded": found.collections.unfunded().count(),
        "sees_people": sees_people,
        "buys": request.user.role == Role.LEAVING_CARE_MANAGER and found.state == Membership.State.OPEN,
    }
    if sees_people:
        taken = found.collections.select_related("recorded_by", "pantry", "voided_by").prefetch_related("items")
        page = Paginator(taken.order_by("-on", "-recorded_at"), PAGE).get_page(request.GET.get("page"))
        sent = TabletEntry.objects.for_user(request.user).of_collections(page)
        context |= {
            "needs": [needs.words(need.kind, need.value) for need in found.needs.all()],
            "strip": shown.strip(found, on),
            "page": page,
            "taken": [(collection, sent.get(collection.pk)) for collection in page],
            "history": shown.history(found, places, request.user),
            "rejoined": shown.joined_again(found),
            "away": away.of(found, on),
            "can_take_back_move": memberships.can_take_back_move(found, on),
        }
    return render(request, "pantry/member.html", context)


@roles(Role.PANTRY_MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
def member_add(request):
    """Someone who pays at the counter joins, or someone who turned up waits to be confirmed."""
    return _add(request, None)


@roles(Role.PANTRY_MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
def member_rejoin(request, membership_id):
    """Someone whose membership has ended joins again, under a new number that names the old one."""
    earlier = fetch(request, membership_id)
    if earlier.state != Membership.State.ENDED or earlier.end_reason == Membership.EndReason.DIED:
        messages.info(request, f"Membership {earlier.number} cannot be joined again.")
        return redirect("pantry:member", earlier.pk)
    return _add(request, earlier)


def _add(request, earlier: Membership | None):
    back = reverse("pantry:member", args=[earlier.pk]) if earlier else reverse("pantry:members")
    form = MemberForm(request.POST or None, user=request.user, cancel=back, again=earlier is not None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        who = {"preferred_name": given["preferred_name"], "needs": form.needs, "by": request.user, "at": clock.now()}
        try:
            if form.waits:
                joined = memberships.add_pending(pantry=given["pantry"], **who)
            else:
                first = given["first_week"]
                joined = memberships.join(pantry=given["pantry"], first_week=first, previous=earlier, **who)
        except Refused as why:
            form.add_error(None, str(why))
        else:
            waits = " They may shop while they wait to be confirmed." if form.waits else ""
            messages.success(request, f"Added. The membership number is {joined.number}.{waits}")
            return redirect("pantry:member", joined.pk)
    context = {"form": form, "earlier": earlier, "back": back}
    if earlier is None:
        return render(request, "pantry/member_add.html", context)
    with transaction.atomic():
        viewed(request, "pantry.member.viewed", [earlier], target=earlier)
        return render(request, "pantry/member_add.html", context)


@roles(Role.PANTRY_MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
def member_end(request, membership_id):
    """A membership ends: first the day and the reason, then what is credited, then it is done."""
    found = fetch(request, membership_id)
    back = reverse("pantry:member", args=[found.pk])
    if found.state == Membership.State.ENDED:
        messages.info(request, f"Membership {found.number} has already ended.")
        return redirect(back)
    form = EndForm(request.POST or None, cancel=back, initial={"on": clock.today()})
    context = {"member": found, "back": back, "form": form, "asks_again": False}
    if request.method == "POST" and form.is_valid():
        day, reason = form.cleaned_data["on"], form.cleaned_data["reason"]
        try:
            with rehearsed(unless=form.cleaned_data["confirmed"]):
                pence = memberships.leave(membership=found, on=day, reason=reason, by=request.user, at=clock.now())
            if form.cleaned_data["confirmed"]:
                credited = f" {pounds(pence)} went back as credit." if pence else ""
                messages.success(request, f"Membership {found.number} has ended.{credited}")
                return redirect(back)
            context |= {"asks_again": True, "pence": pence, "weeks": shown.credit_if_left(found, day)[0], "day": day}
            context["reason"] = Membership.EndReason(reason).label
        except Refused as why:
            form.add_error("on", str(why))
    with transaction.atomic():
        viewed(request, "pantry.member.viewed", [found], target=found)
        return render(request, "pantry/member_end.html", context)


def fetch(request, membership_id) -> Membership:
    """One of those this user may see; 404 for the others."""
    return get_or_404(Membership.objects.for_user(request.user).select_related("previous"), pk=membership_id)


def viewed(request, verb: str, people, target=None) -> None:
    """The one audit event of a page about members."""
    subjects = [(audit.MEMBERSHIP, person.pk) for person in people]
    audit.record(verb, at=clock.now(), by=request.user, target=target, subjects=subjects)
