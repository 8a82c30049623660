"""Four eyes: what waits for a second person, and every page on which something is proposed."""

from django.contrib import messages
from django.db import transaction
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from pantry.forms.proposals import (
    AnswerProposalForm,
    BackDateForm,
    CreditForm,
    EntryForm,
    GoodwillForm,
    ReversalForm,
)
from pantry.models import FundingAgreement, JournalEntry, Membership, Proposal
from pantry.services import corrections
from pantry.services import proposals as services
from pantry.services.proposals import Kind
from pantry.views.answers import answers
from pantry.views.members import fetch, viewed
from stockport_hubs.accounts.models import Role
from stockport_hubs.accounts.permissions import get_or_404, roles
from stockport_hubs.audit import services as audit
from stockport_hubs.core import clock, money
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.pages import Paginator
from stockport_hubs.core.rehearsal import rehearsed

COUNCIL = (Role.LEAVING_CARE_MANAGER, Role.FINANCE_OFFICER)
PAGE = 25
COLOURS = {"waiting": "yellow", "approved": "green", "refused": "red", "taken_back": "grey"}
SHOWN = {"waiting": "Waiting", "all": "All"}
asks = require_http_methods(["GET", "HEAD", "POST"])


@roles(*COUNCIL)
@require_safe
@transaction.atomic
def proposals(request):
    """What waits for a second person, the earliest first; or everything that was proposed, the latest first."""
    show = request.GET.get("show", "waiting")
    show = show if show in SHOWN else "waiting"
    found = Proposal.objects.for_user(request.user)
    found = found.waiting().order_by("proposed_at", "id") if show == "waiting" else found
    found = found.select_related("agreement", "membership", "proposed_by", "answered_by")
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    if subjects := [(audit.MEMBERSHIP, each.membership_id) for each in page if each.membership_id]:
        audit.record("pantry.proposals.viewed", at=clock.now(), by=request.user, subjects=subjects)
    context = {
        "page_obj": page,
        "rows": [
            {"proposal": each, "colour": COLOURS[each.state], "is_own": each.proposed_by_id == request.user.pk}
            for each in page
        ],
        "show": show,
        "views": SHOWN.items(),
    }
    return render(request, "pantry/proposals.html", context)


@roles(*COUNCIL)
@asks
@transaction.atomic
def proposal(request, proposal_id):
    """What it would do now, and the second person's answer."""
    rows = Proposal.objects.for_user(request.user).select_related(
        "agreement__funder", "agreement__operator", "membership", "proposed_by", "answered_by"
    )
    shown, now = get_or_404(rows, pk=proposal_id), clock.now()
    facts, pence, why_not = shown.facts, shown.pence, ""
    if shown.state == Proposal.State.WAITING:
        try:
            done = services.preview(shown, at=now)
            facts, pence = done.facts, done.pence
        except Refused as why:
            why_not = str(why)
    answers_it = services.can_answer(shown, request.user)
    form = AnswerProposalForm(
        request.POST if request.method == "POST" else None,
        cancel=reverse("pantry:proposals"),
        can_approve=not why_not,
        initial={"seen_pence": pence},
    )
    if request.method == "POST":
        try:
            services.check_can_answer(shown, request.user)
            if form.is_valid():
                return _answered(request, shown, form, now)
        except Refused as why:
            messages.error(request, str(why))
            return redirect("pantry:proposal", shown.pk)
    subjects = [(audit.MEMBERSHIP, shown.membership_id)] if shown.membership_id else []
    audit.record("pantry.proposal.viewed", at=now, by=request.user, target=shown, subjects=subjects)
    context = {
        "proposal": shown,
        "colour": COLOURS[shown.state],
        "facts": facts,
        "why_not": why_not,
        "form": form if answers_it else None,
        "is_waiting": shown.state == Proposal.State.WAITING,
        "is_own": shown.proposed_by_id == request.user.pk,
        "said": "" if shown.state == Proposal.State.WAITING else services.said(shown),
        "rows": shown.details["rows"] if shown.kind == Kind.OPENING else [],
    }
    return render(request, "pantry/proposal.html", context)


def _answered(request, shown: Proposal, form: AnswerProposalForm, now):
    given = {"proposal": shown, "by": request.user, "at": now}
    if form.cleaned_data["answer"] == form.APPROVE:
        with transaction.atomic():
            services.approve(seen_pence=form.cleaned_data["seen_pence"] or 0, **given)
        messages.success(request, f"Approved: {str(shown).lower()}. It is done.")
    else:
        services.refuse(reason=form.cleaned_data["reason"], **given)
        messages.success(request, f"Refused: {str(shown).lower()}. Nothing has changed.")
    return redirect("pantry:proposals")


@roles(*COUNCIL)
@asks
@transaction.atomic
def proposal_take_back(request, proposal_id):
    """Whoever proposed it takes it back, asked first."""
    shown = get_or_404(Proposal.objects.for_user(request.user).select_related("proposed_by"), pk=proposal_id)
    if request.method == "POST":
        try:
            services.take_back(proposal=shown, by=request.user, at=clock.now())
        except Refused as why:
            messages.error(request, str(why))
            return redirect("pantry:proposal", shown.pk)
        messages.success(request, "The proposal is taken back. Nothing has changed.")
        return redirect("pantry:proposals")
    return render(request, "pantry/proposal_take_back.html", {"proposal": shown})


