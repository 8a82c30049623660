"""Someone came to a pantry by themselves: the pantry manager shows them, the council answers."""

from django.contrib import messages
from django.db import transaction
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from careleavers.models import CareLeaver
from pantry.models import Membership
from referrals import forms, pantries
from referrals.models import WalkIn
from referrals.services import walk_ins
from referrals.views import doors
from stockport_hubs.accounts.models import Role
from stockport_hubs.accounts.permissions import get_or_404, roles
from stockport_hubs.audit import services as audit
from stockport_hubs.core import clock
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.pages import Paginator

PAGE, CHOICES = 25, 500


@roles(*doors.COUNCIL, Role.PANTRY_MANAGER)
@require_safe
@transaction.atomic
def index(request):
    """Who waits for an answer: to the council pantry, number and name, to the pantry manager what they sent."""
    found = WalkIn.objects.for_user(request.user).waiting().select_related("membership", "council")
    found = found.prefetch_related("membership__places__pantry")
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    _viewed(request, page.object_list)
    context = {"page_obj": page, "is_council": request.user.is_council, "role": request.user.role}
    return render(request, "referrals/walk_ins.html", context)


@roles(Role.PANTRY_MANAGER)
@transaction.atomic
def show(request, membership_id):
    """Show a member whom nobody pays for to a council, with their yes."""
    member = get_or_404(Membership.objects.for_user(request.user), pk=membership_id)
    back, councils = reverse("pantry:member", args=[member.pk]), walk_ins.councils_for(member, clock.today())
    try:
        walk_ins.check_can_show(member)
    except Refused as why:
        messages.error(request, str(why))
        return redirect(back)
    form = forms.ShowForm(request.POST or None, councils=councils, cancel=back)
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                walk_ins.show(membership=member, **form.answers, by=request.user, at=clock.now())
            messages.success(request, "Shown. You are told here as soon as there is an answer.")
            return redirect(back)
        except Refused as why:
            form.add_error(None, str(why))
    subjects = [(audit.MEMBERSHIP, member.pk)]
    audit.record("pantry.member.viewed", at=clock.now(), by=request.user, target=member, subjects=subjects)
    return render(request, "referrals/walk_in_show.html", {"member": member, "form": form, "back_url": back})


@roles(Role.PANTRY_MANAGER)
@require_POST
@transaction.atomic
def take_back(request, walk_in_id):
    """The pantry manager's undo."""
    walk_in = get_or_404(WalkIn.objects.for_user(request.user), pk=walk_in_id)
    return _answer(request, walk_ins.take_back, walk_in, "Taken back. The council does not see them any more.")


@roles(Role.LEAVING_CARE_MANAGER)
@require_POST
@transaction.atomic
def not_ours(request, walk_in_id):
    """A manager says that nobody here knows them."""
    walk_in = get_or_404(WalkIn.objects.for_user(request.user), pk=walk_in_id)
    said = "Answered. The pantry is told that nobody here knows them, and you do not see them any more."
    return _answer(request, walk_ins.not_ours, walk_in, said)


@roles(Role.PERSONAL_ADVISOR)
@transaction.atomic
def confirm(request, walk_in_id):
    """An advisor says which of their young people it is."""
    waiting = WalkIn.objects.for_user(request.user).waiting().select_related("membership")
    walk_in, today = get_or_404(waiting, pk=walk_in_id), clock.today()
    mine = CareLeaver.objects.for_user(request.user).living()
    paying = pantries.agreements(request.user, today).filter(operator=walk_in.membership.operator_id)
    form = forms.ConfirmWalkInForm(
        request.POST or None,
        people=pantries.without_a_place(mine, today)[:CHOICES],
        agreements=paying,
        cancel=reverse("referrals:walk_ins"),
    )
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                referral = walk_ins.confirm(walk_in=walk_in, **form.answers, by=request.user, at=clock.now())
            messages.success(request, f"Confirmed: {referral.care_leaver} is member {walk_in.membership.number}.")
            return redirect(doors.page(referral))
        except Refused as why:
            form.add_error(None, str(why))
    subjects = [(audit.MEMBERSHIP, walk_in.membership_id), *((audit.CARE_LEAVER, p.pk) for p in form.people.values())]
    audit.record("referrals.walk_in.viewed", at=clock.now(), by=request.user, target=walk_in, subjects=subjects)
    return render(request, "referrals/walk_in_confirm.html", {"walk_in": walk_in, "form": form})


def _answer(request, service, walk_in: WalkIn, said: str):
    try:
        with transaction.atomic():
            service(walk_in=walk_in, by=request.user, at=clock.now())
        messages.success(request, said)
    except Refused as why:
        messages.error(request, str(why))
    return redirect("referrals:walk_ins")


def _viewed(request, walk_ins_shown) -> None:
    subjects = [(audit.MEMBERSHIP, each.membership_id) for each in walk_ins_shown]
    if subjects:
        audit.record("referrals.walk_in.listed", at=clock.now(), by=request.user, subjects=subjects)
