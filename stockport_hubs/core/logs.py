"""Log lines without personal data: what others wrote into a message, an exception or an address stays out of them."""

import json
import logging
import traceback
from contextvars import ContextVar
from datetime import UTC, datetime

# Loggers of our own say ids, kinds and counts. Of anybody else's message only the pattern is kept: "Not Found: %s".
OURS = {"stockport_hubs", "careleavers", "pantry", "referrals", "reviews"}
FIELDS = ("method", "route", "status", "ms")  # of a request's line
request_id: ContextVar[str] = ContextVar("request_id", default="")


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


class JsonFormatter(PlaceFormatter):
    """One JSON object a line: time (UTC), level, logger, message; request, method, route, status, ms; error."""

    def format(self, record: logging.LogRecord) -> str:
        ours = record.name.partition(".")[0] in OURS
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage() if ours else str(record.msg),
        }
        if known := request_id.get():
            line["request"] = known
        line |= {name: getattr(record, name) for name in FIELDS if ours and hasattr(record, name)}
        if record.exc_info and record.exc_info[0]:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)
