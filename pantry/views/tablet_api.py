"""What an enrolled tablet asks and sends, as JSON. Its cookie says which tablet it is; a signed token of a PIN, in a
header or in each entry, who records. Nobody is signed in here, and neither of the two is sent by another site's page:
the cookie is for this site alone, the token is no cookie, and a form cannot send JSON."""

import json
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.http import HttpResponse, HttpResponseNotModified, JsonResponse
from django.utils.http import parse_etags
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_POST, require_safe

from pantry import tablet_list
from pantry.models import Tablet
from pantry.services import entries as services
from pantry.services import tablet_tokens, tablets, volunteers
from pantry.services.tablet_tokens import Token
from stockport_hubs.accounts.models import User
from stockport_hubs.audit import services as audit
from stockport_hubs.core import clock, weeks
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.keys import uuid_or_none

COOKIE, PATH = "tablet", "/tablet/"
A_YEAR = 365 * 24 * 60 * 60
MOST = 256 * 1024  # bytes of one request
NOT_ENROLLED = "This tablet is not in use. Ask the pantry manager to set it up."


def set_cookie(response: HttpResponse, secret: str) -> None:
    response.set_cookie(
        COOKIE,
        secret,
        max_age=A_YEAR,
        path=PATH,
        httponly=True,
        samesite="Strict",
        secure=bool(settings.SESSION_COOKIE_SECURE),
    )


def answer(content: dict, status: int = 200) -> HttpResponse:
    response = JsonResponse(content, status=status)
    response["Cache-Control"] = "no-store"
    return response


def problem(words: str, status: int, **more: Any) -> HttpResponse:
    return answer({"problem": words} | more, status)


def enrolled(*, even_revoked: bool = False) -> Callable:
    """Decorator: the first argument after the request is the tablet; 401 for one that is not enrolled, or no longer."""

    def decorate(view: Callable) -> Callable:
        @login_not_required
        @csrf_exempt
        @wraps(view)
        def guarded(request, *args, **kwargs):
            tablet = tablets.find(request.COOKIES.get(COOKIE, ""))
            if tablet is None or (tablet.revoked_at and not even_revoked):
                return problem(NOT_ENROLLED, 401)
            tablets.seen(tablet, at=clock.now())
            return view(request, tablet, *args, **kwargs)

        return guarded

    return decorate


def _sent(request) -> dict | None:
    """The JSON object of the request; None where it is none."""
    if request.content_type != "application/json" or int(request.META.get("CONTENT_LENGTH") or 0) > MOST:
        return None
    try:
        found = json.loads(request.body, parse_constant=lambda name: None)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


@enrolled()
@require_safe
@gzip_page
def state(request, tablet: Tablet):
    """Who records here, the day's sessions, the limits: nothing about members."""
    response = answer(tablet_list.state(tablet, at=clock.now()))
    set_cookie(response, request.COOKIES[COOKIE])  # another year
    return response


@enrolled()
@require_POST
def pin(request, tablet: Tablet):
    """{volunteer, code, pin}: set the PIN with a starting code."""
    sent = _sent(request) or {}

    def done(user: User) -> tuple[Token, str]:
        return volunteers.set_pin(
            tablet=tablet, user=user, code=_digits(sent, "code"), pin=_digits(sent, "pin"), at=clock.now()
        )

    return _opened(tablet, sent, done)


@enrolled()
@require_POST
def unlock(request, tablet: Tablet):
    """{volunteer, pin}: a token for the day's sessions."""
    sent = _sent(request) or {}
    return _opened(
        tablet,
        sent,
        lambda user: volunteers.unlock(tablet=tablet, user=user, pin=_digits(sent, "pin"), at=clock.now()),
    )


def _digits(sent: dict, name: str) -> str:
    found = sent.get(name)
    return found if isinstance(found, str) and len(found) <= 12 else ""


def _opened(tablet: Tablet, sent: dict, done: Callable[[User], tuple[Token, str]]) -> HttpResponse:
    on = weeks.london_date(clock.now())
    users = volunteers.working_at(tablet.pantry, on)
    user = next((each for each in users if str(each.pk) == sent.get("volunteer")), None)
    if user is None:
        return problem("Nobody of that name records here. Choose a name from the list.", 404)
    try:
        token, salt = done(user)
    except volunteers.ShutOut as why:
        return problem(str(why), 410)
    except volunteers.WrongPin as why:
        return problem(str(why), 403, left=why.left)
    except Refused as why:
        return problem(str(why), 409)
    who = {"id": user.pk, "called": volunteers.names(users)[user.pk]}
    return answer({"volunteer": who, "token": token.sign(), "until": token.until, "salt": salt})


@enrolled()
@require_safe
@gzip_page
def members(request, tablet: Tablet):
    """A session's list for whose PIN is open; 304 where the tablet has it as it is."""
    now = clock.now()
    token = tablet_tokens.read(request.headers.get("X-Tablet-Token", ""))
    user = volunteers.may_read(token, tablet, at=now)
    if token is None or user is None:
        return problem("Enter your PIN again to see the list.", 403)
    key = uuid_or_none(request.GET.get("session"))
    today = weeks.london_date(now)
    if key not in token.sessions:
        return problem("Enter your PIN again: it was not for this session.", 404)
    session = tablet_list.session_of(tablet, key, today=today)
    if session is None:
        return problem("This session is over. Its list is no longer shown.", 404)
    with transaction.atomic():
        found = tablet_list.day(session, by=user, today=today)
        version = tablet_list.version(found)
        kept = parse_etags(request.headers.get("If-None-Match", ""))
        if version in [each.removeprefix("W/").strip('"') for each in kept]:
            response: HttpResponse = HttpResponseNotModified()
        else:
            subjects = [(audit.MEMBERSHIP, each["id"]) for each in found["members"]]
            audit.record("pantry.session.viewed", at=now, by=user, target=session, subjects=subjects)
            response = answer({"session": session.pk, "on": session.on} | found)
    response["Cache-Control"] = "no-store"
    response["ETag"] = f'"{version}"'
    return response


@enrolled(even_revoked=True)
@require_POST
def entries(request, tablet: Tablet):
    """{entries: [...]}: each is recorded or held. Also of a tablet taken out of use: what it had saved is held."""
    sent = _sent(request)
    if sent is None or not isinstance(sent.get("entries"), list):
        return problem("This is not a list of entries.", 400)
    if len(sent["entries"]) > services.AT_ONCE:
        return problem(f"Send up to {services.AT_ONCE} entries at once.", 413)
    now = clock.now()
    open_now = tablet_tokens.read(request.headers.get("X-Tablet-Token", ""))
    sent_by = None if tablet.revoked_at else volunteers.may_read(open_now, tablet, at=now)
    outcomes = services.receive(tablet=tablet, entries=sent["entries"], sent_by=sent_by, at=now)
    return answer({"outcomes": outcomes, "now": now.isoformat()})
