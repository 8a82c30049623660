"""Monthly statements: the list, one with its lines, what is said of a line, agreeing, the payment, the files."""

from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from pantry import statement_files as files
from pantry import statements as figures
from pantry.forms.statements import PaymentOfForm, StatementFilters, WordsForm
from pantry.models import (
    SIDE_OF,
    MarkKind,
    Membership,
    Side,
    Statement,
    StatementState,
    StatementStep,
    StepKind,
)
from pantry.services import statement_lines
from pantry.services import statements as services
from stockport_hubs.accounts.models import Role
from stockport_hubs.accounts.permissions import get_or_404, roles
from stockport_hubs.audit import services as audit
from stockport_hubs.core import clock
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.pages import Paginator
from stockport_hubs.core.spreadsheets import download

READERS = (Role.LEAVING_CARE_MANAGER, Role.FINANCE_OFFICER, Role.PANTRY_MANAGER)
ANSWERERS = (Role.FINANCE_OFFICER, Role.PANTRY_MANAGER)
PAGE, LINES, SINCE, PAYMENTS = 25, 50, 25, 15
MONTHS = 60  # offered in the filter
COLOURS = {
    "queried": "red",
    "open": "blue",
    "operator": "yellow",
    "council": "yellow",
    "closed": "grey",
    "nothing": "green",
    "paid": "green",
}


@roles(*READERS)
@require_safe
def statements(request):
    """Every statement by month and pantry with where it stands."""
    mine = Statement.objects.for_user(request.user)
    months = list(mine.order_by("-month").values_list("month", flat=True).distinct()[:MONTHS])
    filters = StatementFilters(request.GET, user=request.user, months=months)
    found = mine.with_state().filter(**filters.chosen).select_related("agreement", "pantry")
    page = Paginator(found.order_by("-month", "pantry__name", "agreement__name"), PAGE).get_page(
        request.GET.get("page")
    )
    side = SIDE_OF.get(request.user.role)
    context = {
        "page_obj": page,
        "first": services.earliest_to_agree(mine.select_related("pantry"), side) if side else None,
        "rows": [(each, StatementState(each.state).label, COLOURS[each.state]) for each in page],
        "filters": filters,
        "is_filtered": bool(filters.chosen),
    }
    return render(request, "pantry/statement_list.html", context)


def _own(request, statement_id) -> Statement:
    found = Statement.objects.for_user(request.user).with_state()
    return get_or_404(found.select_related("agreement__funder", "agreement__operator", "pantry"), pk=statement_id)


def _looked(request, statement: Statement, members, verb: str = "viewed") -> None:
    subjects = [(audit.MEMBERSHIP, key) for key in dict.fromkeys(members) if key]
    audit.record(f"pantry.statement.{verb}", at=clock.now(), by=request.user, target=statement, subjects=subjects)


@roles(*READERS)
@require_safe
@transaction.atomic
def statement(request, statement_id):
    """The month's figures, a page of its lines by membership number, its history, and what was entered since."""
    own = _own(request, statement_id)
    shown, query = figures.show(own), request.GET.get("q", "").strip()
    keys = shown.keys()
    if query:
        keys = keys.filter(number=int(query)) if query.isdecimal() and len(query) < 9 else keys.none()
    page = Paginator(keys.values_list("pk", flat=True), LINES).get_page(request.GET.get("page"))
    lines, nobody = shown.lines(list(page)), shown.of_nobody()
    since, more_since = _since(own, SINCE) if shown.closing else ([], False)
    marks = _marks(own, [line.membership for line in lines])
    waiting = own.marks.waiting().select_related("membership").order_by("number")
    _looked(request, own, [line.membership for line in (*lines, *since)])
    side = SIDE_OF.get(request.user.role)
    agrees = side is not None and shown.closing is None
    has_agreed = side is not None and shown.closing is None and services.has_agreed(own, side)
    context = {
        "statement": own,
        "label": StatementState(own.state).label,
        "colour": COLOURS[own.state],
        "shown": shown,
        "total": shown.total,
        "has_prior": not shown.prior.is_empty,
        "page_obj": page,
        "rows": [(line, marks.get(line.membership)) for line in lines],
        "nobody": [(line, _marks(own, [None]).get(None)) for line in nobody],
        "since": since,
        "more_since": more_since,
        "query": query,
        "waiting": [(each, each.membership.number if each.membership else None) for each in waiting[:PAGE]],
        "steps": _steps(own),
        "payment": services.payment_of(own),
        "agrees": agrees,
        "answers": side is not None,
        "has_agreed": has_agreed,
        "first": services.agreed_first(own, side) if side and agrees and not has_agreed else None,
        "marks": agrees and side == Side.OPERATOR and not has_agreed,
        "is_council": side == Side.COUNCIL,
    }
    return render(request, "pantry/statement_detail.html", context)


