"""Typed readers of the environment that refuse odd values instead of guessing."""

import os
from datetime import datetime

from django.core.exceptions import ImproperlyConfigured


def text(name: str, default: str = "") -> str:
    """The variable without surrounding blanks."""
    return os.environ.get(name, default).strip()


def required(name: str) -> str:
    """The variable; refuses to start without it."""
    value = text(name)
    if not value:
        raise ImproperlyConfigured(f"{name} is not set. Set it in the environment; .env.example lists every variable.")
    return value


def flag(name: str, default: bool) -> bool:
    """`1`/`true`/`yes`/`on` or `0`/`false`/`no`/`off`; anything else is refused."""
    value = text(name).lower()
    if not value:
        return default
    if value in {"1", "true", "yes", "on"}:
        return True
    if value in {"0", "false", "no", "off"}:
        return False
    raise ImproperlyConfigured(f"{name}={value!r} is neither yes nor no. Use 1 or 0.")


def number(name: str, default: int, *, low: int, high: int) -> int:
    """A whole number between low and high."""
    value = text(name)
    if not value:
        return default
    if not value.isdigit() or not low <= int(value) <= high:
        raise ImproperlyConfigured(f"{name}={value!r} must be a whole number from {low} to {high}.")
    return int(value)


def names(name: str, default: str = "") -> list[str]:
    """A comma-separated list."""
    return [part.strip() for part in text(name, default).split(",") if part.strip()]


def moment(name: str) -> datetime | None:
    """A local date and time such as 2021-04-12T09:00, or nothing."""
    value = text(name)
    if not value:
        return None
    try:
        return datetime.fromisoformat(value)
    except ValueError:
        raise ImproperlyConfigured(f"{name}={value!r} is not a date and time such as 2021-04-12T09:00.") from None
