"""Load the postcode directory: the scheme's own authority, and what lies around it."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice

from django.db import connection, transaction

from careleavers.models import Postcode, PostcodeDirectory
from careleavers.postcode_files import Box, File, Found, Packed
from stockport_hubs.audit import services as audit
from stockport_hubs.core.errors import Refused

STOCKPORT = "E08000007"
AROUND = 20_000  # metres beyond the authority's own: a young person of the council may live over the border
BATCH = 5_000
FIELDS = ("postcode", "easting", "northing", "authority", "is_ended")


@transaction.atomic
def load(*, directory: Packed | File, authority: str, job: str, at: datetime) -> PostcodeDirectory:
    """Replace what is loaded. Refused, with what was there kept, when the directory has nothing of the authority."""
    own = list(directory.rows(authority=authority))
    if not own:
        raise Refused(f"This directory has no postcodes of {authority}. Look at the code of the local authority.")
    easts, norths = [each.easting for each in own], [each.northing for each in own]
    around = Box(min(easts) - AROUND, min(norths) - AROUND, max(easts) + AROUND, max(norths) + AROUND)

    def near() -> Iterator[Found]:
        seen = set()
        for each in directory.rows(within=around):
            if each.postcode not in seen:
                seen.add(each.postcode)
                yield each

    Postcode.objects.all().delete()
    PostcodeDirectory.objects.all().delete()
    count = _copy(near()) if connection.vendor == "postgresql" else _insert(near())
    loaded = PostcodeDirectory.objects.create(
        authority=authority, source=directory.source, postcodes=count, loaded_at=at
    )
    audit.record("careleavers.postcodes.loaded", at=at, job=job, detail={"postcodes": count, "authority": authority})
    return loaded


def _copy(rows: Iterable[Found]) -> int:
    count = 0
    with connection.cursor() as cursor:
        statement = f"COPY {Postcode._meta.db_table} ({', '.join(FIELDS)}) FROM STDIN"
        with cursor.copy(statement) as copy:
            for count, row in enumerate(rows, start=1):  # noqa: B007
                copy.write_row(row)
    return count


def _insert(rows: Iterable[Found]) -> int:
    count, rows = 0, iter(rows)
    statement = f"INSERT INTO {Postcode._meta.db_table} ({', '.join(FIELDS)}) VALUES (%s, %s, %s, %s, %s)"  # noqa: S608
    with connection.cursor() as cursor:
        while batch := list(islice(rows, BATCH)):
            cursor.executemany(statement, batch)
            count += len(batch)
    return count
