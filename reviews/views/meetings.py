"""Review meetings of both organisations: planned, prepared, held, minuted."""

from datetime import date

from django.contrib import messages
from django.db import transaction
from django.http import JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from pantry.models import FundingAgreement
from reviews import rules
from reviews.forms.barriers import ActionForm
from reviews.forms.meetings import InviteForm, MeetingForm, RhythmForm
from reviews.models import MeetingRhythm, ReviewMeeting, ReviewMeetingState, ReviewPack, YearlyReview
from reviews.services import meetings as services
from reviews.services import packs as packs_services
from reviews.services import yearly
from reviews.views.agenda import READ, WORK_ON, get_meeting, rows
from stockport_hubs.accounts.models import Role, User
from stockport_hubs.accounts.permissions import get_or_404, roles
from stockport_hubs.core import clock
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.keys import uuid_or_none
from stockport_hubs.core.pages import Paginator
from stockport_hubs.core.weeks import LONDON

ROWS = 25
MOST_AGREEMENTS = 10
MOVES = {  # the button, and what has happened then
    "agenda_out": ("Mark the agenda as out", "The agenda is out."),
    "held": ("Mark the meeting as held", "The meeting was held."),
    "minutes_agreed": ("Mark the minutes as agreed", "The minutes are agreed."),
}


@roles(*READ)
@require_safe
def meetings(request):
    """Meetings of one's agreements, the latest first."""
    found = ReviewMeeting.objects.for_user(request.user).select_related("agreement")
    can_plan = request.user.role in WORK_ON
    rhythms = _rhythms(request.user) if can_plan else []
    years = list(YearlyReview.objects.for_user(request.user).select_related("agreement").defer("content"))
    year_from = yearly.last_year(clock.today())
    counted = {each.agreement_id for each in years if each.year_from == year_from}
    context = {
        "page": Paginator(found, ROWS).get_page(request.GET.get("page")),
        "can_plan": can_plan,
        "rhythms": rhythms,
        "years": years,
        "to_count": [each for each, _, _ in rhythms if each.pk not in counted and yearly.ran_in(each, year_from)],
        "year_from": year_from,
    }
    return render(request, "reviews/meeting_list.html", context)


def _rhythms(user: User) -> list[tuple[FundingAgreement, MeetingRhythm | None, date | None]]:
    """How often the meetings of the agreements in force are, and the day proposed for the next."""
    today = clock.today()
    agreements = FundingAgreement.objects.for_user(user).in_force_on(today).order_by("-starts_on")
    return services.proposals(list(agreements[:MOST_AGREEMENTS]), today)


@roles(*WORK_ON)
@require_http_methods(["GET", "HEAD", "POST"])
def rhythm(request, agreement_id):
    """How often the meetings of an agreement are."""
    agreement = get_or_404(FundingAgreement.objects.for_user(request.user), pk=agreement_id)
    [(_, now, _)] = services.proposals([agreement], clock.today())
    back = reverse("reviews:meetings")
    given = {"weeks": now.weeks if now else 13, "from_on": clock.today()}
    form = RhythmForm(request.POST or None, cancel=back, initial=given)
    if request.method == "POST" and form.is_valid():
        try:
            services.set_rhythm(agreement=agreement, by=request.user, at=clock.now(), **form.cleaned_data)
        except Refused as why:
            form.add_error(None, str(why))
        else:
            messages.success(request, "Saved. The next meeting is proposed on this page.")
            return redirect(back)
    heading = f"How often are the meetings of {agreement.name}?"
    context = {"form": form, "heading": heading, "back": back, "back_text": "Review meetings", "nothing": False}
    return render(request, "reviews/meeting_form.html", context)


