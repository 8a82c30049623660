"""Today's sessions, who is in them, and the weekly collections."""

from datetime import date, datetime, time, timedelta
from urllib.parse import urlencode
from uuid import UUID, uuid4

from django.contrib import messages
from django.db import transaction
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from pantry import counter, roster
from pantry.forms.sessions import RecordForm, UsualForm, VoidForm
from pantry.models import Collection, Pantry, PantrySession, Visitor
from pantry.services import cards, collections, running, sessions
from stockport_hubs.accounts.models import Role, User
from stockport_hubs.accounts.permissions import get_or_404, roles
from stockport_hubs.audit import services as audit
from stockport_hubs.core import clock, weeks
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.keys import uuid_or_none
from stockport_hubs.core.middleware import with_camera
from stockport_hubs.core.money import pounds
from stockport_hubs.core.pages import Paginator

PAST = 25


@roles(Role.PANTRY_VOLUNTEER, Role.PANTRY_MANAGER)
@require_safe
def today(request):
    """The day's sessions at one's own pantries, the hour's own first; for pantry managers the past ones too."""
    on, hour = clock.today(), clock.now().astimezone(weeks.LONDON).time()
    days = sessions.overview(pantries=Pantry.objects.for_user(request.user), on=on)
    opened = [each for day in days for each in day.sessions]
    opened.sort(key=lambda each: (each.closes <= hour, each.opens > hour, each.opens, each.pantry.name))
    past = None
    if request.user.role == Role.PANTRY_MANAGER:
        before = PantrySession.objects.for_user(request.user).filter(on__lt=on).select_related("pantry")
        past = Paginator(before.order_by("-on", "pantry__name", "opens"), PAST).get_page(request.GET.get("page"))
    quiet = [day for day in days if not day.sessions]
    counts = roster.recorded_in([*opened, *(past or ()), *(day.last for day in quiet if day.last)])
    is_manager = request.user.role == Role.PANTRY_MANAGER
    context = {
        "to_sort_out": Visitor.objects.for_user(request.user).to_sort_out().count() if is_manager else 0,
        "on": on,
        "opened": [(each, counts[each.pk], _moment_of(each, hour)) for each in opened],
        "quiet": [(day, counts[day.last.pk] if day.last else 0) for day in quiet],
        "past": past,
        "past_rows": [(each, counts[each.pk]) for each in past or ()],
        "is_manager": is_manager,
    }
    return render(request, "pantry/today.html", context)


def _moment_of(session: PantrySession, hour: time) -> str:
    """now, later or earlier."""
    if hour < session.opens:
        return "later"
    return "now" if hour < session.closes else "earlier"


@roles(Role.PANTRY_VOLUNTEER, Role.PANTRY_MANAGER)
@require_safe
@transaction.atomic
@with_camera
def session(request, session_id):
    """A session's members as rows to tap, found by name or number; what was just recorded can be undone."""
    shown = session_or_404(request, session_id)
    on, query = clock.today(), request.GET.get("q", "").strip()[:60]
    if card := cards.look_up(query, operator_id=shown.pantry.operator_id):
        page, query = None, ""  # the box is empty for the next card
        members = roster.of_operator(shown).filter(pk=card.membership_id)
        rows = [roster.row_of(shown, member, by=request.user, today=on) for member in members]
    else:
        page = roster.page_of(shown, query, request.GET.get("page", ""))
        rows = roster.rows(shown, page, by=request.user, today=on)
        if other := roster.unlisted(shown, query):
            rows.append(roster.row_elsewhere(shown, other, by=request.user, today=on))
    _viewed(request, shown, [row.id for row in rows])
    context = {
        "session": shown,
        "on": on,
        "can_record": can_record_on(shown, request.user, on),
        "rows": [(row, uuid4()) for row in rows],
        "page": page,
        "query": query,
        "notes": running.notes_for(shown),
        "card": card,
        "scans": card is not None or request.GET.get("scan") == "1",
        "count": roster.recorded(shown),
        "just": _just_recorded(request, shown),
        "is_manager": request.user.role == Role.PANTRY_MANAGER,
    }
    return render(request, "pantry/session.html", context)


