"""What is said about somebody lies on a tablet closed until it is sent: closed for this site, which alone opens it.

With what browsers have: a key made for the one envelope on P-256, HKDF with SHA-256, AES-GCM; base64 of the key's point
(65 bytes), the nonce (12) and the rest. The site's key follows from SECRET_KEY; what was closed for one of
SECRET_KEY_FALLBACKS is opened too.
"""

import base64
import json
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings
from django.utils.crypto import salted_hmac

CURVE, POINT, NONCE = ec.SECP256R1(), 65, 12
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551  # of the curve
LONGEST = 8_000


@lru_cache(maxsize=8)
def _private(secret: str) -> ec.EllipticCurvePrivateKey:
    made = salted_hmac("pantry.envelopes", "key", secret=secret, algorithm="sha512").digest()
    return ec.derive_private_key(int.from_bytes(made, "big") % (ORDER - 1) + 1, CURVE)


def address() -> str:
    """What a tablet closes envelopes with: base64 of a point on the curve."""
    key = _private(settings.SECRET_KEY).public_key()
    return base64.b64encode(key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)).decode()


def key_of(shared: bytes, point: bytes) -> AESGCM:
    """The key of one envelope, from what both sides know."""
    return AESGCM(HKDF(SHA256(), 32, salt=None, info=point).derive(shared))


def opened(text: object) -> dict | None:
    """What an envelope holds; None where it was not closed for this site, or changed on the way."""
    if not isinstance(text, str) or len(text) > LONGEST:
        return None
    try:
        whole = base64.b64decode(text, validate=True)
        point = whole[:POINT]
        theirs = ec.EllipticCurvePublicKey.from_encoded_point(CURVE, point)
    except ValueError:
        return None
    for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
        key = key_of(_private(secret).exchange(ec.ECDH(), theirs), point)
        try:
            found = json.loads(key.decrypt(whole[POINT : POINT + NONCE], whole[POINT + NONCE :], None))
        except (InvalidTag, ValueError, RecursionError):
            continue
        return found if isinstance(found, dict) else None
    return None
