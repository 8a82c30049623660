"""`filter(Among("pk", keys))`: one parameter however many keys there are. `pk__in` gives the database one for each, and
SQLite refuses a query with more than some thousands."""

import json
from collections.abc import Iterable
from uuid import UUID

from django.db.models import BooleanField, F, Func


class Among(Func):
    """Whether a UUID field is one of the keys."""

    output_field = BooleanField()

    def __init__(self, field: str, keys: Iterable[UUID]) -> None:
        super().__init__(F(field))
        self.keys = list(keys)

    def as_postgresql(self, compiler, connection, **extra):
        sql, params = compiler.compile(self.source_expressions[0])
        return f"{sql} = ANY(%s::uuid[])", (*params, self.keys)

    def as_sqlite(self, compiler, connection, **extra):
        sql, params = compiler.compile(self.source_expressions[0])
        keys = json.dumps([key.hex for key in self.keys])
        return f"{sql} IN (SELECT value FROM json_each(%s))", (*params, keys)  # noqa: S608
