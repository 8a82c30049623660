"""Somebody is worried about someone: whom to call, asking to be rung, and who has answered."""

from django.contrib import messages
from django.db import transaction
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from pantry.services import calls
from pantry.views.sessions import session_or_404
from referrals.forms.hall import WorryForm
from referrals.models import Referral, Worry
from referrals.services import worries as services
from referrals.views import doors
from referrals.views.hall import AT_PANTRIES
from stockport_hubs.accounts.models import Role
from stockport_hubs.accounts.permissions import get_or_404, roles
from stockport_hubs.audit import services as audit
from stockport_hubs.core import clock
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.pages import Paginator

PAGE = 25
READERS = (*doors.COUNCIL, Role.PANTRY_MANAGER)


@roles(*AT_PANTRIES)
@require_http_methods(["GET", "HEAD", "POST"])
def worried(request, session_id):
    """Whom to call now; ask to be rung; whether somebody has answered what was asked in this session."""
    shown = session_or_404(request, session_id)
    back, number = reverse("pantry:session", args=[shown.pk]), request.GET.get("number", "")
    number = number if number.isdecimal() and len(number) <= 8 else ""
    form = WorryForm(request.POST or None, session=shown, number=number, cancel=back)
    if request.method == "POST" and form.is_valid():
        given = {"session": shown, "membership": form.membership, "key": form.cleaned_data["key"]}
        try:
            services.raise_worry(**given, by=request.user, at=clock.now())
        except Refused as why:
            form.add_error(None, str(why))
        else:
            messages.success(request, "Sent. The pantry manager is told now and rings back. If it cannot wait, call.")
            return redirect("hall:worry", shown.pk)
    asked = Worry.objects.for_user(request.user).filter(session=shown).select_related("raised_by")
    context = {
        "session": shown,
        "back": back,
        "form": form,
        "calls": calls.listed(shown.pantry, clock.today()),
        "asked": asked.order_by("-raised_at")[:PAGE],
        "keeps": request.user.role == Role.PANTRY_MANAGER,
    }
    return render(request, "referrals/worried.html", context)


@roles(*READERS)
@require_safe
@transaction.atomic
def worries(request):
    """Those nobody has answered first, then the answered, the latest first."""
    answered = request.GET.get("show") == "answered"
    mine = Worry.objects.for_user(request.user).filter(answered_at__isnull=not answered)
    rows = mine.select_related("membership", "pantry", "raised_by", "answered_by")
    page = Paginator(rows.order_by("-raised_at", "-pk"), PAGE).get_page(request.GET.get("page"))
    members = [each.membership_id for each in page if each.membership_id]
    people = _people(request, members)
    if members:
        subjects = [(audit.MEMBERSHIP, key) for key in members]
        subjects += [(audit.CARE_LEAVER, person.pk) for person in people.values()]
        audit.record("referrals.worries.viewed", at=clock.now(), by=request.user, subjects=subjects)
    context = {
        "page_obj": page,
        "rows": [(each, people.get(each.membership_id)) for each in page],
        "answered": answered,
        "is_council": request.user.is_council,
    }
    return render(request, "referrals/worries.html", context)


def _people(request, members: list) -> dict:
    """Of the council's reader: the young person by the id of their membership."""
    if not request.user.is_council:
        return {}
    ties = Referral.objects.for_user(request.user).filter(membership__in=members)
    return {tie.membership_id: tie.care_leaver for tie in ties.select_related("care_leaver")}


@roles(*READERS)
@require_POST
def answer(request, worry_id):
    """Answered, or open again."""
    worry = get_or_404(Worry.objects.for_user(request.user), pk=worry_id)
    try:
        if request.POST.get("answered") == "no":
            services.open_again(worry=worry, by=request.user, at=clock.now())
            messages.success(request, "It is open again, on everybody’s home.")
        else:
            services.answer(worry=worry, by=request.user, at=clock.now())
            messages.success(request, "Marked as answered.")
    except Refused as why:
        messages.error(request, str(why))
    return redirect("referrals:worries")
