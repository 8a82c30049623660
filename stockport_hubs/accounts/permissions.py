"""Doors: which roles may call a view, and 404 for everything that is not theirs."""

from functools import wraps

from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.http import Http404

from stockport_hubs.accounts.models import Role, User


def roles(*allowed: Role):
    """Decorator: only these roles; others get 403. The roles stay readable on the view for the URL × role table."""

    def decorate(view):
        @wraps(view)
        def guarded(request, *args, **kwargs):
            if request.user.role not in allowed:
                raise PermissionDenied
            return view(request, *args, **kwargs)

        guarded.roles = frozenset(allowed)  # type: ignore[attr-defined]
        return guarded

    return decorate


def anyone_signed_in(view):
    """Decorator: every role may call it; says so on the view for the URL × role table."""
    view.roles = frozenset(Role)
    return view


def get_or_404(queryset, **lookup):
    """The one object of a scoped queryset (`Model.objects.for_user(user)`); not there or not yours is 404."""
    try:
        return queryset.get(**lookup)
    except queryset.model.DoesNotExist:
        raise Http404


def needs_second_step(user: User) -> bool:
    """May this role not sign in with a password alone?"""
    return user.role not in settings.PASSWORD_ALONE_ROLES


def has_second_step(user: User) -> bool:
    """A code from an app or a passkey; recovery codes alone are none."""
    return is_mfa_enabled(user, [Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN])
