"""The cohort: who belongs, how far each one is, what they answered."""

from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from careleavers.forms import CohortMoveForm, person_url
from careleavers.models import CareLeaver, CohortPlace
from careleavers.services import cohort, keeping
from careleavers.views.doors import PER_PAGE, council, log_list, manager, person_or_404
from stockport_hubs.core import clock
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.keys import uuid_or_none
from stockport_hubs.core.pages import Paginator

State = CohortPlace.State
TITLES = {
    ("identified", "offered"): "Record that an introduction was offered",
    ("declined", "offered"): "Record that an introduction was offered again",
    ("no_reply", "offered"): "Record that an introduction was offered again",
}


@manager
@transaction.atomic
def overview(request):
    """Counts per state, each leading to its people."""
    today, query = clock.today(), request.GET.get("q", "").strip()
    everyone = CareLeaver.objects.for_user(request.user)
    counts = CohortPlace.objects.for_user(request.user).counts()
    state = request.GET.get("state", "")
    shown = everyone.filter(cohort_place__isnull=False).search(query)
    if state in State.values:
        shown = shown.filter(cohort_place__state=state)
    else:
        state = ""
    total = sum(counts.values())
    deleted = CohortPlace.objects.for_user(request.user).of_nobody().count()
    paginator = Paginator(shown.with_allocations(today).select_related("cohort_place"), PER_PAGE)
    if not query:
        paginator.count = counts.get(state, 0) if state else total
        paginator.count -= deleted if state in ("", State.IDENTIFIED) else 0  # they count, and are nobody any more
    page = paginator.get_page(request.GET.get("page"))
    log_list(request, page)
    here = reverse("careleavers:cohort")
    tiles = [{"number": total, "label": "in the cohort", "url": here}] + [
        {"number": counts.get(each, 0), "label": each.label.lower(), "url": f"{here}?state={each}"} for each in State
    ]
    context = {
        "tiles": tiles,
        "total": total,
        "state": State(state).label if state else "",
        "chosen": state,
        "query": query,
        "page_obj": page,
        "deleted": deleted,
        "deleted_on": _deleted_on(request, page, today),
    }
    return render(request, "careleavers/cohort.html", context)


def _deleted_on(request, page, today) -> dict:
    """When each of a page is deleted if nothing is offered to them; nobody else."""
    council = request.user.organisation_id
    waiting = keeping.never_offered(council).filter(pk__in=[person.pk for person in page]).values_list("pk", flat=True)
    keys, days = set(waiting), keeping.days_of(council, today)
    return {person.pk: max(keeping.deleted_on(person, days), today) for person in page if person.pk in keys}


@manager
@transaction.atomic
def tick(request):
    """Tick who belongs to the cohort: one by one, or everyone the search found."""
    today, query = clock.today(), request.GET.get("q", "").strip()
    outside = CareLeaver.objects.for_user(request.user).living().outside_cohort().search(query)
    if request.method == "POST":
        everyone, ticked = "everyone" in request.POST, _uuids(request.POST.getlist("person"))
        if not (everyone or ticked):
            messages.error(request, "Tick at least one young person, then choose “Add the ticked”.")
            return redirect(request.get_full_path())
        chosen = outside if everyone else outside.filter(pk__in=ticked)
        if added := cohort.tick(care_leavers=chosen, on=today, by=request.user, at=clock.now()):
            who = "young person belongs" if added == 1 else "young people belong"
            messages.success(request, f"{added} {who} to the cohort now.")
        else:
            messages.info(request, "Nobody was added: whoever you ticked belongs to the cohort already.")
        return redirect("careleavers:cohort")
    people = outside.with_allocations(today).select_related("cohort_place")
    page = Paginator(people, PER_PAGE, exact=True).get_page(request.GET.get("page"))
    log_list(request, page)
    context = {"page_obj": page, "query": query, "deleted_on": _deleted_on(request, page, today)}
    return render(request, "careleavers/cohort_tick.html", context)


@manager
@require_POST
@transaction.atomic
def untick(request, pk):
    """Take a tick back that was a mistake."""
    person = person_or_404(request, pk)
    try:
        cohort.untick(care_leaver=person, by=request.user, at=clock.now())
        messages.success(request, f"{person.full_name} is no longer in the cohort.")
    except Refused as refusal:
        messages.error(request, str(refusal))
    return redirect(person_url("detail", person))


@council
@transaction.atomic
def offer(request, pk):
    """Record the next step of a person's cohort place: offered, or what they answered."""
    person = person_or_404(request, pk)
    back, place = person_url("detail", person), person.place
    states = cohort.next_states(place) if place and not person.has_died else ()
    if place is None or not states:
        messages.error(request, "There is no step to record: see “Cohort” on this page.")
        return redirect(back)
    form = CohortMoveForm(request.POST or None, states=states, cancel=back, initial={"on": clock.today()})
    if request.method == "POST" and form.is_valid():
        try:
            moved = cohort.move(care_leaver=person, **form.cleaned_data, by=request.user, at=clock.now())
        except Refused as refusal:
            form.add_error("on", str(refusal))
        else:
            messages.success(request, f"Recorded for {person.full_name}: {moved.get_state_display().lower()}.")
            return redirect(back)
    title = TITLES.get((place.state, states[0]), "Record the answer")
    context = {"form": form, "person": person, "title": title, "back_url": back}
    return render(request, "careleavers/cohort_move.html", context)


def _uuids(values: list[str]) -> list[UUID]:
    """Only what is an id: a changed form must not end in an error."""
    return [key for value in values if (key := uuid_or_none(value))]
