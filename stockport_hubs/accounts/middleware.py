"""What holds for every request of somebody signed in, or no longer signed in."""

from django.conf import settings
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.contrib.auth.views import redirect_to_login
from django.shortcuts import redirect
from django.template.loader import render_to_string
from django.utils.cache import add_never_cache_headers

from stockport_hubs.accounts import drafts
from stockport_hubs.accounts.permissions import has_second_step, needs_second_step
from stockport_hubs.accounts.refill import refill

# All that can be reached before a second step that the role needs is set up: setting it up, and leaving.
SETTING_UP = {
    "accounts:second_step",
    "mfa_activate_totp",
    "mfa_add_webauthn",
    "account_reauthenticate",
    "account_logout",
    "health",
}


class PrivatePagesMiddleware:
    """Pages of signed-in people are never kept by a browser or a proxy: Back after sign-out shows nothing."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        if request.user.is_authenticated and not response.has_header("Cache-Control"):
            add_never_cache_headers(response)
        return response


class SignInFirstMiddleware(LoginRequiredMiddleware):
    """Every page needs somebody signed in unless it says otherwise. A form sent too late is kept (drafts.py)."""

    def handle_no_permission(self, request, view_func):
        if request.method != "POST":
            return super().handle_no_permission(request, view_func)
        return redirect_to_login(drafts.keep(request))


class SecondStepMiddleware:
    """Whoever's role needs a second step and has none gets to the page that sets it up, and to nothing else."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_view(self, request, view_func, view_args, view_kwargs):
        user = request.user
        if not user.is_authenticated or not needs_second_step(user) or has_second_step(user):
            return None
        return None if request.resolver_match.view_name in SETTING_UP else redirect("accounts:second_step")


class DraftMiddleware:
    """Marks the browser with its account, and gives back what somebody had entered when their session ended."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        before = request.user.is_authenticated
        if before and request.method == "POST":
            drafts.sent_again(request)
        found = drafts.for_page(request) if before and request.method == "GET" else None
        response = self.get_response(request)
        if found and response.status_code == 200 and response.get("Content-Type", "").startswith("text/html"):
            action, fields = found
            notice = render_to_string("parts/draft.html", request=request)
            page = refill(response.content.decode(), path=request.path, action=action, fields=fields, notice=notice)
            response.content = page.encode()
        self._mark(request, response, before)
        return response

    def _mark(self, request, response, before: bool) -> None:
        if not request.user.is_authenticated:
            if before:
                response.delete_cookie(drafts.COOKIE)
        elif not before or drafts.COOKIE not in request.COOKIES:
            response.set_cookie(
                drafts.COOKIE,
                drafts.cookie_for(request.user),
                httponly=True,
                samesite="Lax",
                secure=settings.SESSION_COOKIE_SECURE,
            )
