"""Pantries: list, page, add and change, weekly openings, closures, volunteers."""

from copy import copy

from django.contrib import messages
from django.db.models import Q
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from pantry import directory, roster
from pantry.forms.places import ClosureForm, EndHoursForm, HoursForm, PantryForm, VolunteerForm
from pantry.models import Pantry
from pantry.services import places
from pantry.views.answers import answers
from stockport_hubs.accounts.models import Role, User
from stockport_hubs.accounts.permissions import get_or_404, roles
from stockport_hubs.core import clock
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.pages import Paginator

READERS = (Role.PANTRY_MANAGER, Role.PERSONAL_ADVISOR, Role.LEAVING_CARE_MANAGER, Role.FINANCE_OFFICER)
PAGE = 25


@roles(*READERS)
def pantries(request):
    """Every pantry one may see: where, when, at what price, and whether there is room."""
    today, words = clock.today(), request.GET.get("q", "").strip()
    found = Pantry.objects.for_user(request.user)
    if words:
        found = found.filter(Q(name__icontains=words) | Q(address__icontains=words) | Q(postcode__icontains=words))
    page = Paginator(found.prefetch_related("opening_hours", "tariffs"), PAGE).get_page(request.GET.get("page"))
    manages = request.user.role == Role.PANTRY_MANAGER
    rows = [
        {
            "pantry": pantry,
            "openings": directory.openings_in_words(list(pantry.opening_hours.all()), today),
            "price": directory.in_force(directory.tariff_states(list(pantry.tariffs.all()), today)),
            "members": members,
            "room": directory.room(pantry.capacity, members),
        }
        for pantry, members in directory.with_members(page)
    ]
    context = {"page_obj": page, "rows": rows, "query": words, "manages": manages}
    return render(request, "pantry/pantry_list.html", context)


@roles(*READERS)
def pantry(request, pantry_id):
    """One pantry; its manager also sees numbers, volunteers and what to do next."""
    return _pantry(request, pantry_id)


def _pantry(request, pantry_id, form: VolunteerForm | None = None):
    today = clock.today()
    found = Pantry.objects.for_user(request.user).select_related("operator")
    [(shown, members)] = directory.with_members([get_or_404(found, pk=pantry_id)])
    manages = request.user.role == Role.PANTRY_MANAGER
    tariffs = directory.tariff_states(list(shown.tariffs.all()), today)
    context = {
        "pantry": shown,
        "manages": manages,
        "openings": directory.openings_in_words(list(shown.opening_hours.all()), today),
        "next_openings": directory.next_openings(shown, today),
        "price": directory.in_force(tariffs),
        "prices_to_come": [t for t in reversed(tariffs) if t.state == "to_come"],
        "prices_waiting": [t for t in reversed(tariffs) if t.state == "waiting"],
        "closures": shown.closures.filter(withdrawn_at__isnull=True, until_on__gte=today).order_by("from_on"),
        "bands": shown.bands.all(),
        "members": members,
        "room": directory.room(shown.capacity, members),
        "lists_members": request.user.role != Role.PERSONAL_ADVISOR,
        "list_tells": manages and roster.only_funded(found.filter(pk=shown.pk)).exists(),
        "staff": shown.staff.none(),
        "form": None,
    }
    if manages:
        still = Q(until_on__isnull=True) | Q(until_on__gte=today)
        context["staff"] = shown.staff.filter(still).select_related("user").order_by("user__name")
        context["form"] = form or VolunteerForm(pantry=shown, volunteers=User.objects.for_user(request.user))
    return render(request, "pantry/pantry_detail.html", context)


@roles(Role.PANTRY_MANAGER)
def pantry_add(request):
    """A new pantry of one's own organisation."""
    form = PantryForm(
        request.POST if request.method == "POST" else None,
        cancel=reverse("pantry:pantries"),
        instance=Pantry(operator=request.user.organisation),
    )
    if request.method == "POST" and form.is_valid():
        try:
            made = places.create_pantry(
                operator=request.user.organisation, by=request.user, at=clock.now(), **form.details()
            )
        except Refused as why:
            form.add_error(None, str(why))
        else:
            messages.success(request, f"{made} is added. Enter when it opens next.")
            return redirect("pantry:hours", made.pk)
    return render(request, "pantry/pantry_form.html", {"form": form, "pantry": None})


@roles(Role.PANTRY_MANAGER)
def pantry_edit(request, pantry_id):
    """Change a pantry's details, allowance and bands."""
    shown = get_or_404(Pantry.objects.for_user(request.user), pk=pantry_id)
    form = PantryForm(
        request.POST if request.method == "POST" else None,
        cancel=reverse("pantry:pantry", args=[shown.pk]),
        instance=copy(shown),  # what is typed and refused is not in the page's heading
    )
    if request.method == "POST" and form.is_valid():
        try:
            places.edit_pantry(pantry=shown, by=request.user, at=clock.now(), **form.details())
        except Refused as why:
            form.add_error(None, str(why))
        else:
            messages.success(request, "The pantry’s details are saved.")
            return redirect("pantry:pantry", shown.pk)
    return render(request, "pantry/pantry_form.html", {"form": form, "pantry": shown})


@roles(Role.PANTRY_MANAGER)
def hours(request, pantry_id):
    """Weekly openings: those that count, those to come, those that ended; add one."""
    shown, today = get_or_404(Pantry.objects.for_user(request.user), pk=pantry_id), clock.today()
    form = HoursForm(request.POST if request.method == "POST" else None, initial={"from_on": today})
    if request.method == "POST" and form.is_valid():
        try:
            places.set_hours(pantry=shown, by=request.user, at=clock.now(), **form.cleaned_data)
        except Refused as why:
            form.add_error(None, str(why))
        else:
            messages.success(request, "The opening is added.")
            return redirect("pantry:hours", shown.pk)
    listed = list(shown.opening_hours.all())
    context = {
        "pantry": shown,
        "form": form,
        "current": [h for h in listed if h.until_on is None or h.until_on >= today],
        "ended": [h for h in listed if h.until_on is not None and h.until_on < today],
        "today": today,
    }
    return render(request, "pantry/hours.html", context)


