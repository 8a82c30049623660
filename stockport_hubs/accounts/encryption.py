"""What lies encrypted in the database: second steps, drafts, lists on their way in. A copy of it opens none of them.

MFA_KEY may name several keys, the newest first: all of them read, the first one writes. Without MFA_KEY the keys come
from SECRET_KEY and SECRET_KEY_FALLBACKS. `manage.py encrypt_again` writes everything with the newest key, after which
the older ones can go.
"""

import base64

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.utils.crypto import salted_hmac

__all__ = ["InvalidToken", "decrypt", "decrypt_bytes", "encrypt", "encrypt_again"]
SECRETS = {"totp": "secret", "recovery_codes": "seed"}  # where allauth's rows hold what was encrypted


def _fernet() -> MultiFernet:
    keys = [*settings.MFA_KEYS] or [settings.SECRET_KEY, *map(str, settings.SECRET_KEY_FALLBACKS)]
    derived = [salted_hmac("accounts.secrets", "key", secret=key, algorithm="sha256").digest() for key in keys]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(each)) for each in derived])


def encrypt(text: str | bytes) -> str:
    return _fernet().encrypt(text if isinstance(text, bytes) else text.encode()).decode()


def decrypt(token: str) -> str:
    """The text; InvalidToken when none of the keys fits."""
    return decrypt_bytes(token).decode()


def decrypt_bytes(token: str) -> bytes:
    """What was no text; InvalidToken when none of the keys fits."""
    return _fernet().decrypt(token.encode())


def encrypt_again(token: str) -> str:
    """The same text under the newest key."""
    return _fernet().rotate(token.encode()).decode()


def unreadable_second_steps() -> int:
    """How many second steps none of the keys fits: their people cannot sign in."""
    from allauth.mfa.models import Authenticator

    found = 0
    for each in Authenticator.objects.filter(type__in=SECRETS).iterator():
        try:
            decrypt(each.data[SECRETS[each.type]])
        except InvalidToken:
            found += 1
    return found
