"""Doors: which roles may call a view, and 404 for everything that is not theirs."""

from functools import wraps

from django.core.exceptions import PermissionDenied
from django.http import Http404

from stockport_hubs.accounts.models import Role


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
