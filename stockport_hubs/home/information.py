"""What the footer leads to, for everyone, signed in or not: accessibility, cookies, privacy."""

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from stockport_hubs.accounts import drafts
from stockport_hubs.accounts.models import Organisation

HOUR, DAY = 60 * 60, 24 * 60 * 60


def cookies_set() -> list[tuple[str, str, str]]:
    """(name, what for, how long) of every cookie this site sets; all are necessary."""
    return [
        (
            settings.SESSION_COOKIE_NAME,
            "Remembers that you are signed in.",
            f"{settings.SESSION_COOKIE_AGE // HOUR} hours, or until you sign out",
        ),
        (
            settings.CSRF_COOKIE_NAME,
            "Makes sure that a form you send comes from this site and not from another one.",
            f"{settings.CSRF_COOKIE_AGE // DAY} days",
        ),
        (
            drafts.COOKIE,
            "Knows whose form it was that was sent after the session had ended, so that only they get it back.",
            "Until you sign out or close the browser",
        ),
        ("messages", "Carries the note about what was done to the next page.", "Until that page is shown"),
    ]


@require_safe
@login_not_required
def accessibility(request: HttpRequest) -> HttpResponse:
    """What was checked, how, and what was not."""
    return render(request, "home/accessibility.html", {"contact": settings.CONTACT_EMAIL})


@require_safe
@login_not_required
def cookies(request: HttpRequest) -> HttpResponse:
    """Names, purposes, lifetimes."""
    return render(request, "home/cookies.html", {"rows": cookies_set()})


@require_safe
@login_not_required
def privacy(request: HttpRequest) -> HttpResponse:
    """What is held and who sees it; the council's own part is shown to the council's own people alone."""
    user = request.user
    at_council = user.is_authenticated and user.organisation.kind == Organisation.Kind.COUNCIL
    return render(request, "home/privacy.html", {"contact": settings.CONTACT_EMAIL, "at_council": at_council})
