"""Error pages: what happened and what to do, in plain words, and nothing about what was asked for."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400: unreadable."""
    return render(request, "400.html", status=400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403: not this role's work; a PermissionDenied with a sentence shows it."""
    return render(request, "403.html", {"reason": str(exception)}, status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404: not there, or not yours; the answer is the same."""
    return render(request, "404.html", status=404)


def server_error(request: HttpRequest) -> HttpResponse:
    """500: the page stands alone, because the database or the session may be what broke."""
    return HttpResponse(render_to_string("500.html"), status=500)


def no_such_page(request: HttpRequest) -> HttpResponse:
    """In the place of a page that another package would offer here."""
    raise Http404
