"""The advisor's three pages: agreement to share, pantry and first week, check your answers."""

from django.contrib import messages
from django.db import transaction
from django.shortcuts import redirect, render
from django.urls import reverse

from careleavers.models import CareLeaver
from careleavers.services import sharing
from referrals import facts, forms, nearest, pantries, rules, services, wording
from referrals.models import Referral
from referrals.views import doors
from stockport_hubs.accounts.models import Role
from stockport_hubs.accounts.permissions import get_or_404, roles
from stockport_hubs.core import clock
from stockport_hubs.core.errors import Refused


@roles(Role.PERSONAL_ADVISOR)
@transaction.atomic
def start(request, person_id):
    """Page 1, agreement to share: the one in force is used again, or a new one recorded; then the draft is there."""
    person = get_or_404(CareLeaver.objects.for_user(request.user), pk=person_id)
    today = clock.today()
    under_way = Referral.objects.for_user(request.user).under_way().filter(care_leaver=person).first()
    try:
        services.check_can_start(care_leaver=person, at=clock.now())
    except Refused as why:
        doors.viewed(request, person)
        context = {"person": person, "why_not": str(why), "under_way": under_way}
        return render(
            request, "referrals/referral_refused.html", context, status=200 if request.method == "GET" else 409
        )
    held = sharing.current(person, today)
    if request.method == "POST" and "use" in request.POST and held:
        referral = services.draft(care_leaver=person, sharing=held, by=request.user, at=clock.now())
        return redirect("referrals:edit", referral.pk)
    form = agreement_form(request, reverse("careleavers:detail", args=[person.pk]))
    if request.method == "POST" and form.is_valid():
        agreement = record(request, person, form)
        if agreement:
            referral = services.draft(care_leaver=person, sharing=agreement, by=request.user, at=clock.now())
            return redirect("referrals:edit", referral.pk)
    doors.viewed(request, person)
    return agreement_page(request, person, form, held if not form.is_bound else None)


@roles(Role.PERSONAL_ADVISOR)
@transaction.atomic
def agreement(request, referral_id):
    """The agreement to share of a draft, asked again."""
    referral = get_or_404(doors.mine(request), pk=referral_id, state=rules.DRAFT)
    form = agreement_form(request, reverse("referrals:check", args=[referral.pk]))
    if request.method == "POST" and form.is_valid():
        recorded = record(request, referral.care_leaver, form)
        if recorded:
            services.share(referral=referral, sharing=recorded, by=request.user, at=clock.now())
            return redirect("referrals:check" if referral.pantry_id else "referrals:edit", referral.pk)
    doors.viewed(request, referral.care_leaver, referral)
    return agreement_page(request, referral.care_leaver, form, None)


def agreement_form(request, cancel: str) -> forms.AgreementForm:
    """The form as posted, or empty with today as the day of the agreement."""
    data = request.POST if request.method == "POST" else None
    today = clock.today()
    return forms.AgreementForm(data, on=today, cancel=cancel, initial={"given_on": today})


def record(request, person: CareLeaver, form: forms.AgreementForm):
    """The agreement recorded, or None with the refusal on the form."""
    data = form.cleaned_data
    try:
        return services.record_agreement(
            care_leaver=person,
            wording_version=wording.WORDING_VERSION,
            privacy_notice_on=data["privacy_notice_on"],
            given_on=data["given_on"],
            how_given=data["how_given"],
            share_name=data["share_name"],
            items=form.items,
            until_on=rules.funded_until(person.born_on),
            advocacy_given_on=data["given_on"] if data["advocacy"] else None,
            taken_by=request.user,
            at=clock.now(),
        )
    except Refused as why:
        form.add_error(None, str(why))
        return None


def agreement_page(request, person, form, held, caption: str = ""):
    """The page of the agreement to share: the one that holds, if any, and the form for a new one."""
    context = {
        "caption": caption or f"Introduce {person}: 1 of 3",
        "person": person,
        "form": form,
        "held": held,
        "held_words": facts.shared_words(held) if held else (),
        "wording": wording.WORDING,
        "wording_version": wording.WORDING_VERSION,
        "until": rules.funded_until(person.born_on),
    }
    return render(request, "referrals/agreement_form.html", context)


@roles(Role.PERSONAL_ADVISOR)
@transaction.atomic
def edit(request, referral_id):
    """Page 2, pantry and first week; saved at once, so that a draft survives."""
    referral = get_or_404(doors.mine(request), pk=referral_id, state=rules.DRAFT)
    today = clock.today()
    initial = {
        "pantry": str(referral.pantry_id or ""),
        "agreement": str(referral.agreement_id or ""),
        "first_week": referral.first_week.isoformat() if referral.first_week else "",
        **{name: getattr(referral, name) for name in forms.NOTES},
    }
    where = nearest.of_person(referral.care_leaver)
    form = forms.PlaceForm(
        request.POST if request.method == "POST" else None,
        initial=initial,
        pantries=pantries.choices(request.user, today, where.position),
        agreements=pantries.agreements(request.user, today),
        on=today,
        cancel=reverse("referrals:detail", args=[referral.pk]),
    )
    if request.method == "POST" and form.is_valid():
        try:
            services.fill(referral=referral, by=request.user, at=clock.now(), **form.answers)
            return redirect("referrals:check", referral.pk)
        except Refused as why:
            form.add_error(None, str(why))
    doors.viewed(request, referral.care_leaver, referral)
    return render(request, "referrals/referral_form.html", {"form": form, "referral": referral, "where": where})


@roles(Role.PERSONAL_ADVISOR)
@transaction.atomic
def check(request, referral_id):
    """Page 3, check your answers and send."""
    referral = get_or_404(doors.mine(request), pk=referral_id, state=rules.DRAFT)
    today = clock.today()
    why_not = ""
    if request.method == "POST":
        try:
            services.send(referral=referral, by=request.user, at=clock.now())
            messages.success(request, f"Introduction {referral.reference} is sent. {referral.pantry} has been told.")
            return redirect("referrals:detail", referral.pk)
        except Refused as why:
            why_not = str(why)
    doors.viewed(request, referral.care_leaver, referral)
    held = facts.sharing_on(referral, today)
    context = {
        "referral": referral,
        "facts": facts.facts_for_pantry(referral, today) if referral.pantry else None,
        "sharing": held,
        "given": f"Given {held.given_on:%-d %B %Y}, {held.get_how_given_display().lower()}" if held else "",
        "why_not": why_not,
    }
    return render(request, "referrals/referral_check.html", context, status=409 if why_not else 200)
