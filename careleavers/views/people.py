"""Young people: list, add, one person's page, edit."""

from django.contrib import messages
from django.db import transaction
from django.shortcuts import redirect, render
from django.urls import reverse

from careleavers import rules, wellbeing
from careleavers.forms import FilterForm, PersonForm, person_url
from careleavers.models import CareLeaver
from careleavers.services import cohort, letters, people, sharing
from careleavers.views.doors import PER_PAGE, council, log_list, person_or_404
from careleavers.views.letters import row as letter_row
from stockport_hubs.accounts.models import Role
from stockport_hubs.core import clock, needs
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.pages import Paginator
from stockport_hubs.core.weeks import age_on

OPENINGS, LETTERS = 5, 10  # shown on a person's page


def found_people(request, user, today):
    """(people of this user that fit the search and filters of the address, filter form, search words, is filtered)."""
    filters, query = FilterForm(request.GET, user=user), request.GET.get("q", "").strip()
    chosen = filters.cleaned_data if filters.is_valid() else {}
    found = CareLeaver.objects.for_user(user).search(query)
    match chosen.get("show"):
        case "waiting_for_name":
            found = found.waiting_for_name()
        case "to_allocate":
            found = found.to_allocate(today)
        case "cohort":
            found = found.filter(cohort_place__isnull=False)
        case "not_cohort":
            found = found.living().outside_cohort()
        case "wellbeing":
            found = found.wellbeing_due(today)
    if advisor := chosen.get("advisor"):
        found = found.with_advisor(advisor, today)
    return found, filters, query, bool(query or any(chosen.values()))


@council
@transaction.atomic
def people_list(request):
    """The young people this user may see, with search and filters."""
    today = clock.today()
    found, filters, query, is_filtered = found_people(request, request.user, today)
    people = found.with_allocations(today).select_related("cohort_place")
    page = Paginator(people, PER_PAGE, chosen_once=is_filtered).get_page(request.GET.get("page"))
    log_list(request, page)
    return render(
        request,
        "careleavers/person_list.html",
        {
            "page_obj": page,
            "rows": [_row(person, request.user, today) for person in page],
            "filters": filters,
            "query": query,
            "is_filtered": is_filtered,
            "is_manager": request.user.role == Role.LEAVING_CARE_MANAGER,
            "allocating": request.GET.get("show") == "to_allocate",
        },
    )


def _row(person: CareLeaver, user, today) -> dict:
    advisors = [row.advisor for row in person.allocated]
    return {
        "person": person,
        "age": age_on(person.born_on, today),
        "advisors": ", ".join(advisor.name for advisor in advisors),
        "is_cover": user.role == Role.PERSONAL_ADVISOR and user not in advisors,
    }


@council
@transaction.atomic
def person_add(request):
    """Add a young person; an advisor's own from today on."""
    form = PersonForm(request.POST or None, user=request.user, today=clock.today(), cancel=reverse("careleavers:list"))
    if request.method == "POST" and form.is_valid():
        try:
            added = people.add(
                council=request.user.organisation,
                advisor=form.cleaned_data.get("advisor"),
                by=request.user,
                at=clock.now(),
                **form.facts(),
            )
        except Refused as refusal:
            form.add_error("reference", str(refusal))
        else:
            messages.success(request, f"{added.full_name} has been added.")
            return redirect("careleavers:detail", added.pk)
    return render(request, "careleavers/person_add.html", {"form": form, "twins": _twins(request, form)})


@council
@transaction.atomic
def person_edit(request, pk):
    """Change facts about a young person."""
    person = person_or_404(request, pk)
    back = person_url("detail", person)
    form = PersonForm(request.POST or None, instance=person, user=request.user, today=clock.today(), cancel=back)
    if request.method == "POST" and form.is_valid():
        try:
            changed = people.edit(care_leaver=person, by=request.user, at=clock.now(), **form.facts())
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, "The changes have been saved." if changed else "Nothing was changed.")
            return redirect(back)
    context = {"form": form, "person": person, "twins": _twins(request, form), "back_url": back}
    return render(request, "careleavers/person_edit.html", context)


