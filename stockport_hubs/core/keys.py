"""Keys that come in an address, a form or a device's JSON, where anything may stand."""

from uuid import UUID


def uuid_or_none(value: object) -> UUID | None:
    """The key, or None where it is none: what was changed on its way must not end in an error."""
    try:
        return UUID(str(value))
    except ValueError:
        return None