@roles(*WORK_ON)
@require_http_methods(["GET", "HEAD", "POST"])
def meeting_add(request):
    """Plan a meeting; the period is proposed."""
    agreements = FundingAgreement.objects.for_user(request.user)
    chosen = uuid_or_none(request.GET.get("agreement"))
    mine = ReviewMeeting.objects.for_user(request.user)
    latest = (mine.filter(agreement=chosen) if chosen else mine).select_related("agreement").first()
    agreement = latest.agreement if latest else agreements.filter(**({"pk": chosen} if chosen else {})).first()
    initial = _proposal(agreement, latest)
    back = reverse("reviews:meetings")
    form = MeetingForm(request.POST or None, user=request.user, cancel=back, initial=initial)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            made = services.plan(
                agreement=given["agreement"],
                starts_at=form.starts_at,
                where=given["where"],
                lasts_minutes=given["lasts_minutes"],
                period_from=given["period_from"],
                period_to=given["period_to"],
                by=request.user,
                at=clock.now(),
            )
        except Refused as why:
            form.add_error(None, str(why))
        else:
            messages.success(request, "The meeting is planned. Put on the list who is to come.")
            return redirect("reviews:meeting", made.pk)
    context = {"form": form, "heading": "Plan a review meeting", "back": back, "back_text": "Review meetings"}
    return render(request, "reviews/meeting_form.html", context | {"nothing": agreement is None})


def _proposal(agreement: FundingAgreement | None, latest: ReviewMeeting | None) -> dict:
    """What the form of a new meeting begins with: the rhythm's day, the last meeting's time and place."""
    on = services.proposals([agreement], clock.today())[0][2] if agreement else None
    first, last = rules.usual_period(on or clock.today(), latest.period_to if latest else None)
    given: dict[str, object] = {"period_from": first, "period_to": last}
    given |= {"agreement": agreement.pk if agreement else None, "on": on}
    if latest:
        starts = latest.starts_at.astimezone(LONDON).time()
        given |= {"starts": starts, "where": latest.where, "lasts_minutes": latest.lasts_minutes}
    return given


@roles(*WORK_ON)
@require_http_methods(["GET", "HEAD", "POST"])
def meeting_edit(request, meeting_id):
    """Another time, place or period."""
    shown = get_meeting(request, meeting_id)
    back = reverse("reviews:meeting", args=[shown.pk])
    starts = shown.starts_at.astimezone(LONDON)
    initial = {
        "on": starts.date(),
        "starts": starts.time(),
        "where": shown.where,
        "lasts_minutes": shown.lasts_minutes,
        "period_from": shown.period_from,
        "period_to": shown.period_to,
    }
    form = MeetingForm(request.POST or None, user=request.user, cancel=back, editing=True, initial=initial)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            services.edit(
                meeting=shown,
                starts_at=form.starts_at,
                where=given["where"],
                lasts_minutes=given["lasts_minutes"],
                period_from=given["period_from"],
                period_to=given["period_to"],
                by=request.user,
                at=clock.now(),
            )
        except Refused as why:
            form.add_error(None, str(why))
        else:
            messages.success(request, "Saved. Packs made before keep what they said.")
            return redirect(back)
    context = {"form": form, "heading": "Change the meeting", "back": back, "back_text": "The meeting"}
    return render(request, "reviews/meeting_form.html", context | {"nothing": False})


@roles(*READ)
@require_safe
@transaction.atomic
def meeting(request, meeting_id):
    """One meeting: when, who, its agenda, what was agreed, and its packs."""
    shown = get_meeting(request, meeting_id)
    attendance = list(shown.attendance.select_related("organisation"))
    packs = ReviewPack.objects.for_user(request.user).filter(meeting=shown).select_related("made_by")
    context = {
        "meeting": shown,
        "attendance": attendance,
        "rows": rows(request.user, shown),
        "actions": shown.actions.with_carrying().select_related("owner", "meeting"),
        "packs": packs.defer("figures", "pdf").order_by("-edition", "audience"),
        "moves": [(state, MOVES[state][0]) for state in rules.MEETING_MOVES[shown.state]],
        "can_work": request.user.role in WORK_ON,
        "can_edit": request.user.role in WORK_ON and shown.state in rules.EDITABLE,
        "can_list": request.user.role in WORK_ON and shown.state != ReviewMeetingState.MINUTES_AGREED,
        "back_to_work": False,
        "can_fill": request.user.role in WORK_ON and shown.state in rules.EDITABLE,
        "can_add": shown.state != ReviewMeetingState.MINUTES_AGREED,
        "jobs": packs_services.under_way(shown, request.user),
        "today": clock.today(),
        "is_manager": request.user.role == Role.LEAVING_CARE_MANAGER,
    }
    return render(request, "reviews/meeting_detail.html", context)


