"""One introduction: the council's page, and the pantry manager's, who gets `facts` and nothing else; their answers."""

from django.contrib import messages
from django.db import transaction
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from referrals import agreed, attendance, facts, forms, rules, services, waiting
from referrals.models import Referral
from referrals.views import doors
from stockport_hubs.accounts.models import Role
from stockport_hubs.accounts.permissions import get_or_404, roles
from stockport_hubs.core import clock
from stockport_hubs.core.errors import Refused


@require_safe
@roles(*doors.COUNCIL, Role.PANTRY_MANAGER)
@transaction.atomic
def detail(request, referral_id):
    """One introduction, to each side what it may see."""
    referral = get_or_404(doors.mine(request), pk=referral_id)
    return _detail(request, referral)


def _detail(request, referral: Referral, form=None, status: int = 200):
    today, user = clock.today(), request.user
    doors.viewed(request, referral.care_leaver, referral)
    if not user.is_council:
        waits = waiting.waits([referral]).get(referral.pk)
        return _pantry_detail(request, facts.facts_for_pantry(referral, today), waits, form, status)
    held = facts.sharing_on(referral, today)
    advises = user.role == Role.PERSONAL_ADVISOR
    context = {
        "referral": referral,
        "colour": facts.COLOURS[referral.state],
        "sharing": held,
        "shared": facts.shared_words(held) if held else (),
        "moves": referral.moves.select_related("by__organisation"),
        "attendance": attendance.of(referral, today) if referral.membership else None,
        "waits": waiting.waits([referral]).get(referral.pk),
        "form": form or (forms.ReplyForm() if advises and referral.state == rules.MORE_ASKED else None),
        "is_agreed": referral.state in agreed.SHOWN,
        "is_draft": referral.state == rules.DRAFT,
        "advises": advises,
        "can_withdraw": advises and rules.can_move(referral.state, rules.WITHDRAWN),
    }
    return render(request, "referrals/referral_detail.html", context, status=status)


def _pantry_detail(request, known: facts.PantryFacts, waits: waiting.Waits | None, form, status: int):
    if form is None and known.can_answer:
        form = _answer_form(known.state)
    context = {"facts": known, "form": form, "waits": waits}
    return render(request, "referrals/referral_answer.html", context, status=status)


def _answer_form(state: str, data=None) -> forms.AnswerForm:
    return forms.AnswerForm(data, waiting=state == rules.WAITING, asked=state == rules.MORE_ASKED)


@require_POST
@roles(Role.PANTRY_MANAGER)
@transaction.atomic
def answer(request, referral_id):
    """The pantry's answer."""
    referral = get_or_404(doors.mine(request), pk=referral_id)
    if not rules.TRANSITIONS[referral.state]:
        messages.error(request, f"Introduction {referral.reference} is {rules.SPOKEN[referral.state]} already.")
        return redirect("referrals:detail", referral.pk)
    form = _answer_form(referral.state, request.POST)
    if not form.is_valid():
        return _detail(request, referral, form)
    try:
        with transaction.atomic():
            said = _answer(request, referral, form.cleaned_data)
    except Refused as why:
        form.add_error(None, str(why))
        return _detail(request, referral, form, status=409)
    messages.success(request, f"{said} The advisor has been told.")
    return redirect("referrals:detail", referral.pk)


def _answer(request, referral: Referral, data: dict) -> str:
    given = {"referral": referral, "by": request.user, "at": clock.now(), "note": data["note"]}
    if data["answer"] == forms.ACCEPT:
        membership = services.accept(**given)
        return f"Accepted: member number {membership.number}."
    if data["answer"] == forms.WAIT:
        services.put_on_waiting_list(reason=data["waiting_reason"] or Referral.WaitingReason.FULL, **given)
        return "Put on the waiting list."
    if data["answer"] == forms.ASK:
        services.ask_more(**given)
        return "Your question is sent."
    services.decline(reason=data["reason"], number=data["number"], **given)
    return "Declined."


@require_POST
@roles(Role.PERSONAL_ADVISOR)
@transaction.atomic
def reply(request, referral_id):
    """The advisor's answer to the pantry's question."""
    referral = get_or_404(doors.mine(request), pk=referral_id)
    form = forms.ReplyForm(request.POST)
    if not form.is_valid():
        return _detail(request, referral, form)
    try:
        with transaction.atomic():
            services.reply(referral=referral, note=form.cleaned_data["note"], by=request.user, at=clock.now())
    except Refused as why:
        form.add_error(None, str(why))
        return _detail(request, referral, form, status=409)
    messages.success(request, "Your answer is sent to the pantry.")
    return redirect("referrals:detail", referral.pk)


@roles(Role.PERSONAL_ADVISOR)
@transaction.atomic
def withdraw(request, referral_id):
    """Take it back, asked first; a draft is thrown away without a reason."""
    referral = get_or_404(doors.mine(request), pk=referral_id)
    is_draft = referral.state == rules.DRAFT
    if not rules.can_move(referral.state, rules.WITHDRAWN):
        messages.error(request, f"Introduction {referral.reference} is {rules.SPOKEN[referral.state]} and stays so.")
        return redirect("referrals:detail", referral.pk)
    form = None if is_draft else forms.WithdrawForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and (form is None or form.is_valid()):
        reason = form.cleaned_data["reason"] if form else ""
        services.withdraw(referral=referral, reason=reason, by=request.user, at=clock.now())
        messages.success(request, f"Introduction {referral.reference} is withdrawn.")
        return redirect("referrals:detail", referral.pk)
    doors.viewed(request, referral.care_leaver, referral)
    return render(
        request, "referrals/referral_withdraw.html", {"referral": referral, "form": form, "is_draft": is_draft}
    )
