"""Taken with a backup and compared after it is restored."""

from django.core.management.base import BaseCommand
from django.db import connection


class Command(BaseCommand):
    help = "Prints how many rows each table holds, one a line, and the sum."

    def handle(self, **options):
        quote, total = connection.ops.quote_name, 0
        tables = sorted(connection.introspection.table_names())
        with connection.cursor() as cursor:
            for table in tables:
                cursor.execute(f"SELECT COUNT(*) FROM {quote(table)}")  # noqa: S608  # the database's own names
                count = cursor.fetchone()[0]
                total += count
                self.stdout.write(f"{table} {count}")
        self.stdout.write(f"{total} rows in {len(tables)} tables")
