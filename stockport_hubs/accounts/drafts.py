"""A form sent after the session had ended is kept for the same account and comes back filled in after signing in.

Whose it is says a signed cookie of the browser, set while somebody is signed in and taken away when they sign out. The
fields lie encrypted in one row for each account, for an hour, without files and passwords. The page is drawn by its own
view as ever: only then are the form's controls filled in by their names, so that nothing is saved by coming back.
"""

import json
from datetime import timedelta
from urllib.parse import urlsplit

from django.core import signing
from django.http import HttpRequest
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme

from stockport_hubs.accounts import encryption
from stockport_hubs.accounts.models import Draft, User

COOKIE, SALT = "last_account", "accounts.drafts"
KEPT_FOR = timedelta(hours=1)
MOST_CHARACTERS = 100_000
NEVER = {"csrfmiddlewaretoken", "credential", "code", "pin"}
SESSION_FLAG = "draft"
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


def cookie_for(user: User) -> str:
    return signing.dumps(str(user.pk), salt=SALT)


def owner(request: HttpRequest) -> User | None:
    """The account that was last signed in in this browser, if it may still sign in."""
    try:
        key = signing.loads(request.COOKIES.get(COOKIE, ""), salt=SALT)
    except signing.BadSignature:
        return None
    return User.objects.filter(pk=key, is_active=True).first()


def page_of(request: HttpRequest) -> str:
    """The page a form stood on: the browser says so for our own pages; otherwise where the form was sent."""
    came_from = request.headers.get("Referer", "")
    if url_has_allowed_host_and_scheme(came_from, {request.get_host()}, require_https=request.is_secure()):
        parts = urlsplit(came_from)
        return f"{parts.path}?{parts.query}" if parts.query else parts.path
    return request.get_full_path()


def keep(request: HttpRequest) -> str:
    """Keep what a visitor without a session has sent, if it is known whose it is; the page to come back to."""
    page = page_of(request)
    user = owner(request) if request.content_type in FORMS else None
    fields = [[name, values] for name, values in request.POST.lists() if not _is_secret(name)]
    text = json.dumps(fields)
    if user and len(text) <= MOST_CHARACTERS and len(page) <= 300 and len(request.path) <= 300:
        values = {
            "action": request.path,
            "page": page,
            "fields": encryption.encrypt(text),
            "kept_at": timezone.now(),
        }
        Draft.objects.update_or_create(user=user, defaults=values)
    return page


def _is_secret(name: str) -> bool:
    return name in NEVER or "password" in name


def signed_in(request: HttpRequest) -> None:
    """Remember in the new session that a draft waits: pages need not look for one otherwise."""
    if _waiting(request.user).exists():
        request.session[SESSION_FLAG] = True


def for_page(request: HttpRequest) -> tuple[str, dict[str, list[str]]] | None:
    """(where the form is sent, fields by name) when this person's draft belongs to the page asked for."""
    if SESSION_FLAG not in request.session:
        return None
    draft = _waiting(request.user).first()
    if draft is None:
        del request.session[SESSION_FLAG]
        return None
    if request.get_full_path() != draft.page:
        return None
    try:
        return draft.action, dict(json.loads(encryption.decrypt(draft.fields)))
    except encryption.InvalidToken:
        return None


def drop(request: HttpRequest) -> None:
    """The form has been sent again, or is not wanted any more."""
    Draft.objects.filter(user=request.user.pk).delete()
    request.session.pop(SESSION_FLAG, None)


def sent_again(request: HttpRequest) -> None:
    """A form goes to where the draft was meant for: it is not needed any more."""
    if SESSION_FLAG in request.session and _waiting(request.user).filter(action=request.path).exists():
        drop(request)


def _waiting(user):
    return Draft.objects.filter(user=user, kept_at__gt=timezone.now() - KEPT_FOR)


def forget_old() -> None:
    Draft.objects.filter(kept_at__lte=timezone.now() - KEPT_FOR).delete()
