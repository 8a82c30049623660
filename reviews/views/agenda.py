"""The agenda of a meeting, and the page on which it is worked through while both organisations sit together."""

from dataclasses import dataclass
from uuid import uuid4

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from careleavers.models import CareLeaver
from reviews import agenda
from reviews.forms.agenda import AddForm, ItemForm, initial
from reviews.models import Action, AgendaItem, AgendaKind, AgendaState, Barrier, ReviewMeeting, ReviewMeetingState
from reviews.rules import EDITABLE
from reviews.services import agenda as services
from reviews.services.barriers import owners
from reviews.services.minutes import said_carried
from reviews.wording import LooksLikeAName
from stockport_hubs.accounts.models import Role, User
from stockport_hubs.accounts.permissions import get_or_404, roles
from stockport_hubs.audit import services as audit
from stockport_hubs.core import clock
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.short_choices import MOST
from stockport_hubs.core.weeks import LONDON

READ = (Role.PERSONAL_ADVISOR, Role.LEAVING_CARE_MANAGER, Role.PANTRY_MANAGER)
WORK_ON = (Role.LEAVING_CARE_MANAGER, Role.PANTRY_MANAGER)
BARRIERS_SHOWN = 25
BOTH = ("agreement__funder", "agreement__operator")


@dataclass
class Row:
    """One item as this reader sees it."""

    item: AgendaItem
    url: str
    person: CareLeaver | None
    carried: str
    action: Action | None
    form: ItemForm | None = None
    theirs: AgendaItem | None = None  # what somebody else saved meanwhile
    is_open: bool = False  # unfolded on the page to work through


def get_meeting(request, meeting_id) -> ReviewMeeting:
    """The meeting, or 404."""
    found = ReviewMeeting.objects.for_user(request.user)
    return get_or_404(found.select_related(*BOTH, "planned_by"), pk=meeting_id)


def rows(user: User, meeting: ReviewMeeting) -> list[Row]:
    """Every item of a meeting, and the audit row of whom it shows; in a transaction. Five queries at most."""
    found = AgendaItem.objects.for_user(user).filter(meeting=meeting)
    items = list(found.select_related("owner__organisation", "saved_by", "added_by"))
    people = agenda.names(items, user)
    sources = [each.source for each in items if each.kind == AgendaKind.ACTION]
    actions = Action.objects.for_user(user).in_bulk(sources) if sources else {}
    shown = [(audit.CARE_LEAVER, person.pk) for person in people.values()]
    if not user.is_council:
        shown = [(audit.MEMBERSHIP, each.membership_id) for each in items if each.membership_id]
    if shown:
        audit.record("reviews.agenda.viewed", at=clock.now(), by=user, target=meeting, subjects=shown)
    made = []
    for each in items:
        person, action = people.get(each.membership_id) if each.membership_id else None, actions.get(each.source)
        made.append(Row(each, _url(each, user, person, action), person, said_carried(each), action))
    return made


def _url(item: AgendaItem, user: User, person: CareLeaver | None, action: Action | None) -> str:
    """Where the item came from, as far as this reader may go there."""
    manages = user.role in WORK_ON
    match item.kind:
        case AgendaKind.ACTION if action and action.barrier_id and manages:
            return reverse("reviews:barrier", args=[action.barrier_id])
        case AgendaKind.ACTION if action and action.meeting_id:
            return reverse("reviews:meeting", args=[action.meeting_id])
        case AgendaKind.DISAGREEMENT:
            return reverse("reviews:disagreement", args=[item.source])
        case AgendaKind.HOLD if manages:
            return reverse("pantry:renewal", args=[item.source]) if item.membership_id else reverse("pantry:renewals")
        case AgendaKind.LAPSE if person:
            return reverse("careleavers:detail", args=[person.pk])
        case AgendaKind.LAPSE if manages:
            return (
                reverse("pantry:member", args=[item.membership_id])
                if item.membership_id
                else reverse("reviews:figures")
            )
        case AgendaKind.BARRIER if manages:
            return reverse("reviews:barrier", args=[item.source])
        case AgendaKind.PEOPLE if user.is_council:
            return reverse("reviews:barriers")
        case AgendaKind.CLOSURE:
            return reverse("pantry:pantry", args=[item.pantry_id])
    return ""


