"""Log lines without personal data."""

import logging
import traceback


class PlaceFormatter(logging.Formatter):
    """An exception is logged by its kind and place: its text could hold a row of the database, with names in it."""

    def formatException(self, ei):
        lines: list[str] = []
        error = ei[1]
        while error is not None:
            place = "".join(traceback.format_tb(error.__traceback__)).rstrip()
            lines.insert(0, f"{place}\n{type(error).__module__}.{type(error).__qualname__}")
            error = error.__cause__ or error.__context__
        return "\n".join(lines)
