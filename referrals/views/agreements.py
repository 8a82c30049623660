"""The agreement to share after acceptance, a death and its correction, and what was printed before."""

from django.contrib import messages
from django.db import transaction
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from careleavers.models import CareLeaver
from careleavers.services import sharing
from pantry.services import sheets
from referrals import forms, letters, services
from referrals.models import PrintedName, Referral
from referrals.services import agreements
from referrals.views import doors
from referrals.views.drafts import agreement_form, agreement_page, record
from stockport_hubs.accounts.models import Role
from stockport_hubs.accounts.permissions import get_or_404, roles
from stockport_hubs.audit import services as audit
from stockport_hubs.core import clock
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.money import pounds
from stockport_hubs.core.pages import Paginator
from stockport_hubs.core.rehearsal import rehearsed

PAGE = 25


@roles(*doors.COUNCIL)
@transaction.atomic
def share(request, person_id):
    """A new agreement to share of somebody who is a member, or who will be shown by a pantry."""
    person = _person(request, person_id)
    back = reverse("careleavers:detail", args=[person.pk])
    if person.has_died:
        messages.error(request, "This young person has died. Nothing more is shared.")
        return redirect(back)
    form = agreement_form(request, back)
    if request.method == "POST" and form.is_valid() and record(request, person, form):
        messages.success(request, "The agreement is recorded. What the pantry knows follows it at once.")
        return redirect(back)
    doors.viewed(request, person)
    return agreement_page(request, person, form, None, caption=person.full_name)


@roles(*doors.COUNCIL)
@transaction.atomic
def withdraw(request, person_id):
    """They no longer agree: what will happen is shown before it does."""
    person = _person(request, person_id)
    back = reverse("careleavers:detail", args=[person.pk])
    today = clock.today()
    if sharing.current(person, today) is None:
        messages.error(request, "There is no agreement to share that holds today, so there is nothing to withdraw.")
        return redirect(back)
    member = Referral.objects.for_user(request.user).running_membership_of(person)
    under_way = Referral.objects.for_user(request.user).under_way().filter(care_leaver=person).first()
    form = forms.WithdrawAgreementForm(
        request.POST or None, is_member=member is not None, cancel=back, initial={"on": today}
    )
    context = {"person": person, "form": form, "member": member, "under_way": under_way}
    if request.method == "POST" and form.is_valid():
        confirmed = "confirmed" in request.POST
        try:
            with rehearsed(unless=confirmed):
                pence = services.withdraw_agreement(care_leaver=person, **form.answers, by=request.user, at=clock.now())
        except Refused as why:
            form.add_error(None, str(why))
        else:
            if confirmed:
                messages.success(request, "Recorded. The pantry’s screens show the number alone from now on.")
                return redirect(back)
            context |= {"sure": True, "pence": pence, "stops": form.answers["stops"], "posted": doors.posted(request)}
    doors.viewed(request, person)
    return render(request, "referrals/agreement_withdraw.html", context)


@roles(*doors.COUNCIL)
@transaction.atomic
def died(request, person_id):
    """Everything stops at once, asked first."""
    person = _person(request, person_id)
    back = reverse("careleavers:detail", args=[person.pk])
    form = forms.DiedForm(request.POST or None, cancel=back)
    context = {"person": person, "form": form}
    if request.method == "POST" and form.is_valid():
        confirmed = "confirmed" in request.POST
        try:
            with rehearsed(unless=confirmed):
                pence = services.record_death(care_leaver=person, **form.cleaned_data, by=request.user, at=clock.now())
        except Refused as why:
            form.add_error(None, str(why))
        else:
            if confirmed:
                credited = f" {pounds(pence)} goes back as credit." if pence else ""
                messages.success(request, f"Recorded. Everything has stopped.{credited}")
                return redirect(back)
            context |= {"sure": True, "pence": pence, "posted": doors.posted(request)}
    doors.viewed(request, person)
    return render(request, "referrals/died.html", context)


@roles(Role.LEAVING_CARE_MANAGER)
@transaction.atomic
def not_died(request, person_id):
    """A manager corrects a death recorded by mistake, and says why."""
    person = _person(request, person_id)
    back = reverse("careleavers:detail", args=[person.pk])
    form = forms.CorrectDeathForm(request.POST or None, cancel=back)
    if request.method == "POST" and form.is_valid():
        try:
            ended = services.correct_death(care_leaver=person, **form.cleaned_data, by=request.user, at=clock.now())
        except Refused as why:
            form.add_error(None, str(why))
        else:
            again = f" {ended} stays ended: introduce them again." if ended else ""
            messages.success(request, f"Corrected.{again}")
            return redirect(back)
    doors.viewed(request, person)
    return render(request, "referrals/not_died.html", {"person": person, "form": form})


@roles(Role.PANTRY_MANAGER)
@require_safe
@transaction.atomic
def printed(request):
    """Members whose name is not shared any more: what was printed before is to be destroyed."""
    found = PrintedName.objects.for_user(request.user).to_destroy().select_related("membership")
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    if page.object_list:
        subjects = [(audit.MEMBERSHIP, each.membership_id) for each in page.object_list]
        audit.record("referrals.printed_name.listed", at=clock.now(), by=request.user, subjects=subjects)
    held = sheets.holding(each.membership_id for each in page)
    rows = [(each, [s for s in held.get(each.membership_id, ()) if s.printed_at <= each.hidden_at]) for each in page]
    return render(request, "referrals/printed.html", {"page_obj": page, "rows": rows})


@roles(Role.PANTRY_MANAGER)
@require_POST
@transaction.atomic
def destroyed(request, printed_id):
    """The pantry manager has destroyed it."""
    each = get_or_404(PrintedName.objects.for_user(request.user).select_related("membership"), pk=printed_id)
    try:
        agreements.destroyed(printed=each, by=request.user, at=clock.now())
        messages.success(request, f"Recorded for member {each.membership.number}.")
    except Refused as why:
        messages.error(request, str(why))
    return redirect("referrals:printed")


@roles(*doors.COUNCIL)
@require_POST
@transaction.atomic
def how_are_you(request, person_id):
    """Ask somebody by message how they are."""
    person = _person(request, person_id)
    try:
        with transaction.atomic():
            letter = letters.ask_how(care_leaver=person, by=request.user, at=clock.now())
    except Refused as why:
        messages.error(request, str(why))
        return redirect("careleavers:detail", person.pk)
    return redirect("careleavers:letter", letter.pk)


def _person(request, person_id) -> CareLeaver:
    return get_or_404(CareLeaver.objects.for_user(request.user), pk=person_id)
