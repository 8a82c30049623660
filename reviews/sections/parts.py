"""What several sections say alike."""


def small(frozen: dict) -> str:
    """Why counts may be missing from a table; nothing where all are shown."""
    if not frozen["threshold"]:
        return ""
    return f"Counts below {frozen['threshold']}, and those from which they could be worked out, are not shown."
