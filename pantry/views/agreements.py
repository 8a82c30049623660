"""Agreements and their money: paid in advance, drawn, what became of the weeks; blocks, journal, payments."""

from django.contrib import messages
from django.db import transaction
from django.db.models import F
from django.shortcuts import redirect, render
from django.urls import reverse

from pantry import money as figures
from pantry.forms.agreements import AgreementForm, AsAtForm, PaymentForm
from pantry.models import EntryKind, FundingAgreement, JournalEntry, PrepaidBlock, TopUp
from pantry.services import funding, journal
from pantry.services.corrections import REVERSIBLE
from pantry.services.top_ups import said_weeks
from pantry.views.answers import answers
from stockport_hubs.accounts.models import Role
from stockport_hubs.accounts.permissions import get_or_404, roles
from stockport_hubs.audit import services as audit
from stockport_hubs.core import clock, money, weeks
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.pages import Paginator

READERS = (Role.LEAVING_CARE_MANAGER, Role.FINANCE_OFFICER)
PAGE = 25
PAYMENTS_SHOWN = 5
COLUMNS = (
    ("bought", "Weeks bought"),
    ("collected", "Collected"),
    ("missed", "Missed"),
    ("closed", "Closed late"),
    ("to_come", "To come"),
    ("credited", "Credited"),
    ("recoverable", "Recoverable"),
)


@roles(*READERS)
def agreements(request):
    """The council's agreements with what is left of the money paid in advance and of the year's budget."""
    today = clock.today()
    of_user = FundingAgreement.objects.for_user(request.user).select_related("operator").prefetch_related("budgets")
    found = figures.with_left(of_user).order_by(F("ends_on").desc(nulls_first=True), "name")
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    year = weeks.financial_year(today)
    rows = [
        {"agreement": each, "budget": next((b for b in each.budgets.all() if b.year_starts_on == year), None)}
        for each in page
    ]
    context = {
        "page_obj": page,
        "rows": rows,
        "today": today,
        "year": year,
        "manages": request.user.role == Role.LEAVING_CARE_MANAGER,
    }
    return render(request, "pantry/agreement_list.html", context)


def _own(request, agreement_id) -> FundingAgreement:
    found = FundingAgreement.objects.for_user(request.user).select_related("operator", "funder")
    return get_or_404(found, pk=agreement_id)


@roles(*READERS)
def agreement(request, agreement_id):
    """Where the money is, as at a day; every figure of pantry.money."""
    shown, today = _own(request, agreement_id), clock.today()
    form = AsAtForm(request.GET if "as_at_day" in request.GET else None, initial={"as_at": today})
    as_at = (form.cleaned_data["as_at"] or today) if form.is_bound and form.is_valid() else today
    payments = figures.with_advance(
        JournalEntry.objects.for_user(request.user).filter(agreement=shown, kind=EntryKind.PAYMENT)
    )
    position, pantries = figures.statement(shown, as_at)
    columns = [column for column in COLUMNS if column[0] != "closed" or position.closed_weeks]
    journal_url = reverse("pantry:agreement_journal", args=[shown.pk])
    context = {
        "agreement": shown,
        "form": form,
        "as_at": as_at,
        "is_today": as_at == today,
        "position": position,
        "overdrawn": position.left_pence < 0,
        "headings": [heading for _, heading in columns],
        "money_rows": [
            {"pantry": row.pantry, "joining": row.joining_pence, "cells": _cells(row, columns)} for row in pantries
        ],
        "total": _cells(position, columns),
        "blocks_label": "block" if position.blocks == 1 else "blocks",
        "members_note": f"for {position.members:,} member{'' if position.members == 1 else 's'}",
        "payments_url": f"{journal_url}?kind={EntryKind.PAYMENT}",
        "credits_url": f"{journal_url}?kind={EntryKind.CREDIT}",
        "conditions": _conditions(shown),
        "budgets": shown.budgets.all(),
        "payments": payments[:PAYMENTS_SHOWN],
        "manages": request.user.role == Role.LEAVING_CARE_MANAGER,
        "pays": request.user.role == Role.FINANCE_OFFICER,
    }
    return render(request, "pantry/agreement_detail.html", context)


