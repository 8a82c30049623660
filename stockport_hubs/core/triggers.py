"""Triggers that make tables insert-only on SQLite and PostgreSQL.

SQLite drops a table's triggers without a word when a migration rebuilds the table, so they are (re)created after every
migrate.
"""

from django.apps import apps
from django.db import connections, transaction

_POSTGRES_FUNCTION = """
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger AS $$
BEGIN RAISE EXCEPTION 'rows of % are insert-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation'; END
$$ LANGUAGE plpgsql
"""


def append_only_tables() -> list[str]:
    """Tables of every model that derives from AppendOnlyModel."""
    from stockport_hubs.core.models import AppendOnlyModel

    return sorted(m._meta.db_table for m in apps.get_models() if issubclass(m, AppendOnlyModel) and m._meta.managed)


def install(using: str = "default") -> None:
    """Create the triggers that are missing; harmless to repeat."""
    connection = connections[using]
    existing = set(connection.introspection.table_names())
    with transaction.atomic(using=using), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(_POSTGRES_FUNCTION)
        for table in append_only_tables():
            if table in existing:
                for statement in _create(connection.vendor, table):
                    cursor.execute(statement)


def missing(using: str = "default") -> list[str]:
    """Triggers that are not there, or switched off."""
    connection = connections[using]
    verbs, there = ["update", "delete"], "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    if connection.vendor == "postgresql":
        verbs, there = [*verbs, "truncate"], "SELECT tgname FROM pg_trigger WHERE tgenabled IN ('O', 'A')"
    with connection.cursor() as cursor:
        cursor.execute(there)
        names = {name for (name,) in cursor.fetchall()}
    wanted = [f"append_only_{table}_{verb}" for table in append_only_tables() for verb in verbs]
    return [name for name in wanted if name not in names]


def remove(using: str = "default") -> None:
    """Drop the triggers: for the tests' clean-up only."""
    connection = connections[using]
    existing = set(connection.introspection.table_names())
    with transaction.atomic(using=using), connection.cursor() as cursor:
        for table in append_only_tables():
            if table not in existing:
                continue
            on = f' ON "{table}"' if connection.vendor == "postgresql" else ""
            for verb in ("update", "delete", "truncate"):
                cursor.execute(f"DROP TRIGGER IF EXISTS append_only_{table}_{verb}{on}")


def _create(vendor: str, table: str) -> list[str]:
    if vendor == "sqlite":
        return [
            f'CREATE TRIGGER IF NOT EXISTS append_only_{table}_{verb} BEFORE {verb.upper()} ON "{table}" '
            f"BEGIN SELECT RAISE(ABORT, 'rows of {table} are insert-only'); END"
            for verb in ("update", "delete")
        ]
    return [
        statement
        for verb, each in (("update", "ROW"), ("delete", "ROW"), ("truncate", "STATEMENT"))
        for statement in (
            f'DROP TRIGGER IF EXISTS append_only_{table}_{verb} ON "{table}"',
            f'CREATE TRIGGER append_only_{table}_{verb} BEFORE {verb.upper()} ON "{table}" '
            f"FOR EACH {each} EXECUTE FUNCTION refuse_change()",
        )
    ]


def after_migrate(sender, using="default", **kwargs) -> None:
    """Receiver of post_migrate."""
    install(using)