def _people(meeting: ReviewMeeting) -> list[User]:
    """Whom a decision can be given to, managers first; no more than a select has room for."""
    both = {"council_id": meeting.agreement.funder_id, "operator_id": meeting.agreement.operator_id}
    return list(owners(**both).order_by("role", "name")[:MOST])


@roles(*WORK_ON)
@require_safe
@transaction.atomic
def meeting_work(request, meeting_id):
    """Every item with its form, who is there, and how to go on."""
    return _work(request, get_meeting(request, meeting_id))


def _work(request, meeting: ReviewMeeting, bound: ItemForm | None = None, theirs: AgendaItem | None = None):
    shown, people = rows(request.user, meeting), _people(meeting)
    can_write = meeting.state != ReviewMeetingState.MINUTES_AGREED
    asked = str(bound.item.pk) if bound else request.GET.get("item", "")
    first = next((str(row.item.pk) for row in shown if row.item.state == AgendaState.OPEN), "")
    for row in shown:
        row.is_open = not can_write or str(row.item.pk) == (asked or first)
        if bound is not None and bound.item.pk == row.item.pk:
            row.form, row.theirs = bound, theirs
        elif can_write:
            is_done = bool(row.action and row.action.done_on)
            given = initial(row.item, is_done=is_done) | {"key": uuid4()}
            row.form = ItemForm(item=row.item, people=people, initial=given)
    context = {
        "meeting": meeting,
        "rows": shown,
        "form": bound,
        "attendance": meeting.attendance.select_related("organisation"),
        "can_write": can_write,
        "can_list": can_write,
        "can_fill": meeting.state in EDITABLE,
        "left": sum(1 for row in shown if row.item.state == AgendaState.OPEN),
        "back_to_work": True,
        "of_people": _of_people(request.user, meeting),
        "today": clock.today(),
    }
    return render(request, "reviews/meeting_work.html", context)


def _of_people(user: User, meeting: ReviewMeeting) -> list[Barrier]:
    """For the Leaving Care Team alone: young people's open barriers, the newest first. The minutes never hold them."""
    if not user.is_council:
        return []
    found = Barrier.objects.for_user(user).filter(
        council=meeting.agreement.funder_id, care_leaver__isnull=False, closed_on__isnull=True
    )
    shown = list(found.select_related("care_leaver", "owner").order_by("-raised_on", "-pk")[:BARRIERS_SHOWN])
    if shown:
        people = [(audit.CARE_LEAVER, each.care_leaver_id) for each in shown]
        audit.record("reviews.barriers.viewed", at=clock.now(), by=user, subjects=people)
    return shown


def _item(request, item_id) -> AgendaItem:
    found = AgendaItem.objects.for_user(request.user)
    return get_or_404(found.select_related("owner__organisation", *(f"meeting__{name}" for name in BOTH)), pk=item_id)


@roles(*WORK_ON)
@require_POST
def agenda_item(request, item_id):
    """Save what was said of an item: asked for as JSON by the page's script, as a page without it."""
    item = _item(request, item_id)
    by_script = request.headers.get("Accept", "").startswith("application/json")
    form = ItemForm(request.POST, item=item, people=_people(item.meeting))
    theirs = None
    if form.is_valid():
        given = form.cleaned_data
        try:
            saved = services.save(
                item=item,
                key=given["key"],
                version=given["version"],
                said=form.said,
                by=request.user,
                at=clock.now(),
            )
        except services.ChangedMeanwhile as why:
            if by_script:
                return JsonResponse({"problem": str(why), "theirs": _as_typed(why.item)}, status=409)
            theirs = why.item
            form.data = {**request.POST.dict(), "version": str(theirs.version), "key": str(uuid4())}  # again: meant
            form.add_error(None, str(why))
        except LooksLikeAName as why:
            form.add_error("names_nobody", str(why))
        except Refused as why:
            form.add_error(None, str(why))
        else:
            if by_script:
                return JsonResponse({"version": saved.version, "state": saved.state, "saved": _saved(saved)})
            messages.success(request, f"Saved: {saved.title}")
            return redirect(f"{reverse('reviews:meeting_work', args=[item.meeting_id])}?item={item.pk}#item-{item.pk}")
    if by_script:
        problems = [str(error) for errors in form.errors.values() for error in errors]
        return JsonResponse({"problem": " ".join(problems), "fields": list(form.errors)}, status=400)
    with transaction.atomic():
        return _work(request, item.meeting, form, theirs)