def _cells(row: figures.Weekly, columns) -> list[tuple[str, int, int]]:
    """(heading, pence, weeks) of a row of the money table."""
    return [(heading, getattr(row, f"{name}_pence"), getattr(row, f"{name}_weeks")) for name, heading in columns]


def _conditions(agreement: FundingAgreement) -> list[dict]:
    """The conditions as a summary list."""
    hold = agreement.hold_after_weeks_without_collection
    limit = agreement.daily_limit_pence
    return [
        {"label": "Weeks in a block", "value": agreement.block_weeks},
        {"label": "Blocks for each person", "value": agreement.blocks_per_person or "as long as the conditions hold"},
        {
            "label": "Renewal",
            "value": "by itself, while the conditions hold" if agreement.renews_automatically else "a manager decides",
        },
        {
            "label": "When a price rises",
            "value": "weeks not yet used are topped up"
            if agreement.tops_up_price_rises
            else "weeks that are bought keep their price",
        },
        {"label": "Held after", "value": f"{hold} open weeks without a collection" if hold else "never for absence"},
        {"label": "Spend in a day at most", "value": "no limit" if limit is None else money.pounds(limit)},
    ]


@roles(Role.LEAVING_CARE_MANAGER)
def agreement_add(request):
    """A new agreement of one's own council."""
    form = AgreementForm(
        request.POST if request.method == "POST" else None,
        cancel=reverse("pantry:agreements"),
        instance=FundingAgreement(funder=request.user.organisation),
        initial={"starts_on": clock.today()},
    )
    if request.method == "POST" and form.is_valid():
        try:
            made = funding.create_agreement(
                funder=request.user.organisation,
                operator=form.cleaned_data["operator"],
                by=request.user,
                at=clock.now(),
                **form.conditions(),
            )
        except Refused as why:
            form.add_error(None, str(why))
        else:
            messages.success(request, "The agreement is added. A finance officer records what is paid in advance.")
            return redirect("pantry:agreement", made.pk)
    return render(request, "pantry/agreement_form.html", {"form": form, "agreement": None})


@roles(Role.LEAVING_CARE_MANAGER)
def agreement_edit(request, agreement_id):
    """Change the conditions for what is bought from now on."""
    shown, today = _own(request, agreement_id), clock.today()
    budget = shown.budgets.filter(year_starts_on__lte=today).last() or shown.budgets.first()
    form = AgreementForm(
        request.POST if request.method == "POST" else None,
        cancel=reverse("pantry:agreement", args=[shown.pk]),
        instance=_own(request, agreement_id),
        initial={"budget_pence": budget.limit_pence if budget else None},
    )
    if request.method == "POST" and form.is_valid():
        try:
            funding.edit_agreement(agreement=shown, by=request.user, at=clock.now(), **form.conditions())
        except Refused as why:
            form.add_error(None, str(why))
        else:
            messages.success(request, "The agreement is saved. It holds for what is bought from now on.")
            return redirect("pantry:agreement", shown.pk)
    return render(request, "pantry/agreement_form.html", {"form": form, "agreement": shown})


@roles(*READERS)
@transaction.atomic
def agreement_blocks(request, agreement_id):
    """Every block bought under the agreement, by membership number, with what became of its weeks."""
    shown, words = _own(request, agreement_id), request.GET.get("q", "").strip()
    found = PrepaidBlock.objects.for_user(request.user).filter(agreement=shown)
    if words:
        number = {"membership__number": int(words)} if words.isdecimal() and len(words) < 9 else {"pk": None}
        found = found.filter(**number)
    found = found.select_related("membership").order_by("-bought_on", "member_number", "block_no")
    page = Paginator(found, PAGE, keys_first=True).get_page(request.GET.get("page"))
    weekly = figures.of_blocks(list(page), clock.today())
    rows = [
        {
            "block": block,
            "weekly": weekly[block.pk],
            "topped_up_pence": weekly[block.pk].bought_pence - block.weeks * block.weekly_pence,
        }
        for block in page
    ]
    if rows:
        subjects = [(audit.MEMBERSHIP, row["block"].membership_id) for row in rows]
        audit.record("pantry.blocks.viewed", at=clock.now(), by=request.user, target=shown, subjects=subjects)
    context = {"agreement": shown, "page_obj": page, "rows": rows, "query": words}
    return render(request, "pantry/agreement_blocks.html", context)


