"""The code on a member's card: random, nine signs, the last a check. Pure: no Django, no database.

"K7C-4MX-Q2R" says nothing about anybody. No sign looks like another and there are no vowels, so no code is a word or a
name; 23 signs are a prime number, so that one wrong sign, or two that changed places, never pass the check.
"""

import re
import secrets
from hashlib import sha256

SIGNS = "34679CDFGHJKLMNPQRTVWXY"
LETTERS = SIGNS[5:]
LENGTH = 9
SHAPE = re.compile(rf"[{SIGNS}]{{{LENGTH}}}")


def new() -> str:
    """A code nobody could guess; it begins with a letter, so that it is never taken for a member's number."""
    body = secrets.choice(LETTERS) + "".join(secrets.choice(SIGNS) for _ in range(LENGTH - 2))
    return body + SIGNS[_sum(body) * pow(-LENGTH, -1, len(SIGNS)) % len(SIGNS)]


def _sum(code: str) -> int:
    return sum(place * SIGNS.index(sign) for place, sign in enumerate(code, start=1))


def is_whole(code: str) -> bool:
    """Nine known signs of which the last fits the others."""
    return SHAPE.fullmatch(code) is not None and _sum(code) % len(SIGNS) == 0


def read(typed: str) -> str:
    """What a scanner or somebody typed, as the code it may be: "k7c-4mx q2r" → "K7C4MXQ2R"; "" for a name or a number.

    Names hold no figures, and none has nine letters without a vowel: what is taken for a code may be mistyped.
    """
    code = re.sub(r"[\s-]", "", typed).upper()
    if not re.fullmatch(rf"[A-Z][A-Z0-9]{{{LENGTH - 1}}}", code):
        return ""
    return code if SHAPE.fullmatch(code) or re.search("[0-9]", code) else ""


def spoken(code: str) -> str:
    """In three groups, as it is printed."""
    return "-".join(code[n : n + 3] for n in range(0, LENGTH, 3))


def digest(code: str) -> str:
    """What a device may keep to know a card by: 16 signs of SHA-256."""
    return sha256(code.encode()).hexdigest()[:16]
