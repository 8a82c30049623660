"""Queries whose SQL is written once: Django takes longer to write a query than the database to answer it.

    seen = Kept(lambda council, on: CareLeaver.objects.filter(council=council, ...).values_list("pk", "surname"))
    for key, surname in seen(council=user.organisation_id, on=today): ...
    people, members = together(seen.of(council=council, on=today), active.of(council=council))

The function is called with stand-ins and gives a `values_list`; its SQL is kept with the places where they stand, one
text for each set of types and lengths. Each value must reach the SQL as it is: what is reckoned from it (a week later)
is a value of its own, and the clock is not read. Both are refused, for they would be kept as they were that day.
"""

import re
from collections.abc import Callable, Iterable
from contextlib import ExitStack, nullcontext, suppress
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.db import connection
from django.db.models import Model, QuerySet

from stockport_hubs.core import clock

Adapted = Callable[[Any], Any]
PLACEHOLDER = re.compile("(%[s%])")
MOST = 100  # texts kept of one query: lists of another length are another text


def columns(model: type[Model], path: str = "") -> list[str]:
    """All there is of a row, for a values_list that whole() reads; `path`: how to reach it, as "pantry__"."""
    return [f"{path}{field.attname}" for field in model._meta.concrete_fields]


def whole(model: type[Model], values: Iterable) -> Any:
    """The object of a row that was asked for by its columns()."""
    return model.from_db(connection.alias, columns(model), list(values))


class _Text:
    """The SQL of one shape: parameters are constants, or (name, place in a list, how the database takes it)."""

    def __init__(self, sql: str, params: list, stands: dict[int, tuple[str, int | None, Adapted]], compiler) -> None:
        self.sql, self.params, self.stands = _with_constants(sql, params, stands)
        self.columns = compiler.col_count
        expressions = [each for each, _, _ in compiler.select[: self.columns]]
        self.compiler, self.converters = compiler, compiler.get_converters(expressions)

    def ask(self, cursor, values: dict[str, Any]) -> None:
        params = list(self.params)
        for place, (name, index, adapted) in self.stands.items():
            params[place] = adapted(values[name] if index is None else values[name][index])
        cursor.execute(self.sql, params)

    def rows(self, cursor) -> Iterable:
        rows = cursor.fetchall()
        if rows and len(rows[0]) > self.columns:
            rows = [row[: self.columns] for row in rows]
        return self.compiler.apply_converters(rows, self.converters) if self.converters else rows


def _with_constants(sql: str, params: list, stands: dict) -> tuple[str, list, dict]:
    """On PostgreSQL, constants are written into the text and stand-ins alone handed over: it plans for whatever value a
    parameter may have, and uses no index that is of some rows only where the text does not say that they are those."""
    if connection.vendor != "postgresql":
        return sql, params, stands
    from psycopg.sql import Literal

    connection.ensure_connection()
    parts, places = PLACEHOLDER.split(sql), iter(range(len(params)))
    left: list = []
    kept: dict = {}
    for n, part in enumerate(parts):
        if part != "%s":
            continue
        place = next(places)
        if place not in stands and isinstance(params[place], str | int):
            parts[n] = Literal(params[place]).as_string(connection.connection).replace("%", "%%")
            continue
        if place in stands:
            kept[len(left)] = stands[place]
        left.append(params[place])
    return "".join(parts), left, kept


def _cursors(many: int) -> list:
    """On PostgreSQL such as hand their parameters over beside the text, so that the plan is kept as well."""
    if connection.vendor != "postgresql":
        return [connection.cursor() for _ in range(many)]
    from django.db.backends.postgresql.base import ServerBindingCursor  # psycopg is not needed on SQLite

    connection.ensure_connection()
    usual, connection.connection.cursor_factory = connection.connection.cursor_factory, ServerBindingCursor
    try:
        return [connection.cursor() for _ in range(many)]
    finally:
        connection.connection.cursor_factory = usual


Question = tuple[_Text | None, dict[str, Any]]  # None: one of its lists is empty, and nothing can be found