def _since(own: Statement, most: int | None) -> tuple[list[figures.Line], bool]:
    """What was entered for the month or earlier since it was closed, of the first members; whether there is more."""
    scope, keys = figures.since(own), None
    if most is not None:
        keys = list(figures.members_since(scope).values_list("pk", flat=True)[: most + 1])
    lines = figures.lines(scope, keys if keys is None else keys[:most])
    return [line for line in lines if line.is_prior], keys is not None and len(keys) > (most or 0)


def _marks(own: Statement, members) -> dict:
    """The mark that counts of each line, by member (None: of no one member), unless it was taken back."""
    keys = [member or own.pk for member in members]
    found = own.marks.standing().filter(line__in=keys).exclude(kind=MarkKind.TAKEN_BACK)
    return {mark.membership_id: mark for mark in found}


def _steps(own: Statement) -> list[tuple[str, StatementStep]]:
    names = {Side.OPERATOR: own.agreement.operator.name, Side.COUNCIL: own.agreement.funder.name}
    words = {
        StepKind.AGREED: "agreed it",
        StepKind.TAKEN_BACK: "took its agreement back",
        StepKind.LAPSED: "has to agree it again: something was entered since",
        StepKind.PAID: "recorded the payment",
        StepKind.PAID_TAKEN_BACK: "took the payment back",
    }
    found = own.steps.select_related("by")
    return [(f"{names[Side(step.side)]} {words[StepKind(step.kind)]}", step) for step in found]


@roles(*READERS)
@require_safe
@transaction.atomic
def statement_csv(request, statement_id):
    """Every line."""
    own = _own(request, statement_id)
    shown, lines, since = _whole(request, own)
    marks = {mark.membership_id: mark for mark in own.marks.standing().exclude(kind=MarkKind.TAKEN_BACK)}
    return download(files.statement_csv(shown, lines, since, marks), files.statement_name(shown))


