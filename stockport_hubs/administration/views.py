"""Account pages: who has one, invitations, joining, deactivation; organisations."""

from allauth.account.utils import perform_login
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.paginator import Paginator
from django.db.models import Q
from django.shortcuts import redirect, render, resolve_url
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from stockport_hubs.accounts.models import Organisation, Role, User
from stockport_hubs.accounts.permissions import get_or_404, roles
from stockport_hubs.administration import services
from stockport_hubs.administration.forms import CorrectForm, FilterForm, InviteForm, JoinForm, OrganisationForm
from stockport_hubs.core import clock
from stockport_hubs.core.errors import Refused

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
    page = Paginator(found.select_related("organisation").order_by("name", "email"), PER_PAGE).get_page(
        request.GET.get("page")
    )
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
    now = clock.now()
    invitations = [
        {"invitation": each, "state": _invitation_state(each, now)}
        for each in shown.invitations.select_related("invited_by").order_by("-created_at")[:PER_PAGE]
    ]
    rows = [
        {"label": "Email address", "value": shown.email},
        {"label": "Work phone", "value": shown.work_phone or "Not recorded"},
        {"label": "Role", "value": shown.get_role_display()},
        {"label": "Organisation", "value": shown.organisation.name},
    ]
    return render(
        request,
        "administration/account_detail.html",
        {"account": shown, "rows": rows, "invitations": invitations, "is_own": shown.pk == request.user.pk},
    )


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
        services.correct(user=shown, **form.cleaned_data, by=request.user, at=clock.now())
        messages.success(request, "The account has been changed.")
        return redirect(back)
    return render(request, "administration/account_edit.html", {"form": form, "account": shown, "back_url": back})


@administers
@require_POST
def invite_again(request, pk):
    """Withdraw the open invitation and send a new one."""
    shown = _account(request, pk)
    try:
        services.invite_again(user=shown, by=request.user, at=clock.now())
        messages.success(request, f"A new invitation is on its way to {shown.email}. Earlier links no longer work.")
    except Refused as refusal:
        messages.error(request, str(refusal))
    return redirect("accounts:detail", shown.pk)


@administers
def deactivate(request, pk):
    """Ask, then end an account at once."""
    shown = _account(request, pk)
    if request.method == "POST":
        try:
            services.deactivate(user=shown, by=request.user, at=clock.now())
            messages.success(request, f"{shown.name} can no longer sign in.")
        except Refused as refusal:
            messages.error(request, str(refusal))
        return redirect("accounts:detail", shown.pk)
    return render(request, "administration/account_deactivate.html", {"account": shown})


@administers
@require_POST
def reactivate(request, pk):
    """Let a deactivated account in again."""
    shown = _account(request, pk)
    try:
        services.reactivate(user=shown, by=request.user, at=clock.now())
        then = "can sign in again" if shown.joined_at else "has been sent a new invitation"
        messages.success(request, f"{shown.name} {then}.")
    except Refused as refusal:
        messages.error(request, str(refusal))
    return redirect("accounts:detail", shown.pk)


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


@login_not_required
@never_cache
@sensitive_post_parameters("password", "password_again")
def join(request, token):
    """Take up an invitation: choose a password, be signed in, land on home."""
    invitation, now = services.find_invitation(token), clock.now()
    refusal = services.why_not(invitation, at=now)
    if invitation is None or refusal:
        return _refused(request, refusal, 410 if invitation else 404)
    if request.user.is_authenticated:
        return render(request, "administration/join_signed_in.html", {"invited": invitation.user}, status=409)
    form = JoinForm(request.POST or None, user=invitation.user)
    if request.method == "POST" and form.is_valid():
        name, password = form.cleaned_data["name"], form.cleaned_data["password"]
        try:
            user = services.join(invitation=invitation, name=name, password=password, at=now)
        except Refused as refused:
            return _refused(request, str(refused), 410)
        return perform_login(request, user, redirect_url=resolve_url(settings.LOGIN_REDIRECT_URL))
    return render(request, "administration/join.html", {"form": form, "invited": invitation.user})


def _refused(request, refusal: str, status: int):
    return render(request, "administration/join_refused.html", {"refusal": refusal}, status=status)