def together(*questions: Question) -> list[list]:
    """The rows of each, none of which hangs on another's answer: PostgreSQL is sent them all before it answers."""
    with ExitStack() as opened:
        cursors = [opened.enter_context(cursor) for cursor in _cursors(len(questions))]
        several = connection.vendor == "postgresql" and len(questions) > 1
        # An error may come as late as the answers, when the pipeline ends: it is Django's all the same.
        with connection.wrap_database_errors, connection.connection.pipeline() if several else nullcontext():
            for cursor, (text, values) in zip(cursors, questions, strict=True):
                if text:
                    text.ask(cursor, values)
        return [list(text.rows(cursor)) if text else [] for cursor, (text, _) in zip(cursors, questions, strict=True)]


class Kept:
    """See the module. `query(**stand-ins)` gives a values_list; values are UUIDs, dates, aware moments and lists."""

    def __init__(self, query: Callable[..., QuerySet]) -> None:
        self.query = query
        self.texts: dict[tuple, _Text] = {}

    def __call__(self, **values: Any) -> list:
        """The rows, as sequences of values."""
        [rows] = together(self.of(**values))
        return rows

    def of(self, **values: Any) -> "Question":
        """The query with these values, to be asked `together` with others."""
        lists = {name: list(each) for name, each in values.items() if not isinstance(each, UUID | date)}
        if not all(lists.values()):
            return None, values
        values |= lists
        shape = (connection.vendor, *((name, _kind(value)) for name, value in sorted(values.items())))
        text = self.texts.get(shape)
        if text is None:
            if len(self.texts) >= MOST:
                self.texts.clear()
            text = self.texts[shape] = self._write(values)
        return text, values

    def _write(self, values: dict[str, Any]) -> _Text:
        """Written twice with different stand-ins: whatever differs must be one of them."""
        stand_ins = [_stand_ins(values, turn) for turn in (0, 1)]
        with clock.not_to_be_read():
            compilers = [self.query(**each).query.get_compiler(connection=connection) for each in stand_ins]
            (sql, params), (again, others) = (compiler.as_sql() for compiler in compilers)
        if sql != again:
            raise TypeError("This query's SQL depends on the values: it cannot be kept.")
        stands, places = {}, _places(*stand_ins)
        for place, both in enumerate(zip(params, others, strict=True)):
            if both[0] != both[1]:
                if _key(*both) not in places:
                    raise TypeError("Something is reckoned from a value of this query: give it as a value of its own.")
                stands[place] = places[_key(*both)]
        return _Text(sql, list(params), stands, compilers[0])


def _kind(value: Any) -> object:
    if isinstance(value, list):
        return (_kind(value[0]), len(value))
    return datetime if isinstance(value, datetime) else date if isinstance(value, date) else type(value)


def _stand_ins(values: dict[str, Any], turn: int) -> dict[str, Any]:
    """One of the same kind for each value. Days keep their week day, and lie apart by other steps in each turn: no day
    reckoned from one of them is another of them in both."""
    days = 0

    def stand_in(value: Any) -> Any:
        nonlocal days
        if isinstance(value, list):
            return [stand_in(each) for each in value]
        if isinstance(value, UUID):
            return uuid4()
        if not isinstance(value, date):
            raise TypeError(f"A {type(value).__name__} cannot be given to a kept query.")
        days += 1
        day = date(1900, 1, 1) + timedelta(weeks=(17, 1009)[turn] * days, days=value.weekday())
        return datetime.combine(day, time(12), UTC) if isinstance(value, datetime) else day

    return {name: stand_in(value) for name, value in values.items()}


def _places(given: dict, given_again: dict) -> dict[tuple, tuple[str, int | None, Adapted]]:
    """Which stand-in stands in the SQL as these two parameters, and how the database takes its values; looked up, for a
    list may hold a thousand."""
    ops = connection.ops
    forms: list[Adapted] = [
        lambda value: value,
        lambda value: value.hex,
        ops.adapt_datefield_value,
        ops.adapt_datetimefield_value,
    ]
    found: dict[tuple, tuple[str, int | None, Adapted]] = {}
    for name, value in given.items():
        pairs: list[tuple[int | None, Any, Any]] = (
            [(n, *both) for n, both in enumerate(zip(value, given_again[name], strict=True))]
            if isinstance(value, list)
            else [(None, value, given_again[name])]
        )
        for index, one, other in pairs:
            for form in forms:
                with suppress(AttributeError, TypeError, ValueError):
                    found.setdefault(_key(form(one), form(other)), (name, index, form))
    return found


def _key(first: Any, second: Any) -> tuple:
    return type(first), first, type(second), second
