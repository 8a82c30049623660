"""GOV.UK Notify: one text or e-mail by its REST API.

Written with the standard library: it is one POST, the connection has to be open before a message is claimed, and the
government's client brings requests and docopt with it. Notify takes no idempotency key: whoever calls this sends once.
"""

import base64
import hashlib
import hmac
import http.client
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

from django.conf import settings

TIMEOUT = 10  # seconds; the job's limit is longer
TEXT, EMAIL = "text", "email"
PATHS = {TEXT: "/v2/notifications/sms", EMAIL: "/v2/notifications/email"}


class SaidNo(Exception):
    """Notify took nothing; its status, never its words, for they repeat the number."""


class TooMany(Exception):
    """Notify took nothing because it was asked too often; later it may."""


class NobodyKnows(Exception):
    """It may have taken the message."""


def is_configured() -> bool:
    """Is there a key? Otherwise advisors send messages themselves."""
    return bool(settings.NOTIFY_API_KEY)


class Line:
    """An open connection."""

    def __init__(self, connection: http.client.HTTPConnection, base: str) -> None:
        self.connection, self.base = connection, base

    def send(self, channel: str, *, to: str, subject: str, text: str, reference: str) -> str:
        """Hand one message over; Notify's id of it. Raises SaidNo, TooMany or NobodyKnows."""
        whom = {"phone_number": to} if channel == TEXT else {"email_address": to}
        filled = {"message": text} if channel == TEXT else {"subject": subject, "message": text}
        template = settings.NOTIFY_TEXT_TEMPLATE if channel == TEXT else settings.NOTIFY_EMAIL_TEMPLATE
        body = json.dumps({**whom, "template_id": template, "personalisation": filled, "reference": reference})
        headers = {"Authorization": f"Bearer {_token()}", "Content-Type": "application/json"}
        try:
            self.connection.request("POST", self.base + PATHS[channel], body.encode(), headers)
            answer = self.connection.getresponse()
            status, content = answer.status, answer.read(100_000)
        except (OSError, http.client.HTTPException) as error:
            raise NobodyKnows(type(error).__name__) from None
        if status == 201:
            return _id(content)
        if status == 429:
            raise TooMany
        if 400 <= status < 500:
            raise SaidNo(str(status))
        raise NobodyKnows(str(status))


@contextmanager
def line() -> Iterator[Line]:
    """Connect, before anything is claimed; raises OSError when nobody answers."""
    where = urlsplit(settings.NOTIFY_URL)
    kind = http.client.HTTPSConnection if where.scheme == "https" else http.client.HTTPConnection
    connection = kind(where.hostname or "", where.port, timeout=TIMEOUT)
    connection.connect()
    try:
        yield Line(connection, where.path.rstrip("/"))
    finally:
        connection.close()


def _id(content: bytes) -> str:
    try:
        return str(json.loads(content).get("id", ""))[:40]
    except (ValueError, AttributeError):
        return ""  # taken all the same: 201


def _token() -> str:
    """A signed claim of who asks and when; a key is NAME-SERVICE-SECRET, the last two 36 letters each."""
    service, secret = settings.NOTIFY_API_KEY[-73:-37], settings.NOTIFY_API_KEY[-36:]
    parts = [{"typ": "JWT", "alg": "HS256"}, {"iss": service, "iat": int(time.time())}]
    signed = ".".join(_base64(json.dumps(part).encode()) for part in parts)
    return f"{signed}.{_base64(hmac.digest(secret.encode(), signed.encode(), hashlib.sha256))}"


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
