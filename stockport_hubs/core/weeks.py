"""Weeks run Monday to Sunday and are decided in Europe/London. Pure dates: no clock, no database."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

LONDON = ZoneInfo("Europe/London")
WEEK = timedelta(days=7)


def london_date(moment: datetime) -> date:
    """The London date of an aware moment; a naive one is an error."""
    if moment.tzinfo is None:
        raise ValueError("A date and time without a time zone was given; weeks are decided in Europe/London.")
    return moment.astimezone(LONDON).date()


def monday(day: date) -> date:
    """The Monday of the week that holds this day."""
    return day - timedelta(days=day.weekday())


def spoken(day: date) -> str:
    """ "6 April 2026"."""
    return f"{day:%-d %B %Y}"


def sunday(day: date) -> date:
    """The Sunday of the week that holds this day."""
    return monday(day) + timedelta(days=6)


def is_monday(day: date) -> bool:
    return day.weekday() == 0


def weeks_between(first: date, last: date) -> list[date]:
    """The Mondays from first's week to last's week, both included; empty when last is earlier."""
    start, end = monday(first), monday(last)
    return [start + WEEK * n for n in range((end - start).days // 7 + 1)]


def add_months(day: date, months: int) -> date:
    """The same day of a later (or earlier) month, or that month's last day."""
    month = day.month - 1 + months
    year, month = day.year + month // 12, month % 12 + 1
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month, last)
        except ValueError:
            continue
    raise AssertionError("every month has a 28th")


def birthday(born: date, age: int) -> date:
    """The day someone turns `age`; born on 29 February: 1 March in common years, as the law counts it."""
    try:
        return born.replace(year=born.year + age)
    except ValueError:
        return date(born.year + age, 3, 1)


def age_on(born: date, day: date) -> int:
    """Whole years on that day."""
    years = day.year - born.year
    return years if birthday(born, years) <= day else years - 1


def financial_year(day: date) -> date:
    """The 1 April on which the financial year of this day starts."""
    start = date(day.year, 4, 1)
    return start if day >= start else date(day.year - 1, 4, 1)