def _saved(item: AgendaItem) -> str:
    when = item.saved_at.astimezone(LONDON) if item.saved_at else None
    return f"Saved at {when:%H:%M} by {item.saved_by.name}" if when and item.saved_by else ""


def _as_typed(item: AgendaItem) -> dict[str, str]:
    """What is saved now, as the form's fields would hold it."""
    due = item.due_on
    parts = {f"due_on_{part}": str(getattr(due, part)) if due else "" for part in ("day", "month", "year")}
    owner = str(item.owner_id) if item.owner_id else ""
    said = {"state": item.state, "discussion": item.discussion, "decision": item.decision, "owner": owner}
    return said | parts | {"version": str(item.version)}


@roles(*WORK_ON)
@require_POST
def agenda_fill(request, meeting_id):
    """Bring the agenda up to date now; it does so by itself every hour."""
    shown = get_meeting(request, meeting_id)
    try:
        changed = services.fill(meeting=shown, by=request.user, at=clock.now())
    except Refused as why:
        messages.error(request, str(why))
    else:
        said = f"{changed} item{'' if changed == 1 else 's'} changed" if changed else "nothing has changed"
        messages.success(request, f"The agenda is up to date: {said}.")
    return redirect(_back(request, shown))


def _back(request, meeting: ReviewMeeting, anchor: str = "#agenda") -> str:
    """Where somebody came from: the page to work through, or the meeting."""
    name = "reviews:meeting_work" if request.POST.get("then") == "work" else "reviews:meeting"
    return reverse(name, args=[meeting.pk]) + anchor


@roles(*READ)
@require_http_methods(["GET", "HEAD", "POST"])
def agenda_add(request, meeting_id):
    """Something anyone of both organisations wants to talk about."""
    shown = get_meeting(request, meeting_id)
    work = request.GET.get("then") == "work" and request.user.role in WORK_ON
    back = reverse("reviews:meeting_work" if work else "reviews:meeting", args=[shown.pk])
    form = AddForm(request.POST or None, cancel=back)
    if request.method == "POST" and form.is_valid():
        try:
            services.add(meeting=shown, by=request.user, at=clock.now(), **form.cleaned_data)
        except LooksLikeAName as why:
            form.add_error("names_nobody", str(why))
        except Refused as why:
            form.add_error(None, str(why))
        else:
            messages.success(request, "It is on the agenda.")
            return redirect(back + "#agenda")
    context = {"form": form, "heading": "Add to the agenda", "back": back, "back_text": "The meeting"}
    return render(request, "reviews/meeting_form.html", context | {"nothing": False})


@roles(*READ)
@require_POST
def agenda_remove(request, item_id) -> HttpResponse:
    """Take back what one has added; managers anyone's."""
    item = _item(request, item_id)
    try:
        if request.user.role not in WORK_ON and item.added_by_id != request.user.pk:
            raise Refused("Somebody else put this on the agenda. Ask them, or a manager, to take it off.")
        services.remove(item=item, by=request.user, at=clock.now())
    except Refused as why:
        messages.error(request, str(why))
    else:
        messages.success(request, "Taken off the agenda.")
    return redirect(_back(request, item.meeting))