@roles(*READERS)
@require_safe
@transaction.atomic
def statement_pdf(request, statement_id):
    """As it is printed."""
    own = _own(request, statement_id)
    shown, lines, since = _whole(request, own)
    try:
        printed = files.statement_pdf(shown, lines, since, printed_at=clock.now())
    except Refused as why:
        messages.error(request, str(why))
        return redirect("pantry:statement", own.pk)
    response = HttpResponse(printed, content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="{files.statement_name(shown)}.pdf"'
    return response


def _whole(request, own: Statement) -> tuple[figures.Shown, list[figures.Line], list[figures.Line]]:
    shown = figures.show(own)
    lines = shown.lines()
    since, _ = _since(own, None) if shown.closing else ([], False)
    _looked(request, own, [line.membership for line in (*lines, *since)], "downloaded")
    return shown, lines, since


@roles(*ANSWERERS)
@require_http_methods(["GET", "HEAD", "POST"])
@transaction.atomic
def statement_line(request, statement_id, line_id):
    """One line with all that was said of it; the pantries agree or query it, the council answers."""
    own = _own(request, statement_id)
    shown = figures.show(own)
    if line_id == own.pk:
        lines, number = shown.of_nobody(), None
    else:
        member = get_or_404(Membership.objects.for_user(request.user), pk=line_id)
        lines, number = shown.lines([member.pk]), member.number
    if not lines:
        raise Http404
    is_council = request.user.role == Role.FINANCE_OFFICER
    label = "What is your answer?" if is_council else "What is queried?"
    kind = request.POST.get("kind", "")
    typed = kind in (MarkKind.QUERIED, MarkKind.ANSWERED)
    form = WordsForm(request.POST if request.method == "POST" and typed else None, label=label)
    if request.method == "POST" and kind in MarkKind.values and (not typed or form.is_valid()):
        try:
            with transaction.atomic():
                words = form.cleaned_data["words"] if typed else ""
                statement_lines.mark(
                    statement=own, line=line_id, kind=kind, words=words, by=request.user, at=clock.now()
                )
        except Refused as why:
            if typed:
                form.add_error("words", str(why))
            else:
                messages.error(request, str(why))
        else:
            messages.success(request, SAID[kind])
            return redirect("pantry:statement", own.pk)
    _looked(request, own, [line.membership for line in lines])
    said = own.marks.filter(line=line_id).select_related("by")
    last = said.last()
    context = {
        "statement": own,
        "number": number,
        "lines": lines,
        "said": said,
        "form": form,
        "is_open": shown.closing is None,
        "is_council": is_council,
        "is_queried": last is not None and last.kind == MarkKind.QUERIED,
        "is_agreed": last is not None and last.kind == MarkKind.AGREED,
        "may_mark": shown.closing is None and not is_council and not services.has_agreed(own, Side.OPERATOR),
    }
    return render(request, "pantry/statement_line.html", context)


SAID = {
    MarkKind.AGREED: "The line is agreed.",
    MarkKind.QUERIED: (
        "The line is queried. A finance officer answers; until then it is on the agenda of the next meeting."
    ),
    MarkKind.ANSWERED: "The query is answered.",
    MarkKind.TAKEN_BACK: "Your mark is taken back.",
}


@roles(*ANSWERERS)
@require_http_methods(["GET", "HEAD", "POST"])
def statement_agree(request, statement_id):
    """Agree what the page before showed; the second side's answer closes the month."""
    own = _own(request, statement_id)
    back = redirect("pantry:statement", own.pk)
    try:
        side = services.check_can_agree(own, request.user)
        if request.method == "POST":
            seen = request.POST.get("seen", "")
            closed = services.agree(statement=own, by=request.user, at=clock.now(), seen=seen)
            said = f"{own} is agreed by both sides and closed." if closed else "You have agreed this statement."
            messages.success(request, said)
            return back
    except Refused as why:
        messages.error(request, str(why))
        return back
    shown = figures.show(own)
    other = Side.COUNCIL if side == Side.OPERATOR else Side.OPERATOR
    context = {
        "statement": own,
        "total": shown.total,
        "closes": services.has_agreed(own, other),
        "seen": services.digest(shown),
        "other": own.agreement.funder.name if other == Side.COUNCIL else own.agreement.operator.name,
    }
    return render(request, "pantry/statement_agree.html", context)


@roles(*ANSWERERS)
@require_POST
def statement_take_back(request, statement_id):
    """Take one's agreement back."""
    own = _own(request, statement_id)
    try:
        services.take_back(statement=own, by=request.user, at=clock.now())
    except Refused as why:
        messages.error(request, str(why))
    else:
        messages.success(request, "Your agreement is taken back. The statement is open again.")
    return redirect("pantry:statement", own.pk)


@roles(Role.FINANCE_OFFICER)
@require_http_methods(["GET", "HEAD", "POST"])
def statement_payment(request, statement_id):
    """Say which payment paid a closed statement; or take that back."""
    own = _own(request, statement_id)
    back = reverse("pantry:statement", args=[own.pk])
    if request.method == "POST" and request.POST.get("step") == "take_back":
        return _answered(request, own, "The payment is taken back.", services.take_back_payment)
    choices = {str(each.pk): each for each in services.payments(own)[:PAYMENTS]}
    posted = request.POST if request.method == "POST" else None
    form = PaymentOfForm(posted, payments=choices.values(), cancel=back)
    if request.method == "POST" and form.is_valid():
        payment = choices[form.cleaned_data["payment"]]
        return _answered(request, own, "The payment is recorded.", services.pay, payment=payment)
    context = {"statement": own, "form": form, "choices": choices, "shown": figures.show(own)}
    return render(request, "pantry/statement_payment.html", context)


def _answered(request, own: Statement, said: str, do, **more):
    try:
        do(statement=own, by=request.user, at=clock.now(), **more)
    except Refused as why:
        messages.error(request, str(why))
    else:
        messages.success(request, said)
    return redirect("pantry:statement", own.pk)