def _twins(request, form) -> dict:
    """People who may be the same one: those this user may see by name, the others only as a hint to ask."""
    ids = [twin.pk for twin in form.twins]
    visible = list(CareLeaver.objects.for_user(request.user).filter(pk__in=ids)) if ids else []
    log_list(request, visible)
    return {"visible": visible, "hidden": len(ids) > len(visible)}


@council
@transaction.atomic
def person_detail(request, pk):
    """Everything about one young person on one page."""
    person, today = person_or_404(request, pk), clock.today()
    agreement = sharing.current(person, today)
    place = person.place
    return render(
        request,
        "careleavers/person_detail.html",
        {
            "person": person,
            "facts": facts(person, today),
            "contact": contact(person),
            "allocations": person.allocations.select_related("advisor").order_by("-from_on"),
            "covers": person.covers.select_related("advisor").filter(until_on__gte=today).order_by("from_on"),
            "agreement": agreement,
            "shared_items": [needs.words(item.kind, item.value) for item in agreement.items.all()] if agreement else [],
            **_no_agreement(person, agreement),
            "corrections": person.death_corrections.select_related("corrected_by").order_by("corrected_at"),
            "place": place,
            "moves": place.moves.select_related("by") if place else [],
            "next_states": cohort.next_states(place) if place and not person.has_died else (),
            "wellbeing": wellbeing.panel(person, today, agrees=agreement is not None),
            **_letters(person),
            "spoken": person.conversations.filter(taken_back_at=None).select_related("by").first(),
            "openings": person.openings.select_related("advisor")[:OPENINGS],
            "is_manager": request.user.role == Role.LEAVING_CARE_MANAGER,
            "today": today,
        },
    )


def _letters(person: CareLeaver) -> dict:
    choice, now = person.letter_choices.select_related("recorded_by").first(), clock.now()
    return {
        "letter_choice": choice,
        "may_not": letters.why_not(person, choice),
        "letters": [letter_row(each, now) for each in person.letters.all()[:LETTERS]],
    }


def _no_agreement(person: CareLeaver, agreement) -> dict:
    """Why none holds today: the latest was withdrawn, or has run out."""
    latest = None if agreement else person.sharing_agreements.select_related("withdrawn_by").first()
    return {
        "withdrawn": latest if latest and latest.withdrawn_on else None,
        "run_out": latest if latest and not latest.withdrawn_on else None,
    }


def facts(person: CareLeaver, today) -> list[dict]:
    """What a page says about somebody: rows of a summary."""
    ends = rules.support_ends_on(person.born_on)
    suitable = {True: " (suitable)", False: " (not suitable)", None: ""}[person.accommodation_suitable]
    rows = [
        ("Reference", person.reference),
        ("Date of birth", f"{_day(person.born_on)} (age {age_on(person.born_on, today)})"),
        ("Support ends", f"{_day(ends)}, the 25th birthday"),
        ("Eligibility", person.get_eligibility_display()),
        ("Team", person.team or "Not recorded"),
        ("In touch", person.get_in_touch_display() or "Not recorded"),
        ("Accommodation", person.get_accommodation_display() + suitable),
        ("Last pathway plan review", _day(person.pathway_plan_review_on) or "Not recorded"),
    ]
    if person.died_on:
        rows.insert(2, ("Died", _day(person.died_on)))
    return [{"label": label, "value": value} for label, value in rows]


def contact(person: CareLeaver) -> list[dict]:
    """How to reach somebody; an address that is kept safe is on no page."""
    address = ", ".join(part for part in (person.address, person.postcode) if part)
    if person.is_safe_address:
        address = "Kept safe: not shown on any page, list or file"
    rows = [("Phone", person.phone), ("Email address", person.email), ("Address", address)]
    return [{"label": label, "value": value or "Not recorded"} for label, value in rows]


def _day(day) -> str:
    return f"{day.day} {day:%B %Y}" if day else ""
