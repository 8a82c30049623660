"""Pages about one's own account that allauth does not have: joining, what the second step is, an unwanted draft."""

from allauth.account.utils import perform_login
from allauth.mfa.adapter import get_adapter
from allauth.mfa.webauthn.views import remove_webauthn
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.shortcuts import redirect, render, resolve_url
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from stockport_hubs.accounts import drafts
from stockport_hubs.accounts.permissions import anyone_signed_in, has_second_step, needs_second_step
from stockport_hubs.administration import services
from stockport_hubs.administration.forms import JoinForm
from stockport_hubs.core import clock
from stockport_hubs.core.errors import Refused


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
        except services.NameRefused as refused:
            form.add_error("name", str(refused))
        except Refused as refused:
            return _refused(request, str(refused), 410)
        else:
            return perform_login(request, user, redirect_url=resolve_url(settings.LOGIN_REDIRECT_URL))
    return render(request, "administration/join.html", {"form": form, "invited": invitation.user})


def _refused(request, refusal: str, status: int):
    return render(request, "administration/join_refused.html", {"refusal": refusal}, status=status)


@anyone_signed_in
def second_step(request):
    """What a second step is, and the two ways to set one up."""
    context = {"has_one": has_second_step(request.user), "must": needs_second_step(request.user)}
    return render(request, "administration/second_step.html", context)


@anyone_signed_in
@require_POST
def draft_drop(request):
    """Begin with an empty form instead of what was entered before."""
    drafts.drop(request)
    page = request.POST.get("next", "")
    ours = page.startswith("/") and url_has_allowed_host_and_scheme(page, {request.get_host()})
    return redirect(page if ours else "home")


@anyone_signed_in
def passkey_remove(request, pk):
    """allauth's page, but for the last second step of somebody whose role needs one."""
    passkey = request.user.authenticator_set.filter(pk=pk).first()
    if passkey and not get_adapter().can_delete_authenticator(passkey):
        messages.error(request, str(get_adapter().error_messages["cannot_delete_authenticator"]))
        return redirect("mfa_list_webauthn")
    return remove_webauthn(request, pk=pk)
