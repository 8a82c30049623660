"""How often a secret of an account may be tried: counted before it is tried, by one conditional update of one row.

Django's cache cannot do this: what it reads and writes are two steps, and a full cache drops rows. Windows do not
slide: with five tries in a window of five minutes, any five minutes hold at most ten.
"""

from datetime import timedelta

from django.conf import settings
from django.db.models import F
from django.utils import timezone
from django.utils.crypto import salted_hmac

from stockport_hubs.accounts.models import Guess

WINDOW = timedelta(minutes=5)
TOO_MANY = "That was tried too often. Wait five minutes, then try again."


def _key(what: str, whom: str) -> str:
    """Neither names nor addresses lie in the table."""
    return salted_hmac("accounts.guesses", f"{what}|{whom}", algorithm="sha256").hexdigest()


def take(what: str, whom: str, *, allowed: int | None = None) -> bool:
    """Count one try of `what` (password, code) for `whom`; False when the window's tries are used up."""
    key, now = _key(what, whom), timezone.now()
    begun = Guess.objects.filter(key=key)
    left = begun.filter(tries__lt=settings.GUESSES_ALLOWED if allowed is None else allowed, since__gt=now - WINDOW)
    if left.update(tries=F("tries") + 1):
        return True
    Guess.objects.bulk_create([Guess(key=key, since=now, tries=0)], ignore_conflicts=True)
    begun.filter(since__lte=now - WINDOW).update(since=now, tries=0)
    return bool(left.update(tries=F("tries") + 1))


def give_back(what: str, whom: str) -> None:
    """The try was no guess: it was right."""
    Guess.objects.filter(key=_key(what, whom), tries__gt=0).update(tries=F("tries") - 1)


def forget_old() -> None:
    """Delete windows that are over."""
    Guess.objects.filter(since__lt=timezone.now() - 2 * WINDOW).delete()