def propose(request, form, *, details, agreement: FundingAgreement, kind: str, back: str, page: dict, member=None):
    """The form, the consequence in pence, the proposal. `details` gives the deed's own from what was typed."""
    step = request.POST.get("step", "")
    context = {"form": form, "back": back, "agreement": agreement, "member": member, **page}
    if request.method == "POST" and step != "change" and form.is_valid():
        given = form.cleaned_data
        try:
            with rehearsed(unless=step == "confirm"):
                made = services.propose(
                    kind=kind,
                    agreement=agreement,
                    membership=member,
                    details=details(given),
                    note=given["note"],
                    by=request.user,
                    at=clock.now(),
                )
        except Refused as why:
            form.add_error(None, str(why))
        else:
            if step == "confirm":
                messages.success(request, "Proposed. Nothing has changed yet: it waits for a second person.")
                return redirect("pantry:proposal", made.pk)
            context |= {"facts": made.facts, "note": made.note, "answers": answers(request)}
    if member is None:
        return render(request, "pantry/propose.html", context)
    with transaction.atomic():
        viewed(request, "pantry.member.viewed", [member], target=member)
        return render(request, "pantry/propose.html", context)


def _of_member(request, member: Membership, form, kind: str, details, title: str, lead: str):
    assert member.agreement is not None  # the council sees those its agreements pay for
    return propose(
        request,
        form,
        details=details,
        agreement=member.agreement,
        kind=kind,
        back=reverse("pantry:member", args=[member.pk]),
        page={"title": title, "lead": lead},
        member=member,
    )


@roles(*COUNCIL)
@asks
def member_goodwill(request, membership_id):
    """Weeks given at £0.00."""
    member = fetch(request, membership_id)
    form = GoodwillForm(request.POST or None, cancel=reverse("pantry:member", args=[member.pk]))
    lead = "They follow the weeks bought already, cost nothing, and the next block starts after them."
    title = "Give weeks as goodwill"
    return _of_member(request, member, form, Kind.GOODWILL, lambda given: {"weeks": given["weeks"]}, title, lead)


@roles(*COUNCIL)
@asks
def member_credit(request, membership_id):
    """Weeks that are over and were not collected go back as credit."""
    member = fetch(request, membership_id)
    there, back = corrections.creditable(member, clock.today()), reverse("pantry:member", args=[member.pk])
    if not there:
        messages.info(request, f"Member {member.number} has no week that could be credited: none was missed.")
        return redirect(back)
    form = CreditForm(request.POST or None, there=there, cancel=back)
    lead = "For weeks that were paid for and could not be used, for example because the pantry was shut unannounced."
    title = "Credit weeks"
    return _of_member(request, member, form, Kind.CREDIT, lambda given: {"weeks": sorted(given["weeks"])}, title, lead)


@roles(*COUNCIL)
@asks
def member_back_date(request, membership_id):
    """Leaving, a pause or its end, on a day more than 28 days ago."""
    member = fetch(request, membership_id)
    form = BackDateForm(request.POST or None, cancel=reverse("pantry:member", args=[member.pk]))

    def details(given: dict) -> dict:
        return {"what": given["what"], "on": given["on"].isoformat(), "reason": Membership.EndReason.LEFT}

    lead = "What happened more than 28 days ago is entered by two people."
    return _of_member(request, member, form, Kind.BACK_DATED, details, "A day more than 28 days ago", lead)


@roles(*COUNCIL)
@asks
def entry_add(request, agreement_id):
    """An entry of the journal by hand."""
    shown = get_or_404(FundingAgreement.objects.for_user(request.user), pk=agreement_id)
    back = reverse("pantry:agreement_journal", args=[shown.pk])
    form = EntryForm(request.POST or None, cancel=back, initial={"on": clock.today()})

    def details(given: dict) -> dict:
        return {name: given[name] for name in ("way", "pence", "invoice")} | {"on": given["on"].isoformat()}

    lead = "Payments, blocks and credits post by themselves. This is for money that went another way."
    page = {"title": "Enter money by hand", "lead": lead}
    return propose(request, form, details=details, agreement=shown, kind=Kind.ENTRY, back=back, page=page)


@roles(*COUNCIL)
@asks
def entry_reverse(request, entry_id):
    """A payment or an entry by hand that was wrong."""
    entries = JournalEntry.objects.for_user(request.user).select_related("agreement")
    entry = get_or_404(entries, pk=entry_id)
    back = reverse("pantry:agreement_journal", args=[entry.agreement_id])
    try:
        corrections.check_can_reverse(entry)
    except Refused as why:
        messages.info(request, str(why))
        return redirect(back)
    form = ReversalForm(request.POST or None, cancel=back)
    pence = sum(line.pence for line in entry.lines.all() if line.pence > 0)
    said = f"{entry.get_kind_display()} of {entry.effective_on:%-d %B %Y}, {money.pounds(pence)}"
    page = {"title": "Reverse an entry", "lead": f"{said}. The same amount is posted the other way round, today."}
    return propose(
        request,
        form,
        details=lambda given: {"entry": str(entry.pk)},
        agreement=entry.agreement,
        kind=Kind.REVERSAL,
        back=back,
        page=page,
    )