@roles(Role.PANTRY_VOLUNTEER, Role.PANTRY_MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
def record(request, session_id, membership_id):
    """One member: choose the number of items, or (the row's button) record the usual ones at once."""
    shown = session_or_404(request, session_id)
    on, now = clock.today(), clock.now()
    member = roster.member_of(shown, membership_id)
    if member is None:
        raise Http404
    back = _back(request, shown)
    if "usual" in request.POST:
        form: UsualForm | RecordForm = UsualForm(request.POST)
    else:
        form = RecordForm(request.POST or None, pantry=shown.pantry, cancel=back, initial={"key": uuid4()})
    refused = ""
    if request.method == "POST" and form.is_valid():
        try:
            made = collections.record(
                session=shown,
                membership=member,
                key=form.cleaned_data["key"],
                quantities=form.quantities,
                fruit_and_veg=form.fruit_and_veg,
                override=form.override,
                is_paid=form.is_paid,
                by=request.user,
                collected_at=now if shown.on == on else datetime.combine(shown.on, shown.opens, weeks.LONDON),
                at=now,
            )
        except Refused as why:
            refused = str(why)
        else:
            return redirect(_back(request, shown, recorded=made.pk, number=member.number))
    elif "usual" in request.POST:
        refused = "The form did not arrive whole. Go back to the session and try again."
    with transaction.atomic():
        row = roster.row_of(shown, member, by=request.user, today=on)
        _viewed(request, shown, [member.pk])
        if not refused and not row.may_shop:
            refused = f"Already collected this week. {row.collected.words}." if row.collected else row.words
        context = {"session": shown, "row": row, "back": back, "form": form, "refused": refused}
        if refused:
            status = 409 if request.method == "POST" else 200
            return render(request, "pantry/record_refused.html", context | {"form": None}, status=status)
        if isinstance(form, RecordForm) and row.to_pay_pence:
            form.to_pay = pounds(row.to_pay_pence)
        return render(request, "pantry/record.html", context | {"can_record": can_record_on(shown, request.user, on)})


@roles(Role.PANTRY_VOLUNTEER, Role.PANTRY_MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
def void(request, collection_id):
    """Undo a collection: in one tap from its session, otherwise with a reason."""
    mine = Collection.objects.for_user(request.user).select_related("session__pantry", "membership", "recorded_by")
    collection = get_or_404(mine, pk=collection_id)
    shown, number = collection.session, collection.membership.number
    back = _back(request, shown, number=number)
    form = VoidForm(request.POST if request.method == "POST" and "undo" not in request.POST else None, cancel=back)
    refused = ""
    if request.method == "POST" and ("undo" in request.POST or form.is_valid()):
        reason = collections.UNDONE if "undo" in request.POST else form.said
        try:
            collections.void(collection=collection, reason=reason, by=request.user, at=clock.now())
        except Refused as why:
            refused = str(why)
        else:
            messages.success(request, f"Undone for number {number}. The week is free again.")
            return redirect(back)
    if not refused and collection.voided_at:
        refused = "This collection has already been undone."
    if not refused and not collections.can_void(collection, by=request.user, on=clock.today()):
        try:
            collections.check_can_void(collection, by=request.user, on=clock.today())
        except Refused as why:
            refused = str(why)
    with transaction.atomic():
        _viewed(request, shown, [collection.membership_id])
        context = {
            "session": shown,
            "number": number,
            "words": collections.said(collection, clock.today()),
            "back": back,
            "form": None if refused else form,
            "refused": refused,
        }
        status = 409 if refused and request.method == "POST" else 200
        return render(request, "pantry/void.html", context, status=status)


def session_or_404(request, session_id) -> PantrySession:
    """One's own session, with its pantry."""
    found = sessions.open_to(request.user, session_id, today=clock.today())
    if found is None:
        raise Http404
    return found


def can_record_on(shown: PantrySession, user: User, on: date) -> bool:
    """Today's session; for pantry managers also those of the last four weeks."""
    first = on - timedelta(days=counter.LATE_DAYS if user.role == Role.PANTRY_MANAGER else 0)
    return first <= shown.on <= on


def _viewed(request, shown: PantrySession, members: list[UUID]) -> None:
    """No log, no data: who was shown, in the transaction of showing them."""
    subjects = [(audit.MEMBERSHIP, key) for key in members]
    audit.record("pantry.session.viewed", at=clock.now(), by=request.user, target=shown, subjects=subjects)


def _back(request, shown: PantrySession, *, recorded: UUID | None = None, number: int | None = None) -> str:
    """The session page as it was searched and paged, at the member's row; ready for the next card where one was."""
    query, page, scan = (request.POST.get(name) or request.GET.get(name, "") for name in ("q", "page", "scan"))
    kept = {"q": query[:60], "page": page if page.isdecimal() else "", "recorded": recorded or ""}
    kept["scan"] = "1" if scan == "1" else ""
    query = urlencode({name: value for name, value in kept.items() if value})
    url = reverse("pantry:session", args=[shown.pk]) + (f"?{query}" if query else "")
    return f"{url}#member-{number}" if number else url


def _just_recorded(request, shown: PantrySession) -> Collection | None:
    """The collection this page comes back from, while it counts."""
    key = uuid_or_none(request.GET.get("recorded"))
    if key is None:
        return None
    mine = Collection.objects.for_user(request.user).counted().filter(session=shown, pk=key)
    return mine.select_related("membership").prefetch_related("items__band").first()
