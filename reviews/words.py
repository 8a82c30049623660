"""Small words of packs: numbers with their nouns, dates of frozen figures."""

from datetime import date

from django.utils import formats

from reviews.models import Audience


def is_ours(frozen: dict) -> bool:
    return frozen["audience"] == Audience.LEAVING_CARE


def said(value: str, form: str = "j F Y") -> str:
    return formats.date_format(date.fromisoformat(value), form)


def people(number: int) -> str:
    return "1 young person" if number == 1 else f"{number:,} young people"


def members(number: int) -> str:
    return "1 member" if number == 1 else f"{number:,} members"


def plural(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"
