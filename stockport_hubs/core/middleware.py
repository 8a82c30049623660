"""What is refused before anything reads it, the log line of every request, and what a page may ask of the device."""

import logging
import re
import time
from functools import wraps
from uuid import uuid4

from django.core.exceptions import BadRequest

from stockport_hubs.core.logs import request_id

log = logging.getLogger(__name__)
POLICY = "Permissions-Policy"
NOTHING_OF_THE_DEVICE = "camera=(), microphone=(), geolocation=()"
CAMERA = "camera=(self), microphone=(), geolocation=()"
METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}


class RequestLogMiddleware:
    """One line a request: method, the pattern of the address (never the address: people type names into it), status,
    milliseconds. A proxy's X-Request-ID is taken over when it looks like one."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        given = request.headers.get("X-Request-ID", "")
        token = request_id.set(given if re.fullmatch(r"[0-9a-f-]{16,40}", given) else uuid4().hex)
        began = time.monotonic()
        try:
            response = self.get_response(request)
            match = request.resolver_match
            line = {
                "method": request.method if request.method in METHODS else "other",
                "route": match.route if match else "no such page",
                "status": response.status_code,
                "ms": round((time.monotonic() - began) * 1000),
            }
            log.info("%(method)s %(route)s %(status)s %(ms)s ms", line, extra=line)
            return response
        finally:
            request_id.reset(token)


class ReadableTextMiddleware:
    """NUL in the query of an address or in a cookie is answered with 400: nobody types it, and PostgreSQL takes no
    text that holds it. Fields of forms refuse it themselves, with a message."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if "%00" in request.META.get("QUERY_STRING", "") or any("\0" in text for text in request.COOKIES.values()):
            raise BadRequest("NUL in the request")
        return self.get_response(request)


class DeviceMiddleware:
    """No page may use the device's camera, microphone or place, but those that say so themselves."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        response.headers.setdefault(POLICY, NOTHING_OF_THE_DEVICE)
        return response


def with_camera(view):
    """Decorator: a page that reads members' cards with the camera, where somebody asks for it."""

    @wraps(view)
    def allowed(request, *args, **kwargs):
        response = view(request, *args, **kwargs)
        response.headers[POLICY] = CAMERA
        return response

    return allowed
