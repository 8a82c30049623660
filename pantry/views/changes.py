"""Changes of one membership: each is asked, shown as it would be by doing it and taking it back, and confirmed."""

from collections.abc import Callable

from django.contrib import messages
from django.db import transaction
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from pantry import members as shown
from pantry.forms.changes import AnswerForm, BuyForm, DayForm, LongPauseForm, MoveForm
from pantry.models import Membership
from pantry.services import by_hand, memberships
from pantry.views.answers import answers
from pantry.views.members import fetch, viewed
from stockport_hubs.accounts.models import Role
from stockport_hubs.accounts.permissions import roles
from stockport_hubs.core import clock, weeks
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.money import pounds
from stockport_hubs.core.pages import Paginator
from stockport_hubs.core.rehearsal import rehearsed

PAGE = 25
Facts = list[tuple[str, str]]
asks = require_http_methods(["GET", "HEAD", "POST"])


def _ask(
    request, member: Membership, form, do: Callable[[dict], tuple[Facts, str]], *, title: str, lead: str, button: str
):
    """The form, the check page, the deed. `do` gives what has changed, for the check page, and the message after it."""
    back, step = reverse("pantry:member", args=[member.pk]), request.POST.get("step", "")
    context = {"member": member, "back": back, "form": form, "title": title, "lead": lead, "button": button}
    context["sees_people"] = shown.sees_people(request.user)
    if request.method == "POST" and step != "change" and form.is_valid():
        try:
            with rehearsed(unless=step == "confirm"):
                facts, done = do(form.cleaned_data)
        except Refused as why:
            form.add_error(None, str(why))
        else:
            if step == "confirm":
                messages.success(request, done)
                return redirect(back)
            context |= {"facts": facts, "answers": answers(request)}
    with transaction.atomic():
        viewed(request, "pantry.member.viewed", [member], target=member)
        return render(request, "pantry/member_change.html", context)


@roles(Role.PANTRY_MANAGER)
@asks
def member_move(request, membership_id):
    """To another pantry of the organisation, from a week to come."""
    member = fetch(request, membership_id)
    back = reverse("pantry:member", args=[member.pk])
    form = MoveForm(request.POST or None, user=request.user, member=member, cancel=back)

    def do(given: dict) -> tuple[Facts, str]:
        place = memberships.move(membership=member, by=request.user, at=clock.now(), **given)
        there = member.paid_weeks.dated().filter(pantry=place.pantry_id, week__gte=place.from_week).order_by("week")
        facts = [("New pantry", place.pantry.name), ("First week there", f"Week of {weeks.spoken(place.from_week)}")]
        if last := there.last():
            facts.append(
                ("Paid weeks that move", f"{there.count()}, the last in the week of {weeks.spoken(last.week)}")
            )
        return facts, f"Member {member.number} moves to {place.pantry.name} from {weeks.spoken(place.from_week)}."

    lead = "Weeks before that stay with this pantry. Paid weeks from then on go to the new one, at their price."
    return _ask(request, member, form, do, title="Move to another pantry", lead=lead, button="Move this member")


@roles(Role.PANTRY_MANAGER)
@asks
@transaction.atomic
def member_move_back(request, membership_id):
    """A move that has not begun is taken back, asked first."""
    member = fetch(request, membership_id)
    if request.method == "POST":
        try:
            place = memberships.take_back_move(membership=member, by=request.user, at=clock.now())
        except Refused as why:
            messages.error(request, str(why))
        else:
            messages.success(request, f"Member {member.number} stays at {place.pantry.name}.")
        return redirect("pantry:member", member.pk)
    viewed(request, "pantry.member.viewed", [member], target=member)
    return render(request, "pantry/member_move_back.html", {"member": member})


@roles(Role.PANTRY_MANAGER)
@asks
def member_pause(request, membership_id):
    """A member who pays at the counter pauses or comes back; for the others whoever introduced them does that."""
    member = fetch(request, membership_id)
    back, is_paused = reverse("pantry:member", args=[member.pk]), member.state == Membership.State.PAUSED
    if member.agreement_id:
        messages.info(request, "Whoever introduced this member pauses the membership and starts it again.")
        return redirect(back)
    label = "First day back" if is_paused else "First day of the pause"
    form = DayForm(request.POST or None, label=label, cancel=back, initial={"on": clock.today()})

    def do(given: dict) -> tuple[Facts, str]:
        change = memberships.resume if is_paused else memberships.pause
        change(membership=member, by=request.user, at=clock.now(), **given)
        said = "may shop again" if is_paused else "is paused"
        return [(label, weeks.spoken(given["on"]))], f"Member {member.number} {said}."

    if is_paused:
        lead, title, button = "From that day they may shop again.", "Start again after a pause", "Start again"
    else:
        lead = "While paused they cannot shop and nothing is to pay. Nobody is asked why."
        title, button = "Pause this membership", "Pause this membership"
    return _ask(request, member, form, do, title=title, lead=lead, button=button)


