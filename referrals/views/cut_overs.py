"""Members brought in from a spreadsheet: the council says which young person each of them is."""

from django.contrib import messages
from django.db import transaction
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from careleavers.models import CareLeaver
from referrals import forms, pantries
from referrals.services import cut_overs
from referrals.views import doors
from stockport_hubs.accounts.models import Role
from stockport_hubs.accounts.permissions import get_or_404, roles
from stockport_hubs.audit import services as audit
from stockport_hubs.core import clock
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.pages import Paginator

PAGE, CHOICES = 25, 500


@roles(*doors.COUNCIL)
@require_safe
@transaction.atomic
def index(request):
    """Who is still a number alone; what the spreadsheet called them, where that is no one else's young person."""
    found, query = cut_overs.untied(request.user), request.GET.get("q", "").strip()
    if query:
        found = found.filter(number=int(query)) if query.isdecimal() and len(query) < 9 else found.none()
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    called = _references(request.user, page.object_list)
    if subjects := [(audit.MEMBERSHIP, each.pk) for each in page.object_list]:
        audit.record("referrals.cut_over.listed", at=clock.now(), by=request.user, subjects=subjects)
    rows = [(each, _pantry(each), called.get(each.pk, "")) for each in page.object_list]
    return render(request, "referrals/cut_overs.html", {"page_obj": page, "rows": rows, "query": query})


@roles(*doors.COUNCIL)
@transaction.atomic
def tie(request, membership_id):
    """Say who it is: one of one's own, with an agreement to share that holds and no place yet."""
    member, today = get_or_404(cut_overs.untied(request.user), pk=membership_id), clock.today()
    mine = pantries.without_a_place(CareLeaver.objects.for_user(request.user).living(), today)
    called = _references(request.user, [member]).get(member.pk, "")
    likely = list(mine.filter(reference=called)[:1]) if called else []  # also where not all can be offered
    people = [*likely, *mine.exclude(pk__in=[each.pk for each in likely])[:CHOICES]]
    back, chosen = reverse("referrals:cut_overs"), {"person": str(likely[0].pk) if likely else ""}
    form = forms.TieForm(request.POST or None, people=people, cancel=back, initial=chosen)
    if request.method == "POST" and form.is_valid():
        try:
            referral = cut_overs.tie(membership=member, **form.answers, by=request.user, at=clock.now())
            messages.success(request, f"Member {member.number} is {referral.care_leaver}.")
            return redirect(doors.page(referral))
        except Refused as why:
            form.add_error(None, str(why))
    subjects = [(audit.MEMBERSHIP, member.pk), *((audit.CARE_LEAVER, each.pk) for each in people)]
    audit.record("referrals.cut_over.viewed", at=clock.now(), by=request.user, target=member, subjects=subjects)
    context = {"member": member, "pantry": _pantry(member), "called": called, "form": form}
    return render(request, "referrals/cut_over_tie.html", context)


def _pantry(member):
    return next((place.pantry for place in member.places.all()), None)


def _references(user, members) -> dict:
    """A manager sees all of them, an advisor those of their own young people."""
    found = cut_overs.references(members)
    if user.role == Role.LEAVING_CARE_MANAGER or not found:
        return found
    own = CareLeaver.objects.for_user(user).filter(reference__in=found.values())
    mine = set(own.values_list("reference", flat=True))
    return {key: reference for key, reference in found.items() if reference in mine}
