"""What a pantry's volunteers choose from besides the members, by name; apps above add theirs when they are ready."""

from collections.abc import Callable
from datetime import date

from pantry.models import Pantry
from pantry.services import calls

SETTINGS: dict[str, Callable[[Pantry, date], list[dict[str, str]]]] = {"call": calls.listed}


def settings(pantry: Pantry, on: date) -> dict[str, list[dict[str, str]]]:
    """Name: what is chosen from on that day, without anything about a person."""
    return {name: listed(pantry, on) for name, listed in SETTINGS.items()}
