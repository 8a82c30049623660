"""Small words of packs: numbers with their nouns, dates of frozen figures. A count that is hidden is None."""

from datetime import date, datetime, timedelta

from django.utils import formats

from reviews.models import Audience
from stockport_hubs.core.weeks import LONDON

NOT_SHOWN = "not shown"


def is_ours(frozen: dict) -> bool:
    return frozen["audience"] == Audience.LEAVING_CARE


def is_summary(frozen: dict) -> bool:
    return frozen["audience"] == Audience.CORPORATE_PARENTS


def said(value: str, form: str = "j F Y") -> str:
    return formats.date_format(date.fromisoformat(value), form)


def number(value: int | None) -> str:
    return NOT_SHOWN if value is None else f"{value:,}"


def people(number: int | None) -> str:
    return plural(number, "young person", "young people")


def members(number: int | None) -> str:
    return plural(number, "member")


def plural(number: int | None, one: str, many: str = "") -> str:
    if number is None:
        return f"{many or one + 's'} (number {NOT_SHOWN})"
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def moment(value: str) -> str:
    """12 April 2021, 10:42, in London; midnight is the end of a day."""
    at = datetime.fromisoformat(value).astimezone(LONDON)
    if at.hour == at.minute == 0:
        return f"the end of {formats.date_format(at - timedelta(hours=12), 'j F Y')}"
    return formats.date_format(at, "j F Y, H:i")
