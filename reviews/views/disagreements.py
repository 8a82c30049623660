"""Disagreements of the two organisations, taken up rung by rung."""

from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from pantry.models import FundingAgreement, RenewalDecision
from reviews import rules
from reviews.forms.disagreements import OpenForm, PositionForm, SettleForm, TakeUpForm
from reviews.models import AgendaItem, Barrier, Disagreement, Rung
from reviews.services import disagreements as services
from reviews.views.agenda import READ, WORK_ON
from reviews.wording import LooksLikeAName
from stockport_hubs.accounts.permissions import get_or_404, roles
from stockport_hubs.core import clock
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.keys import uuid_or_none
from stockport_hubs.core.pages import Paginator

ROWS = 25


@roles(*READ)
@require_safe
def disagreements(request):
    """Those not settled first."""
    found = Disagreement.objects.for_user(request.user).select_related("agreement")
    context = {
        "page": Paginator(found, ROWS).get_page(request.GET.get("page")),
        "can_work": request.user.role in WORK_ON,
    }
    return render(request, "reviews/disagreement_list.html", context)


def _get(request, disagreement_id) -> Disagreement:
    found = Disagreement.objects.for_user(request.user).select_related(
        "agreement__funder", "agreement__operator", "barrier__pantry", "hold__membership", "opened_by"
    )
    return get_or_404(found, pk=disagreement_id)


@roles(*READ)
@require_safe
def disagreement(request, disagreement_id):
    """Both positions, the ladder and how far it has gone."""
    shown = _get(request, disagreement_id)
    steps = {step.rung: step for step in shown.steps.select_related("by")}
    context = {
        "disagreement": shown,
        "ladder": [(rung.label, steps.get(rung.value), rung.value == shown.rung) for rung in Rung],
        "higher": rules.next_rungs(shown.rung),
        "can_work": request.user.role in WORK_ON and not shown.settled_on,
        "manages": request.user.role in WORK_ON,
    }
    return render(request, "reviews/disagreement_detail.html", context)


def _origin(request) -> tuple[dict, str]:
    """(what it is about, the words to begin with) of an agenda item, a barrier or a held renewal in the address."""
    user, asked = request.user, request.GET
    if key := uuid_or_none(asked.get("barrier")):
        found = Barrier.objects.for_user(user).filter(care_leaver__isnull=True).select_related("pantry")
        barrier = get_or_404(found, pk=key)
        return {
            "barrier": barrier
        }, f"{barrier.pantry.name if barrier.pantry else ''}: {barrier.get_category_display()}"
    if key := uuid_or_none(asked.get("hold")):
        decision = get_or_404(RenewalDecision.objects.for_user(user).select_related("membership"), pk=key)
        return {"hold": decision}, f"Renewal of member {decision.membership.number}, block {decision.block_no}"
    if key := uuid_or_none(asked.get("item")):
        return {}, get_or_404(AgendaItem.objects.for_user(user), pk=key).title
    if set(asked) & {"barrier", "hold", "item"}:
        raise Http404
    return {}, ""


@roles(*WORK_ON)
@require_http_methods(["GET", "HEAD", "POST"])
def disagreement_add(request):
    """Record one; ?barrier=, ?hold= or ?item= say what it is about."""
    origin, words = _origin(request)
    agreements = FundingAgreement.objects.for_user(request.user)
    back = reverse("reviews:disagreements")
    form = OpenForm(request.POST or None, agreements=agreements, cancel=back, initial={"about": words[:200]})

    def save(given):
        made = services.open_one(by=request.user, at=clock.now(), **origin, **given)
        messages.success(request, "The disagreement is recorded. It is on every agenda until it is settled.")
        return redirect("reviews:disagreement", made.pk)

    has_agreement = agreements.exists()
    return _form_page(request, form, save, "Record a disagreement", back, "Disagreements", nothing=not has_agreement)


def _form_page(request, form, save, heading: str, back: str, back_text: str, *, nothing: bool = False):
    """Show the form, or save it and go on; refusals stand where they belong."""
    if request.method == "POST" and form.is_valid():
        try:
            return save(form.cleaned_data)
        except LooksLikeAName as why:
            form.add_error("names_nobody", str(why))
        except Refused as why:
            form.add_error(None, str(why))
    context = {"form": form, "heading": heading, "back": back, "back_text": back_text, "nothing": nothing}
    return render(request, "reviews/meeting_form.html", context)


def _open(request, disagreement_id) -> tuple[Disagreement, str]:
    shown = _get(request, disagreement_id)
    return shown, reverse("reviews:disagreement", args=[shown.pk])


def _settled(request, back: str):
    messages.error(request, "This disagreement is settled and stays as it was. If it has come back, record it again.")
    return redirect(back)


@roles(*WORK_ON)
@require_http_methods(["GET", "HEAD", "POST"])
def disagreement_position(request, disagreement_id):
    """What one's own organisation holds."""
    shown, back = _open(request, disagreement_id)
    if shown.settled_on:
        return _settled(request, back)
    now = shown.council_position if request.user.is_council else shown.operator_position
    form = PositionForm(request.POST or None, cancel=back, initial={"position": now})

    def save(given):
        services.state_position(disagreement=shown, by=request.user, at=clock.now(), **given)
        messages.success(request, "Saved.")
        return redirect(back)

    return _form_page(request, form, save, "What your organisation holds", back, "The disagreement")


@roles(*WORK_ON)
@require_http_methods(["GET", "HEAD", "POST"])
def disagreement_take_up(request, disagreement_id):
    """To a higher rung."""
    shown, back = _open(request, disagreement_id)
    if shown.settled_on:
        return _settled(request, back)
    if not rules.next_rungs(shown.rung):
        messages.error(
            request, "The heads of service have it: there is no higher rung. Settle it with what they decided."
        )
        return redirect(back)
    form = TakeUpForm(request.POST or None, disagreement=shown, cancel=back)

    def save(given):
        services.take_up(disagreement=shown, by=request.user, at=clock.now(), **given)
        messages.success(request, f"Taken up: {Rung(given['rung']).label.lower()}.")
        return redirect(back)

    return _form_page(request, form, save, "Take it up", back, "The disagreement")


@roles(*WORK_ON)
@require_http_methods(["GET", "HEAD", "POST"])
def disagreement_settle(request, disagreement_id):
    """With an outcome, at whichever rung."""
    shown, back = _open(request, disagreement_id)
    if shown.settled_on:
        return _settled(request, back)
    form = SettleForm(request.POST or None, cancel=back)

    def save(given):
        services.settle(disagreement=shown, by=request.user, at=clock.now(), **given)
        messages.success(request, "The disagreement is settled.")
        return redirect(back)

    return _form_page(request, form, save, "Settle the disagreement", back, "The disagreement")
