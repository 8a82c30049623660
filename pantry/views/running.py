"""Running a pantry: the rota, notes for volunteers, the summary of a session."""

from django.contrib import messages
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from pantry import directory, summary
from pantry.forms.running import DutyForm, NoteForm
from pantry.models import Duty, Note, Pantry
from pantry.services import running
from pantry.views.sessions import session_or_404
from stockport_hubs.accounts.models import Role, User
from stockport_hubs.accounts.permissions import get_or_404, roles
from stockport_hubs.core import clock
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.money import pounds
from stockport_hubs.core.pages import Paginator

PAGE = 25
SHOWN = 12  # openings of the rota


@roles(Role.PANTRY_MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
def rota(request, pantry_id):
    """Who is down for the next openings of a pantry; put somebody down."""
    pantry, today = get_or_404(Pantry.objects.for_user(request.user), pk=pantry_id), clock.today()
    openings = directory.next_openings(pantry, today, SHOWN)
    form = DutyForm(
        request.POST or None, pantry=pantry, openings=openings, volunteers=User.objects.for_user(request.user)
    )
    if request.method == "POST" and form.is_valid():
        on, opens, user = form.chosen
        try:
            running.put_down(pantry=pantry, on=on, opens=opens, user=user, by=request.user, at=clock.now())
        except Refused as why:
            form.add_error(None, str(why))
        else:
            messages.success(request, f"{user} is down for {on:%A} {on.day} {on:%B}, {opens:%H:%M}.")
            return redirect("pantry:rota", pantry.pk)
    down = running.down_for(pantry, {each.on for each in openings})
    context = {
        "pantry": pantry,
        "form": form,
        "has_volunteers": form.fields["user"].queryset.exists(),
        "rows": [(each, down.get((each.on, each.opens), [])) for each in openings],
    }
    return render(request, "pantry/rota.html", context)


@roles(Role.PANTRY_MANAGER)
@require_POST
def rota_remove(request, duty_id):
    """Take somebody off a session."""
    duty = get_or_404(Duty.objects.for_user(request.user).select_related("pantry", "user"), pk=duty_id)
    try:
        running.take_off(duty=duty, by=request.user, at=clock.now())
    except Refused as why:
        messages.error(request, str(why))
    else:
        messages.success(request, f"{duty.user} is not down for {duty.on:%A} {duty.on.day} {duty.on:%B} any more.")
    return redirect("pantry:rota", duty.pantry_id)


@roles(Role.PANTRY_VOLUNTEER)
@require_safe
def my_rota(request):
    """The sessions a volunteer is down for, and who else comes, by first name."""
    return render(request, "pantry/my_rota.html", {"turns": running.turns_of(request.user, clock.today())})


@roles(Role.PANTRY_MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
def notes(request, pantry_id):
    """What volunteers are told on the session page; write and take down."""
    pantry, today = get_or_404(Pantry.objects.for_user(request.user), pk=pantry_id), clock.today()
    form = NoteForm(request.POST or None, initial={"from_on": today})
    if request.method == "POST" and form.is_valid():
        try:
            running.write_note(pantry=pantry, by=request.user, at=clock.now(), **form.cleaned_data)
        except Refused as why:
            form.add_error(None, str(why))
        else:
            messages.success(request, "The note is added. Volunteers read it on the session page.")
            return redirect("pantry:notes", pantry.pk)
    mine = Note.objects.for_user(request.user).filter(pantry=pantry).select_related("written_by", "removed_by")
    page = Paginator(mine.order_by("-from_on", "-written_at"), PAGE).get_page(request.GET.get("page"))
    context = {"pantry": pantry, "form": form, "page": page, "rows": [(each, _state(each, today)) for each in page]}
    return render(request, "pantry/notes.html", context)


def _state(note: Note, today) -> tuple[str, str]:
    if note.removed_at:
        return "Taken down", "grey"
    if note.until_on and note.until_on < today:
        return "Over", "grey"
    return ("To come", "blue") if note.from_on > today else ("Shown", "green")


@roles(Role.PANTRY_MANAGER)
@require_POST
def note_remove(request, note_id):
    """Take a note down."""
    note = get_or_404(Note.objects.for_user(request.user), pk=note_id)
    try:
        running.take_down_note(note=note, by=request.user, at=clock.now())
    except Refused as why:
        messages.error(request, str(why))
    else:
        messages.success(request, "The note is taken down.")
    return redirect("pantry:notes", note.pantry_id)


@roles(Role.PANTRY_VOLUNTEER, Role.PANTRY_MANAGER)
@require_safe
def session_summary(request, session_id):
    """What a session came to, in numbers; to be printed."""
    shown = session_or_404(request, session_id)
    found = summary.of(shown)
    lines = [
        ("Collections", found.collections),
        ("Items", found.items),
        *((f"Items: {name}", n) for name, n in found.by_band),
        ("With fruit and veg", found.fruit_and_veg),
        ("First visits", found.first_visits),
        ("Paid at the counter", f"{found.paid}, {pounds(found.paid_pence)}"),
        ("Not paid", found.not_paid),
        ("Members of other pantries", found.of_other_pantries),
        ("Entered late", found.late),
        ("Undone", found.undone),
        ("Visitors", found.visitors),
        ("Visitors to sort out", found.visitors_to_sort_out),
    ]
    return render(request, "pantry/session_summary.html", {"session": shown, "on": clock.today(), "lines": lines})
