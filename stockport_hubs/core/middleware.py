"""What is refused before anything reads it, and the log line of every request."""

import logging
import re
import time
from uuid import uuid4

from django.core.exceptions import BadRequest

from stockport_hubs.core.logs import request_id

log = logging.getLogger(__name__)
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
