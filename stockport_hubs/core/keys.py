"""Keys that come in an address or a form, where anything may be typed."""

from uuid import UUID


def uuid_or_none(value: str | None) -> UUID | None:
    """The key, or None where it is none: a changed address must not end in an error."""
    try:
        return UUID(value or "")
    except ValueError:
        return None