@roles(*WORK_ON)
@require_POST
def meeting_move(request, meeting_id):
    """The next state."""
    shown = get_meeting(request, meeting_id)
    state = request.POST.get("state", "")
    try:
        if state not in ReviewMeetingState:
            raise Refused("Choose what has happened with the meeting.")
        services.move(meeting=shown, state=state, by=request.user, at=clock.now())
    except Refused as why:
        messages.error(request, str(why))
    else:
        messages.success(request, MOVES[state][1])
    return redirect("reviews:meeting", shown.pk)


@roles(*WORK_ON)
@require_http_methods(["GET", "HEAD", "POST"])
def meeting_invite(request, meeting_id):
    """Put someone on the list."""
    shown = get_meeting(request, meeting_id)
    back = reverse("reviews:meeting", args=[shown.pk])
    form = InviteForm(request.POST or None, meeting=shown, cancel=back)
    if request.method == "POST" and form.is_valid():
        try:
            services.invite(meeting=shown, by=request.user, at=clock.now(), **form.cleaned_data)
        except Refused as why:
            form.add_error(None, str(why))
        else:
            messages.success(request, f"{form.cleaned_data['name']} is on the list.")
            return redirect(back)
    context = {"form": form, "heading": "Who is to come?", "back": back, "back_text": "The meeting", "nothing": False}
    return render(request, "reviews/meeting_form.html", context)


@roles(*WORK_ON)
@require_POST
def meeting_attendance(request, meeting_id):
    """Who came (came-ID = yes, no or empty), and who is taken off the list (remove = ID); the page's script asks for
    JSON."""
    by_script = request.headers.get("Accept", "").startswith("application/json")
    shown = get_meeting(request, meeting_id)
    remove = request.POST.get("remove", "")
    answers = {"yes": True, "no": False, "": None}
    try:
        for row in shown.attendance.select_related("meeting"):
            answer = request.POST.get(f"came-{row.pk}", "")
            if str(row.pk) == remove:
                services.uninvite(attendance=row, by=request.user, at=clock.now())
            elif not remove and answer in answers:
                services.mark_attendance(attendance=row, came=answers[answer], by=request.user, at=clock.now())
    except Refused as why:
        if by_script:
            return JsonResponse({"problem": str(why)}, status=400)
        messages.error(request, str(why))
    else:
        if by_script:
            return JsonResponse({"saved": "The list is saved."})
        messages.success(request, "Taken off the list." if remove else "The list is saved.")
    work = request.POST.get("then") == "work"
    return redirect(reverse("reviews:meeting_work" if work else "reviews:meeting", args=[shown.pk]) + "#people")


@roles(*WORK_ON)
@require_http_methods(["GET", "HEAD", "POST"])
def meeting_action(request, meeting_id):
    """Something the meeting asks someone to do."""
    shown = get_meeting(request, meeting_id)
    back = reverse("reviews:meeting", args=[shown.pk])
    both = {"council_id": shown.agreement.funder_id, "operator_id": shown.agreement.operator_id}
    form = ActionForm(request.POST or None, cancel=back, **both)
    if request.method == "POST" and form.is_valid():
        try:
            services.add_action(meeting=shown, by=request.user, at=clock.now(), **form.cleaned_data)
        except Refused as why:
            form.add_error(None, str(why))
        else:
            messages.success(request, "The action is added.")
            return redirect(back + "#actions")
    context = {"form": form, "heading": "Add an action", "back": back, "back_text": "The meeting", "nothing": False}
    return render(request, "reviews/meeting_form.html", context)