@roles(Role.PANTRY_MANAGER)
def hours_end(request, pantry_id, hours_id):
    """The last day of one weekly opening."""
    shown = get_or_404(Pantry.objects.for_user(request.user), pk=pantry_id)
    opening = get_or_404(shown.opening_hours.all(), pk=hours_id)
    form = EndHoursForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            places.end_hours(hours=opening, by=request.user, at=clock.now(), **form.cleaned_data)
        except Refused as why:
            form.add_error("until_on", str(why))
        else:
            messages.success(request, f"The opening counts until {form.cleaned_data['until_on']:%-d %B %Y}.")
            return redirect("pantry:hours", shown.pk)
    return render(request, "pantry/hours_end.html", {"pantry": shown, "opening": opening, "form": form})


@roles(Role.PANTRY_MANAGER)
def closures(request, pantry_id):
    """Closures of a pantry; announcing one shows first how many members' weeks move."""
    shown, today = get_or_404(Pantry.objects.for_user(request.user), pk=pantry_id), clock.today()
    form = ClosureForm(request.POST if request.method == "POST" else None)
    step = request.POST.get("step", "")
    if request.method == "POST" and step != "change" and form.is_valid():
        asked = {"pantry": shown, "by": request.user, "at": clock.now(), **form.cleaned_data}
        try:
            if step == "confirm":
                closure = places.announce_closure(**asked)
                messages.success(request, f"The closure is announced. {_moved(closure.members_moved)}")
                return redirect("pantry:closures", shown.pk)
            closure = places.preview_closure(**asked)
        except Refused as why:
            form.add_error(None, str(why))
        else:
            context = {
                "pantry": shown,
                "closure": closure,
                "days": (closure.until_on - closure.from_on).days + 1,
                "moved": _moved(closure.members_moved),
                "answers": answers(request),
            }
            return render(request, "pantry/closure_check.html", context)
    page = Paginator(shown.closures.select_related("announced_by"), PAGE).get_page(request.GET.get("page"))
    rows = [
        {"closure": c, "state": _closure_state(c, today), "can_withdraw": places.can_withdraw(c, today)} for c in page
    ]
    context = {"pantry": shown, "form": form, "page_obj": page, "rows": rows}
    return render(request, "pantry/closures.html", context)


def _moved(members: int) -> str:
    if not members:
        return "No paid week has to move."
    return (
        f"Paid weeks of {members:,} member{'' if members == 1 else 's'} move to the next open weeks. "
        "Nobody loses a week, and nothing is charged twice."
    )


def _closure_state(closure, today) -> tuple[str, str]:
    if closure.withdrawn_at:
        return "Withdrawn", "grey"
    if closure.until_on < today:
        return "Over", "grey"
    return ("To come", "blue") if closure.from_on > today else ("Closed now", "orange")


@roles(Role.PANTRY_MANAGER)
def closure_withdraw(request, pantry_id, closure_id):
    """Take back a closure that has not begun; asked first."""
    shown = get_or_404(Pantry.objects.for_user(request.user), pk=pantry_id)
    closure = get_or_404(shown.closures.all(), pk=closure_id)
    if request.method == "POST":
        try:
            places.withdraw_closure(closure=closure, by=request.user, at=clock.now())
        except Refused as why:
            messages.error(request, str(why))
        else:
            messages.success(request, "The closure is withdrawn. Sessions open on those days as usual.")
        return redirect("pantry:closures", shown.pk)
    consequence = (
        f"{shown} opens as usual from {closure.from_on:%-d %B %Y} to {closure.until_on:%-d %B %Y}. "
        "Paid weeks that were moved because of the closure stay on their new dates; members may shop in the opened "
        "weeks all the same."
    )
    context = {"pantry": shown, "consequence": consequence}
    return render(request, "pantry/closure_withdraw.html", context)


@roles(Role.PANTRY_MANAGER)
@require_POST
def staff_attach(request, pantry_id):
    """One of the organisation's volunteers works here from today."""
    shown = get_or_404(Pantry.objects.for_user(request.user), pk=pantry_id)
    form = VolunteerForm(request.POST, pantry=shown, volunteers=User.objects.for_user(request.user))
    if not form.is_valid():
        return _pantry(request, pantry_id, form)
    user = form.cleaned_data["user"]
    try:
        places.attach_volunteer(pantry=shown, user=user, from_on=clock.today(), by=request.user, at=clock.now())
    except Refused as why:
        messages.error(request, str(why))
    else:
        messages.success(request, f"{user} works at {shown} from today.")
    return redirect(_volunteers(shown))


@roles(Role.PANTRY_MANAGER)
@require_POST
def staff_detach(request, pantry_id, staff_id):
    """A volunteer no longer works here; their sign-in shows this pantry no more."""
    shown = get_or_404(Pantry.objects.for_user(request.user), pk=pantry_id)
    staff = get_or_404(shown.staff.select_related("user"), pk=staff_id)
    try:
        places.detach_volunteer(staff=staff, by=request.user, at=clock.now())
    except Refused as why:
        messages.error(request, str(why))
    else:
        messages.success(request, f"{staff.user} no longer works at {shown}. You can add them again below.")
    return redirect(_volunteers(shown))


def _volunteers(shown: Pantry) -> str:
    return f"{reverse('pantry:pantry', args=[shown.pk])}#volunteers"
