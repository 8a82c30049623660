"""Account pages: who has one, invitations, roles, deactivation; organisations."""

from collections.abc import Callable

from django.contrib import messages
from django.db.models import Q
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_POST

from stockport_hubs.accounts.models import Organisation, Role, User
from stockport_hubs.accounts.permissions import get_or_404, needs_second_step, roles
from stockport_hubs.administration import services
from stockport_hubs.administration.forms import CorrectForm, FilterForm, InviteForm, MoveForm, OrganisationForm
from stockport_hubs.core import clock
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.pages import Paginator
from stockport_hubs.core.templatetags.hubs import moment

PER_PAGE = 25
STATES: dict[str, dict[str, object]] = {
    "active": {"is_active": True},
    "invited": {"joined_at": None, "deactivated_at": None},
    "deactivated": {"deactivated_at__isnull": False},
}
administers = roles(Role.ADMINISTRATOR, Role.PANTRY_MANAGER)


@administers
def accounts(request):
    """Accounts this person administers, with search and filters."""
    mine = User.objects.for_user(request.user)
    filters, query = FilterForm(request.GET), request.GET.get("q", "").strip()
    chosen = filters.cleaned_data if filters.is_valid() else {}
    found = mine.search(query)
    if role := chosen.get("role"):
        found = found.filter(role=role)
    if state := chosen.get("state"):
        found = found.filter(Q(**STATES[state]))
    if request.user.role != Role.ADMINISTRATOR:
        del filters.fields["role"]
    rows = found.select_related("organisation").order_by("name", "email")
    page = Paginator(rows, PER_PAGE, keys_first=True).get_page(request.GET.get("page"))
    return render(
        request,
        "administration/account_list.html",
        {
            "page_obj": page,
            "filters": filters,
            "query": query,
            "is_filtered": bool(query or any(chosen.values())),
            "is_administrator": request.user.role == Role.ADMINISTRATOR,
        },
    )


@administers
def invite(request):
    """Invite someone by e-mail."""
    form = InviteForm(request.POST or None, user=request.user)
    if request.method == "POST" and form.is_valid():
        try:
            user, _ = services.invite(**form.cleaned_data, by=request.user, at=clock.now())
        except services.NameRefused as refusal:
            form.add_error("name", str(refusal))
        except Refused as refusal:
            form.add_error("email", str(refusal))
        else:
            messages.success(request, f"An invitation is on its way to {user.email}.")
            return redirect("accounts:detail", user.pk)
    is_administrator = request.user.role == Role.ADMINISTRATOR
    return render(request, "administration/account_invite.html", {"form": form, "is_administrator": is_administrator})


@administers
def account(request, pk):
    """One account: facts, invitations, what can be done."""
    shown = _account(request, pk)
    now, steps = clock.now(), services.second_steps(shown)
    invitations = [
        {"invitation": each, "state": _invitation_state(each, now)}
        for each in shown.invitations.select_related("invited_by").order_by("-created_at")[:PER_PAGE]
    ]
    rows: list[dict[str, str]] = [
        {"label": "Email address", "value": shown.email or "None: records on a tablet with a PIN"},
        {"label": "Work phone", "value": shown.work_phone or "Not recorded"},
        {"label": "Role", "value": shown.get_role_display()},
        {"label": "Organisation", "value": shown.organisation.name},
        {"label": "Last signed in", "value": moment(shown.last_login) if shown.last_login else "Never"},
        {"label": "Second step", "value": _second_step(shown, steps)},
    ]
    is_own = shown.pk == request.user.pk
    if request.user.role == Role.ADMINISTRATOR and not is_own:
        for row in rows[2:4]:
            row |= {"url": reverse("accounts:move", args=[shown.pk]), "change": "role or organisation"}
    return render(
        request,
        "administration/account_detail.html",
        {
            "account": shown,
            "rows": rows,
            "invitations": invitations,
            "is_own": is_own,
            "has_open_invitation": any(each["state"] == "Open" for each in invitations),
            "has_second_step": bool(steps),
        },
    )


def _second_step(user: User, kinds: set[str]) -> str:
    """How the account's second step stands, in words."""
    words = [label for kind, label in {"totp": "Code from an app", "webauthn": "Passkey"}.items() if kind in kinds]
    if words:
        return " and ".join(words).capitalize()
    return "Not set up yet; the role needs one" if needs_second_step(user) else "Not set up"


