"""Renewals: what is held and why, and a leaving care manager's decision."""

from django.contrib import messages
from django.db import transaction
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from pantry import held
from pantry import members as shown
from pantry.forms.renewals import DecisionForm
from pantry.models import Membership, RenewalDecision
from pantry.services import renewals as services
from pantry.views.answers import answers
from stockport_hubs.accounts.models import Role
from stockport_hubs.accounts.permissions import get_or_404, roles
from stockport_hubs.audit import services as audit
from stockport_hubs.core import clock, money, weeks
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.pages import Paginator

READERS = (Role.LEAVING_CARE_MANAGER, Role.FINANCE_OFFICER, Role.PANTRY_MANAGER)
PAGE = 25
Outcome = RenewalDecision.Outcome
SHOWN = {"held": "Held", "overdue": "Overdue", "all": "All decisions"}


@roles(*READERS)
@transaction.atomic
def renewals(request):
    """Decisions by membership number: those held, overdue ones alone, or all."""
    today, words = clock.today(), request.GET.get("q", "").strip()
    show = request.GET.get("show", "held")
    show = show if show in SHOWN else "held"
    of_user = RenewalDecision.objects.for_user(request.user).select_related("membership", "decided_by")
    waiting = of_user.filter(outcome=Outcome.HELD)
    overdue = waiting.filter(starts_on__lte=today)
    lists = {"held": waiting, "overdue": overdue, "all": of_user.order_by("-due_on", "member_number")}
    if words:
        found = {"membership__number": int(words)} if words.isdecimal() and len(words) < 9 else {"pk": None}
        lists["found"] = lists[show].filter(**found)
    paged = {name: Paginator(each, PAGE, keys_first=True, chosen_once=name != "all") for name, each in lists.items()}
    page = paged["found" if words else show].get_page(request.GET.get("page"))
    rows = held.rows(list(page), request.user, today)
    members = Membership.objects.for_user(request.user)
    if rows:
        audit.record(
            "pantry.renewals.viewed",
            at=clock.now(),
            by=request.user,
            subjects=[(audit.MEMBERSHIP, row.membership.pk) for row in rows],
        )
    context = {
        "page_obj": page,
        "rows": rows,
        "query": words,
        "show": show,
        "views": SHOWN.items(),
        "held": paged["held"],
        "overdue": paged["overdue"],
        "long_pauses": shown.long_paused(members, today).count(),
        "due_soon": Paginator(held.due_soon(members, today), PAGE),
        "names": request.user.role == Role.LEAVING_CARE_MANAGER,
    }
    return render(request, "pantry/renewal_list.html", context)


@roles(*READERS)
@transaction.atomic
def renewal(request, decision_id):
    """The facts of one decision; the leaving care manager chooses, sees what it costs, confirms."""
    found = RenewalDecision.objects.for_user(request.user).select_related(
        "membership__agreement", "decided_by", "block"
    )
    decision = get_or_404(found, pk=decision_id)
    decides = request.user.role == Role.LEAVING_CARE_MANAGER
    is_held = decision.outcome == Outcome.HELD
    form = None
    if decides and is_held:
        form = DecisionForm(
            request.POST if request.method == "POST" else None,
            starts_on=decision.starts_on,
            cancel=reverse("pantry:renewals"),
            initial={"self_pay_from": max(decision.starts_on, weeks.monday(clock.today()) + weeks.WEEK)},
        )
    if request.method == "POST":
        step = request.POST.get("step", "")
        if form is None:
            messages.error(request, services.said(decision) if decides else "Only a leaving care manager decides this.")
            return redirect("pantry:renewal", decision.pk)
        if step != "change" and form.is_valid():
            return _answer(request, decision, form, confirmed=step == "confirm")
    return render(request, "pantry/renewal_detail.html", _facts(request, decision, form))


@roles(Role.LEAVING_CARE_MANAGER)
@require_http_methods(["GET", "HEAD", "POST"])
@transaction.atomic
def take_back(request, decision_id):
    """A stop or self-pay that has not taken effect is taken back, asked first."""
    mine = RenewalDecision.objects.for_user(request.user).select_related("membership", "decided_by")
    decision = get_or_404(mine, pk=decision_id)
    try:
        services.check_can_take_back(decision, request.user, clock.today())
        if request.method == "POST":
            services.take_back(decision=decision, by=request.user, at=clock.now())
            messages.success(request, f"Member {decision.membership.number}: block {decision.block_no} is held again.")
            return redirect("pantry:renewal", decision.pk)
    except Refused as why:
        messages.error(request, str(why))
        return redirect("pantry:renewal", decision.pk)
    _facts(request, decision, None)
    return render(request, "pantry/renewal_take_back.html", {"decision": decision, "membership": decision.membership})


def _answer(request, decision: RenewalDecision, form: DecisionForm, *, confirmed: bool):
    """Show what the choice does, or do it; the loser of a double decision is told who decided and when."""
    chosen = {name: form.cleaned_data[name] for name in ("outcome", "self_pay_from", "weeks")}
    try:
        if confirmed:
            done = services.decide(
                decision=decision, note=form.cleaned_data["note"], by=request.user, at=clock.now(), **chosen
            )
            messages.success(request, _done(done))
            return redirect("pantry:renewals")
        consequence = held.preview(decision, by=request.user, at=clock.now(), **chosen)
    except Refused as why:
        messages.error(request, str(why))
        return redirect("pantry:renewal", decision.pk)
    context = {
        "decision": decision,
        "membership": decision.membership,
        "consequence": consequence,
        "self_pay_from": form.cleaned_data["self_pay_from"],
        "note": form.cleaned_data["note"],
        "answers": answers(request),
    }
    return render(request, "pantry/renewal_check.html", context)


def _done(decision: RenewalDecision) -> str:
    member = f"Member {decision.membership.number}"
    if decision.block:
        price = money.pounds(decision.block.price_pence + decision.block.topped_up_pence)
        return (
            f"{member}: block {decision.block_no} is bought for {price} and starts on {decision.starts_on:%-d %B %Y}."
        )
    if decision.outcome == Outcome.SELF_PAY:
        return f"{member} pays each week from {decision.membership.self_pay_from:%-d %B %Y}."
    return f"{member}: no more blocks are bought."


def _facts(request, decision: RenewalDecision, form) -> dict:
    """What the page shows; writes down who saw it."""
    [row] = held.rows([decision], request.user, clock.today())
    audit.record(
        "pantry.renewal.viewed",
        at=clock.now(),
        by=request.user,
        target=decision,
        subjects=[(audit.MEMBERSHIP, decision.membership_id)],
    )
    return {
        "decision": decision,
        "row": row,
        "membership": decision.membership,
        "last_block": decision.membership.blocks.filter(block_no__lt=decision.block_no).last(),
        "form": form,
        "is_held": decision.outcome == Outcome.HELD,
        "can_take_back": services.can_take_back(decision, request.user, clock.today()),
        "names": request.user.role == Role.LEAVING_CARE_MANAGER,
        "tells": request.user.role != Role.PANTRY_MANAGER,
    }
