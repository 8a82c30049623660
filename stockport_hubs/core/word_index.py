"""An index in which PostgreSQL finds a name by any three letters of it, as `icontains` and `istartswith` ask for them.

SQLite has nothing like it, and reads the table: it is for one machine and few people.
"""

from django.contrib.postgres.operations import TrigramExtension
from django.db import migrations
from django.db.migrations.operations.base import Operation


class _OnPostgres(migrations.RunSQL):
    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        if schema_editor.connection.vendor == "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        if schema_editor.connection.vendor == "postgresql":
            super().database_backwards(app_label, schema_editor, from_state, to_state)


def add_word_index(name: str, table: str, columns: list[str]) -> list[Operation]:
    """The operations of a migration; the extension is one the owner of a database may add to it."""
    of = ", ".join(f'UPPER("{column}"::text) gin_trgm_ops' for column in columns)
    return [
        TrigramExtension(),
        _OnPostgres(f'CREATE INDEX "{name}" ON "{table}" USING gin ({of})', f'DROP INDEX "{name}"'),
    ]
