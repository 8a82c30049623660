"""What the council does about a member it introduced, each on a page of its own."""

from collections.abc import Callable

from django.contrib import messages
from django.db import transaction
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from referrals import forms, nearest, pantries, services
from referrals.models import Referral
from referrals.services.members import check_can_follow_up, member_of
from referrals.views import doors
from stockport_hubs.accounts.permissions import get_or_404, roles
from stockport_hubs.core import clock
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.money import pounds


@roles(*doors.COUNCIL)
@transaction.atomic
def pause(request, referral_id):
    """Pause, with a reason for the council alone."""
    referral = _referral(request, referral_id)
    form = forms.PauseForm(request.POST or None, cancel=doors.page(referral), initial={"on": clock.today()})

    def act() -> str:
        services.pause(referral=referral, **form.cleaned_data, by=request.user, at=clock.now())
        return f"Paused. The weeks that are paid for wait until {referral.care_leaver} is back."

    lead = "While a membership is paused, no week is used and nothing is renewed."
    return _ask(request, referral, form, act, title="Pause", lead=lead)


@roles(*doors.COUNCIL)
@transaction.atomic
def resume(request, referral_id):
    """End a pause."""
    referral = _referral(request, referral_id)
    form = forms.BackForm(request.POST or None, cancel=doors.page(referral), initial={"on": clock.today()})

    def act() -> str:
        services.resume(referral=referral, **form.cleaned_data, by=request.user, at=clock.now())
        return f"{referral.care_leaver} can shop again, and the weeks that waited follow."

    lead = "The weeks that waited are dated onto the next weeks in which the pantry opens."
    return _ask(request, referral, form, act, title="Resume", lead=lead)


@roles(*doors.COUNCIL)
@transaction.atomic
def leave(request, referral_id):
    """They leave or move away: the page after the form shows what is credited, before anything is done."""
    referral = _referral(request, referral_id)
    form = forms.LeaveForm(request.POST or None, cancel=doors.page(referral), initial={"on": clock.today()})
    said = {}

    def act() -> str:
        pence = services.leave(referral=referral, **form.cleaned_data, by=request.user, at=clock.now())
        said["sure"] = f"{_credited(pence)} An ended membership is not opened again: they can be introduced anew."
        return f"The membership has ended. {_credited(pence)}"

    lead = "Weeks that begin after the last day are credited. The next page shows how much."
    return _ask(request, referral, form, act, title="End the membership", lead=lead, said=said)


@roles(*doors.COUNCIL)
@transaction.atomic
def move(request, referral_id):
    """They move to another pantry of the same operator."""
    referral, today = _referral(request, referral_id), clock.today()
    where, member = nearest.of_person(referral.care_leaver), referral.membership
    there = pantries.to_move_to(member, request.user, today, where.position) if member else []
    form: forms.MoveForm = forms.MoveForm(request.POST or None, pantries=there, on=today, cancel=doors.page(referral))

    def act() -> str:
        place = services.move(referral=referral, **form.answers, by=request.user, at=clock.now())
        return f"They shop at {place.pantry} from the week of {place.from_week:%-d %B %Y}."

    lead = "Weeks that are paid for move with them, at their price. You can undo it until that week begins."
    if not there:
        lead = "No other pantry of this organisation is paid for by an agreement. Ask your leaving care manager."
    return _ask(request, referral, form if there else None, act, title="Move to another pantry", lead=lead)


@roles(*doors.COUNCIL)
@require_POST
@transaction.atomic
def move_take_back(request, referral_id):
    """Undo a move that has not begun."""
    referral = get_or_404(doors.mine(request), pk=referral_id)
    return _do(
        request,
        referral,
        lambda: services.take_back_move(referral=referral, by=request.user, at=clock.now()),
        "The move is undone.",
    )


@roles(*doors.COUNCIL)
@require_POST
@transaction.atomic
def renewal(request, referral_id):
    """Say that the next block is not wanted, or take that back."""
    referral, stop = get_or_404(doors.mine(request), pk=referral_id), request.POST.get("stop") == "yes"
    said = (
        "The next block is not bought by itself: a manager decides." if stop else "The next block is decided as usual."
    )
    return _do(
        request,
        referral,
        lambda: services.stop_renewal(referral=referral, stop=stop, by=request.user, at=clock.now()),
        said,
    )


@roles(*doors.COUNCIL)
@transaction.atomic
def follow_up(request, referral_id):
    """What was found out about someone who was accepted and never came."""
    referral = _referral(request, referral_id)
    form = forms.FollowUpForm(request.POST or None, cancel=doors.page(referral))
    said = {}

    def act() -> str:
        made, pence = services.follow_up(referral=referral, **form.cleaned_data, by=request.user, at=clock.now())
        if made.outcome == made.Outcome.WILL_NOT_COME:
            said["sure"] = f"The membership ends today. {_credited(pence)} They can be introduced anew."
            return f"The membership has ended. {_credited(pence)}"
        return "Recorded."

    lead = f"{referral.care_leaver} was accepted, and nobody has come in the first four weeks."
    check = lambda: check_can_follow_up(referral, clock.today())  # noqa: E731
    return _ask(request, referral, form, act, title="What did you find out?", lead=lead, said=said, check=check)


def _referral(request, referral_id) -> Referral:
    return get_or_404(doors.mine(request), pk=referral_id)


def _ask(
    request,
    referral: Referral,
    form,
    act: Callable[[], str],
    *,
    title: str,
    lead: str,
    said: dict | None = None,
    check: Callable | None = None,
):
    """A form and its deed. With `said["sure"]` set by the deed, it is done and taken back, and asked once more."""
    try:
        member_of(referral)
        if check:
            check()
    except Refused as why:
        messages.error(request, str(why))
        return redirect(doors.page(referral))
    context = {"referral": referral, "person": referral.care_leaver, "title": title, "lead": lead, "form": form}
    if request.method == "POST" and form is not None and form.is_valid():
        try:
            with transaction.atomic():
                done = act()
                asks = bool(said) and "confirmed" not in request.POST
                if asks:  # done and taken back: what is shown is what will happen
                    transaction.set_rollback(True)
        except Refused as why:
            form.add_error(None, str(why))
        else:
            if not asks:
                messages.success(request, done)
                return redirect(doors.page(referral))
            context |= {"sure": (said or {})["sure"], "posted": doors.posted(request)}
    doors.viewed(request, referral.care_leaver, referral)
    return render(request, "referrals/member_act.html", context)


def _do(request, referral: Referral, act: Callable, said: str):
    try:
        with transaction.atomic():
            act()
        messages.success(request, said)
    except Refused as why:
        messages.error(request, str(why))
    return redirect(doors.page(referral))


def _credited(pence: int) -> str:
    return f"{pounds(pence)} goes back as credit." if pence else "No paid week is left over, so nothing is credited."