@roles(Role.PANTRY_MANAGER)
@asks
def member_answer(request, membership_id):
    """Someone who turned up by themselves joins and pays each week, or goes."""
    member = fetch(request, membership_id)
    back = reverse("pantry:member", args=[member.pk])
    form = AnswerForm(request.POST or None, cancel=back)

    def do(given: dict) -> tuple[Facts, str]:
        if given["answer"] == form.OPEN:
            memberships.confirm(membership=member, by=request.user, at=clock.now())
            return [("Next", "They join and pay each week")], f"Member {member.number} has joined and pays each week."
        memberships.not_confirmed(membership=member, by=request.user, at=clock.now())
        return [("Next", "The membership ends today. It cannot be opened again; they can join anew.")], (
            f"Membership {member.number} has ended."
        )

    lead = "A personal advisor can confirm that someone else pays. Until then they may shop, and nothing is to pay."
    return _ask(request, member, form, do, title="Waiting to be confirmed", lead=lead, button="Confirm")


@roles(Role.LEAVING_CARE_MANAGER)
@asks
def member_buy(request, membership_id):
    """Weeks bought by hand, after those bought."""
    member = fetch(request, membership_id)
    back = reverse("pantry:member", args=[member.pk])
    form = BuyForm(request.POST or None, cancel=back)

    def do(given: dict) -> tuple[Facts, str]:
        block = by_hand.buy(membership=member, weeks=given["weeks"], by=request.user, at=clock.now())
        facts = [
            ("Weeks", f"{block.weeks}, from the week of {weeks.spoken(block.starts_on)}"),
            ("Price", f"{block.weeks} × {pounds(block.weekly_pence)} = {pounds(block.price_pence)}"),
            ("Paid from credit", pounds(block.from_pool_pence)),
            ("Drawn from what was paid in advance", pounds(block.price_pence - block.from_pool_pence)),
        ]
        if block.topped_up_pence:
            facts.append(("Topped up to a price agreed already", pounds(block.topped_up_pence)))
        price = pounds(block.price_pence + block.topped_up_pence)
        return facts, f"Member {member.number}: {block.weeks} weeks are bought for {price}."

    lead = "They follow the weeks bought already, at the price in force when they start. Bought weeks stay bought."
    return _ask(request, member, form, do, title="Buy weeks", lead=lead, button="Buy these weeks")


@roles(Role.LEAVING_CARE_MANAGER)
@require_safe
@transaction.atomic
def pauses(request):
    """Members paused for 26 weeks and more, the longest first: somebody has to decide."""
    found = shown.long_paused(Membership.objects.for_user(request.user), clock.today())
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    lines = shown.lines(page, clock.today())
    if lines:
        viewed(request, "pantry.members.viewed", [line.member for line in lines])
    return render(request, "pantry/pauses.html", {"page": page, "lines": lines})


@roles(Role.LEAVING_CARE_MANAGER)
@asks
def member_long_pause(request, membership_id):
    """What becomes of a long pause: it goes on, they come back, or the membership ends."""
    member = fetch(request, membership_id)
    if member.state != Membership.State.PAUSED:
        messages.info(request, f"Member {member.number} is not paused.")
        return redirect("pantry:member", member.pk)
    form = LongPauseForm(request.POST or None, cancel=reverse("pantry:pauses"))

    def do(given: dict) -> tuple[Facts, str]:
        today = {"membership": member, "by": request.user, "at": clock.now()}
        if given["answer"] == form.KEEP:
            memberships.keep_paused(**today)
            return [("Next", "The pause goes on for another 26 weeks")], f"Member {member.number} stays paused."
        if given["answer"] == form.RESUME:
            memberships.resume(on=clock.today(), **today)
            ahead = member.paid_weeks.later_than(clock.today())
            return [
                ("Next", "They may shop again from today"),
                ("Paid weeks to come", str(ahead.count())),
            ], f"Member {member.number} may shop again."
        pence = memberships.leave(on=clock.today(), reason=Membership.EndReason.FUNDING_ENDED, **today)
        return [("Next", "The membership ends today"), ("Credited", pounds(pence))], (
            f"Membership {member.number} has ended. {pounds(pence)} went back as credit."
        )

    lead = "Paused for 26 weeks or more. Nothing is lost meanwhile: the weeks bought wait."
    return _ask(request, member, form, do, title="A long pause", lead=lead, button="Confirm")
