"""What every page knows: the site's name, the menu of this role, whether these are the sample accounts."""

from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.templatetags.static import static
from django.urls import reverse

from stockport_hubs.accounts.models import Role, User

SITE_NAME = "Stockport Hubs"
FOOTER = [("accessibility", "Accessibility"), ("cookies", "Cookies"), ("privacy", "Privacy")]
SAMPLE_PASSWORD = "sample-pilot-2026"  # shown on the sign-in page on purpose
SAMPLE_PIN = "202620"  # where a tablet asks, of those who record at the first pantry
SAMPLE_ACCOUNTS = {
    "advisor@example.org": "Personal advisor",
    "advisor2@example.org": "Another personal advisor",
    "manager@example.org": "Leaving care manager",
    "manager2@example.org": "Another leaving care manager, for what takes two people",
    "finance@example.org": "Finance officer",
    "volunteer@example.org": "Pantry volunteer, on a phone in the hall",
    "volunteer2@example.org": "Volunteer at another pantry",
    "pantry.manager@example.org": "Pantry manager",
    "admin@example.org": "Administrator of accounts",
}
HOME = ("Home", "home")
PEOPLE = ("Young people", "careleavers:list", "careleavers:")
COHORT = ("Cohort", "careleavers:cohort", "careleavers:offer")
INTRODUCTIONS = ("Introductions", "referrals:list", "referrals:")
RENEWALS = ("Renewals", "pantry:renewals", "pantry:renewal")
MONEY = (
    *("Money", "pantry:agreements", "pantry:agreement", "pantry:payment", "pantry:year_end"),
    *("pantry:entry_", "pantry:opening", "pantry:forecast", "pantry:proposal"),
)
MONEY_AND_STATEMENTS = (*MONEY, "pantry:statement")
STATEMENTS = ("Statements", "pantry:statements", "pantry:statement")
TARIFFS = ("Tariffs", "pantry:tariffs", "pantry:tariff")
TODAY = (
    "Today’s session",
    "pantry:today",
    "pantry:session",
    "pantry:record",
    "pantry:void",
    "pantry:visitor",
    "pantry:entr",
)
SESSIONS = ("Sessions", *TODAY[1:])
MEMBERS = ("Members", "pantry:members", "pantry:member")
TABLETS = ("pantry:tablet", "pantry:volunteer", "tablet:enrol")
PANTRIES = ("Pantries", "pantry:pantries", "pantry:pantry", "pantry:hours", "pantry:closures", *TABLETS)
COMMUNITY = (
    *("Community", "referrals:links", "referrals:link", "referrals:volunteer"),
    *("referrals:directory", "referrals:entry"),
)
DIRECTORY = ("Directory", "referrals:directory", "referrals:entry")
BARRIERS = ("Barriers", "reviews:barriers", "reviews:barrier")
MEETINGS = (
    "Meetings",
    "reviews:meetings",
    *(f"reviews:{of}" for of in "meeting pack figure agenda minutes action disagreement rhythm yearly".split()),
)
PACKS = ("Packs", "reviews:packs", "reviews:pack")
ACCOUNTS = ("Accounts", "accounts:list", "accounts:")

# (label, view name, beginnings of the names of other views under this entry); the longest fitting one is marked.
MENU = {
    Role.PERSONAL_ADVISOR: (HOME, PEOPLE, INTRODUCTIONS, COMMUNITY, BARRIERS, MEETINGS),
    Role.LEAVING_CARE_MANAGER: (
        *(HOME, PEOPLE, COHORT, INTRODUCTIONS, COMMUNITY),
        *(RENEWALS, MONEY_AND_STATEMENTS, BARRIERS, MEETINGS),
    ),
    Role.FINANCE_OFFICER: (HOME, MONEY, RENEWALS, STATEMENTS, TARIFFS, PACKS),
    Role.PANTRY_VOLUNTEER: (TODAY,),
    Role.PANTRY_MANAGER: (
        *(HOME, INTRODUCTIONS, SESSIONS, MEMBERS, PANTRIES, DIRECTORY),
        *(RENEWALS, STATEMENTS, BARRIERS, MEETINGS),
    ),
    Role.ADMINISTRATOR: (HOME, ACCOUNTS),
}


def menu(role: str, view_name: str = "") -> list[dict[str, str]]:
    """The entries of a role's menu: label, url, and active as aria-current wants it ("page", "true" or "")."""
    entries = MENU[Role(role)]
    fits = {
        label: max((len(start) for start in (name, *starts) if view_name.startswith(start)), default=0)
        for label, name, *starts in entries
    }
    best = max(fits, key=lambda label: fits[label])
    return [
        {
            "label": label,
            "url": reverse(name),
            "active": ("page" if view_name == name else "true") if label == best and fits[label] else "",
        }
        for label, name, *_ in entries
    ]


def _sample_accounts(view_name: str) -> list[dict[str, str]]:
    """The sample pilot's accounts (email, what), on the sign-in page and only there."""
    if not settings.SAMPLE_PILOT or view_name != "account_login":
        return []
    there = set(
        User.objects.filter(is_active=True, organisation__is_sample=True, email__in=SAMPLE_ACCOUNTS).values_list(
            "email", flat=True
        )
    )
    return [{"email": email, "what": what} for email, what in SAMPLE_ACCOUNTS.items() if email in there]


def site(request) -> dict:
    """The context processor."""
    user: Any = getattr(request, "user", AnonymousUser())  # an error page may come before anyone is known
    match = request.resolver_match
    view_name = match.view_name if match else ""
    signed_in = user.is_authenticated
    return {
        "site_name": SITE_NAME,
        "footer": FOOTER,
        "site_logo": static(settings.SITE_LOGO) if settings.SITE_LOGO else "",
        "home_url": reverse("home"),
        "account_url": reverse("mfa_index") if signed_in else "",
        "nav": menu(user.role, view_name) if signed_in else [],
        # example.org is reserved: nobody real signs in with it, and no query is needed to know.
        "sample_pilot": settings.SAMPLE_PILOT and signed_in and (user.email or "").endswith("@example.org"),
        "sample_accounts": _sample_accounts(view_name),
        "sample_password": SAMPLE_PASSWORD,
        "sample_pin": SAMPLE_PIN,
    }
