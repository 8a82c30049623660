"""An authenticator app (RFC 6238), written apart from the site's own."""

import base64
import hashlib
import hmac
import struct
import time


def app_code(secret: str, *, steps: int = 0) -> str:
    """The 6-digit code the app shows now, or so many steps of 30 seconds later."""
    counter = struct.pack(">Q", int(time.time()) // 30 + steps)
    digest = hmac.new(base64.b32decode(secret), counter, hashlib.sha1).digest()
    at = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[at : at + 4])[0] & 0x7FFFFFFF) % 1_000_000:06}"