@roles(*READERS)
@transaction.atomic
def agreement_journal(request, agreement_id):
    """The journal, latest first, each entry with its lines; purchases and credits name the membership number."""
    shown = _own(request, agreement_id)
    kind = request.GET.get("kind", "")
    kind = kind if kind in EntryKind.values else ""
    entries = JournalEntry.objects.for_user(request.user).filter(agreement=shown)
    if kind:
        entries = entries.filter(kind=kind)
    listed = figures.with_advance(entries).select_related("by").prefetch_related("lines__pantry")
    page = Paginator(listed, PAGE).get_page(request.GET.get("page"))
    sources = {
        line.source_id for entry in page for line in entry.lines.all() if line.source_type in ("block", "credit")
    }
    blocks = {
        block.pk: block
        for block in PrepaidBlock.objects.for_user(request.user).filter(pk__in=sources).select_related("membership")
    }
    raised = {line.source_id for entry in page for line in entry.lines.all() if line.source_type == "top_up"}
    top_ups = {
        each.pk: f"{said_weeks(each.n_weeks, each.n_members)}, to {money.pounds(each.tariff.weekly_pence)} a week"
        for each in TopUp.objects.for_user(request.user).filter(pk__in=raised).select_related("tariff").counted()
    }
    its = [entry.pk for entry in page if entry.kind in REVERSIBLE]
    reversed_ = set(
        JournalEntry.objects.for_user(request.user).filter(reverses__in=its).values_list("reverses_id", flat=True)
        if its
        else ()
    )
    rows = [
        {
            "entry": entry,
            "is_reversed": entry.pk in reversed_,
            "can_reverse": entry.kind in REVERSIBLE and entry.pk not in reversed_,
            "block": next((blocks[line.source_id] for line in entry.lines.all() if line.source_id in blocks), None),
            "top_up": next((top_ups[line.source_id] for line in entry.lines.all() if line.source_id in top_ups), ""),
        }
        for entry in page
    ]
    if blocks:
        subjects = [(audit.MEMBERSHIP, block.membership_id) for block in blocks.values()]
        audit.record("pantry.journal.viewed", at=clock.now(), by=request.user, target=shown, subjects=subjects)
    context = {"agreement": shown, "page_obj": page, "rows": rows, "kind": kind, "kinds": EntryKind.choices}
    return render(request, "pantry/agreement_journal.html", context)


@roles(Role.FINANCE_OFFICER)
def payment_add(request, agreement_id):
    """A payment in advance: typed, checked, recorded."""
    shown, today = _own(request, agreement_id), clock.today()
    cancel = reverse("pantry:agreement", args=[shown.pk])
    form = PaymentForm(
        request.POST if request.method == "POST" else None, cancel=cancel, today=today, initial={"on": today}
    )
    step = request.POST.get("step", "")
    if request.method == "POST" and step != "change" and form.is_valid():
        if step != "confirm":
            context = {"agreement": shown, "payment": form.cleaned_data, "answers": answers(request)}
            return render(request, "pantry/payment_check.html", context)
        try:
            journal.pay_in_advance(agreement=shown, by=request.user, at=clock.now(), **form.cleaned_data)
        except Refused as why:
            form.add_error("invoice", str(why))
        else:
            messages.success(request, f"{money.pounds(form.cleaned_data['pence'])} paid in advance is recorded.")
            return redirect("pantry:agreement", shown.pk)
    return render(request, "pantry/payment_form.html", {"agreement": shown, "form": form})