def _invitation_state(invitation, now) -> str:
    if invitation.used_at:
        return "Used"
    if invitation.withdrawn_at:
        return "Withdrawn"
    return "Ran out" if invitation.expires_at <= now else "Open"


@administers
def account_edit(request, pk):
    """Correct what someone is called and their work phone."""
    shown = _account(request, pk)
    initial = {"name": shown.name, "work_phone": shown.work_phone}
    back = reverse("accounts:detail", args=[shown.pk])
    form = CorrectForm(request.POST or None, initial=initial, cancel=back)
    if request.method == "POST" and form.is_valid():
        try:
            services.correct(user=shown, **form.cleaned_data, by=request.user, at=clock.now())
        except services.NameRefused as refusal:
            form.add_error("name", str(refusal))
        else:
            messages.success(request, "The account has been changed.")
            return redirect(back)
    return render(request, "administration/account_edit.html", {"form": form, "account": shown, "back_url": back})


@roles(Role.ADMINISTRATOR)
def move(request, pk):
    """Another role or organisation, at once."""
    shown = _account(request, pk)
    back = reverse("accounts:detail", args=[shown.pk])
    initial = {"role": shown.role, "organisation": shown.organisation_id}
    form = MoveForm(request.POST or None, initial=initial, user=request.user, cancel=back)
    if request.method == "POST" and form.is_valid():
        try:
            services.move(user=shown, **form.cleaned_data, by=request.user, at=clock.now())
        except Refused as refusal:
            form.add_error("role", str(refusal))
        else:
            messages.success(request, f"The account of {shown.name} has been changed. They sign in again.")
            return redirect(back)
    return render(request, "administration/account_move.html", {"form": form, "account": shown, "back_url": back})


@administers
@require_POST
def invitation_withdraw(request, pk):
    """The open link stops working."""
    shown = _account(request, pk)
    return _done(request, shown, services.withdraw_invitation, f"The invitation of {shown.name} no longer works.")


@administers
def second_step_reset(request, pk):
    """Ask, then remove somebody's second step: they have lost their phone or key."""
    shown = _account(request, pk)
    if request.method == "POST":
        said = f"The second step of {shown.name} is removed, and they have been told."
        return _done(request, shown, services.reset_second_step, said)
    return render(request, "administration/account_second_step.html", {"account": shown})


@administers
@require_POST
def invite_again(request, pk):
    """Withdraw the open invitation and send a new one."""
    shown = _account(request, pk)
    said = f"A new invitation is on its way to {shown.email}. Earlier links no longer work."
    return _done(request, shown, services.invite_again, said)


@administers
def deactivate(request, pk):
    """Ask, then end an account at once."""
    shown = _account(request, pk)
    if request.method == "POST":
        return _done(request, shown, services.deactivate, f"{shown.name} can no longer sign in.")
    return render(request, "administration/account_deactivate.html", {"account": shown})


@administers
@require_POST
def reactivate(request, pk):
    """Let a deactivated account in again."""
    shown = _account(request, pk)
    then = "can sign in again" if shown.joined_at else "has been sent a new invitation"
    return _done(request, shown, services.reactivate, f"{shown.name} {then}.")


def _account(request, pk) -> User:
    return get_or_404(User.objects.for_user(request.user).select_related("organisation"), pk=pk)


@roles(Role.ADMINISTRATOR)
def organisations(request):
    """Councils and pantry operators."""
    page = Paginator(Organisation.objects.for_user(request.user).order_by("kind", "name"), PER_PAGE).get_page(
        request.GET.get("page")
    )
    return render(request, "administration/organisation_list.html", {"page_obj": page})


@roles(Role.ADMINISTRATOR)
def organisation_add(request):
    """Add a council or a pantry operator."""
    form = OrganisationForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            added = services.add_organisation(**form.cleaned_data, by=request.user, at=clock.now())
        except Refused as refusal:
            form.add_error("name", str(refusal))
        else:
            messages.success(request, f"{added.name} has been added. You can now invite people to it.")
            return redirect("accounts:organisations")
    return render(request, "administration/organisation_add.html", {"form": form})


def _done(request, shown: User, verb: Callable, said: str):
    """Do it, say so or why not, and go back to the account."""
    try:
        verb(user=shown, by=request.user, at=clock.now())
        messages.success(request, said)
    except Refused as refusal:
        messages.error(request, str(refusal))
    return redirect("accounts:detail", shown.pk)
