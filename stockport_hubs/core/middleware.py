"""What is refused before anything reads it."""

from django.core.exceptions import BadRequest


class ReadableTextMiddleware:
    """NUL in the query of an address or in a cookie is answered with 400: nobody types it, and PostgreSQL takes no
    text that holds it. Fields of forms refuse it themselves, with a message."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if "%00" in request.META.get("QUERY_STRING", "") or any("\0" in text for text in request.COOKIES.values()):
            raise BadRequest("NUL in the request")
        return self.get_response(request)
