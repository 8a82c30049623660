"""Onward links and volunteering of young people: lists, and a page for the steps of each."""

from django.contrib import messages
from django.db import transaction
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from careleavers.models import CareLeaver
from referrals import forms, rules
from referrals.models import CommunityLink, DirectoryEntry, VolunteeringOffer
from referrals.services import links, volunteering
from referrals.views import doors
from stockport_hubs.accounts.models import Role
from stockport_hubs.accounts.permissions import get_or_404, roles
from stockport_hubs.audit import services as audit
from stockport_hubs.core import clock
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.pages import Paginator

PAGE, CHOICES = 25, 500


def _words(request) -> str:
    return request.GET.get("q", "").strip()


def _list(request, found, filters, verb: str, template: str):
    """A page of rows of young people, with search and filters; one audit event with everybody on it."""
    query = _words(request)
    page = Paginator(found, PAGE, keys_first=True, chosen_once=bool(query)).get_page(request.GET.get("page"))
    subjects = [(audit.CARE_LEAVER, row.care_leaver_id) for row in page.object_list]
    if subjects:
        audit.record(verb, at=clock.now(), by=request.user, subjects=subjects)
    chosen = filters.cleaned_data if filters.is_valid() else {}
    context = {
        "page_obj": page,
        "filters": filters,
        "query": query,
        "is_filtered": bool(query or any(chosen.values())),
        "keeps": request.user.role == Role.LEAVING_CARE_MANAGER,
    }
    return render(request, template, context)


@require_safe
@roles(*doors.COUNCIL)
@transaction.atomic
def link_list(request):
    """Onward links, the latest first."""
    filters = forms.LinksFilterForm(request.GET)
    chosen = filters.cleaned_data if filters.is_valid() else {}
    found = CommunityLink.objects.for_user(request.user, _words(request)).select_related("care_leaver", "entry")
    if state := chosen.get("state"):
        found = found.filter(state=state)
    else:
        found = found.exclude(state=CommunityLink.State.TAKEN_BACK)
    if kind := chosen.get("kind"):
        found = found.filter(entry__kind=kind)
    return _list(
        request, found.order_by("-offered_on", "pk"), filters, "referrals.links.listed", "referrals/links.html"
    )


@require_safe
@roles(*doors.COUNCIL)
@transaction.atomic
def volunteering_list(request):
    """Who was asked to volunteer, and how far each is."""
    filters = forms.VolunteeringFilterForm(request.GET)
    chosen = filters.cleaned_data if filters.is_valid() else {}
    found = VolunteeringOffer.objects.for_user(request.user, _words(request)).select_related("care_leaver")
    if state := chosen.get("state"):
        found = found.filter(state=state)
    else:
        found = found.exclude(state=VolunteeringOffer.State.NOT_ASKED)
    found = found.order_by("-state_on", "pk")
    return _list(request, found, filters, "referrals.volunteering.listed", "referrals/volunteering_list.html")


def _person(request, person_id) -> CareLeaver:
    person = get_or_404(CareLeaver.objects.for_user(request.user), pk=person_id)
    doors.viewed(request, person)
    return person


def _page(person: CareLeaver) -> str:
    return reverse("careleavers:detail", args=[person.pk])


@roles(*doors.COUNCIL)
@transaction.atomic
def link_offer(request, person_id):
    """Record that a young person was told about a place of the directory."""
    person = _person(request, person_id)
    if person.has_died:
        messages.error(request, "This young person has died. Nothing more is offered.")
        return redirect(_page(person))
    entries = DirectoryEntry.objects.for_user(request.user).in_use().order_by("kind", "name")[:CHOICES]
    initial = {"on": clock.today()}
    form = forms.LinkForm(request.POST or None, entries=entries, cancel=_page(person), initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            made = links.offer(care_leaver=person, **form.answers, by=request.user, at=clock.now())
        except Refused as why:
            form.add_error("entry", str(why))
        else:
            messages.success(request, f"Recorded: {made.entry}.")
            return redirect(_page(person))
    return render(request, "referrals/link_offer.html", {"form": form, "person": person})


@roles(*doors.COUNCIL)
@transaction.atomic
def link(request, link_id):
    """One link: its steps, and what came of it."""
    rows = CommunityLink.objects.for_user(request.user).select_related("care_leaver", "entry")
    shown = get_or_404(rows, pk=link_id)
    person = shown.care_leaver
    doors.viewed(request, person)
    form = None
    if rules.LINK_MOVES[shown.state] and not person.has_died:
        cancel, initial = _page(person), {"on": clock.today()}
        form = forms.LinkMoveForm(request.POST or None, link=shown, cancel=cancel, initial=initial)
    if request.method == "POST" and form is None:
        messages.error(request, "There is no step to record any more. Read the link again.")
        return redirect("referrals:link", shown.pk)
    if request.method == "POST" and form and form.is_valid():
        try:
            moved = links.move(link=shown, **form.cleaned_data, by=request.user, at=clock.now())
        except Refused as why:
            form.add_error("on", str(why))
        else:
            messages.success(request, f"Recorded: {moved.get_state_display().lower()}.")
            return redirect(_page(person))
    context = {"form": form, "link": shown, "person": person, "moves": shown.moves.select_related("by", "undone_by")}
    return render(request, "referrals/link.html", context)


@roles(*doors.COUNCIL)
@require_POST
@transaction.atomic
def link_undo(request, link_id):
    """Take the last step of a link back."""
    shown = get_or_404(CommunityLink.objects.for_user(request.user), pk=link_id)
    try:
        with transaction.atomic():
            links.undo(link=shown, by=request.user, at=clock.now())
        messages.success(request, "The last step is taken back.")
    except Refused as why:
        messages.error(request, str(why))
    return redirect("referrals:link", shown.pk)


@roles(*doors.COUNCIL)
@transaction.atomic
def volunteer(request, person_id):
    """One young person's way to volunteering, and the next step."""
    person = _person(request, person_id)
    offer = volunteering.of(person)
    form = None
    if not person.has_died:
        cancel, initial = _page(person), {"on": clock.today()}
        form = forms.VolunteeringForm(request.POST or None, offer=offer, cancel=cancel, initial=initial)
    if request.method == "POST" and form and form.is_valid():
        try:
            moved = volunteering.move(care_leaver=person, **form.cleaned_data, by=request.user, at=clock.now())
        except Refused as why:
            form.add_error("on", str(why))
        else:
            messages.success(request, f"Recorded: {moved.get_state_display().lower()}.")
            return redirect(_page(person))
    context = {"form": form, "offer": offer, "person": person, "moves": volunteering.moves_of(offer)}
    return render(request, "referrals/volunteer.html", context)


@roles(*doors.COUNCIL)
@require_POST
@transaction.atomic
def volunteer_undo(request, person_id):
    """Take the last step back."""
    person = get_or_404(CareLeaver.objects.for_user(request.user), pk=person_id)
    try:
        with transaction.atomic():
            volunteering.undo(care_leaver=person, by=request.user, at=clock.now())
        messages.success(request, "The last step is taken back.")
    except Refused as why:
        messages.error(request, str(why))
    return redirect("referrals:volunteer", person.pk)
