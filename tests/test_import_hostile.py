"""I1: files that are not what they should be. Never a server error, never half saved; each answer says row, column and
reason. 100 here, 1,000 in `make proof`."""

import dataclasses
import io
import random
import zipfile
from collections import Counter
from collections.abc import Callable
from contextlib import suppress

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.urls import reverse

from careleavers.importing import oc3, rows
from careleavers.models import CareLeaver, PeopleImport
from careleavers.services import uploads
from stockport_hubs.accounts.models import Role
from stockport_hubs.core import cells, workbooks
from stockport_hubs.core.errors import Refused
from stockport_hubs.jobs import services as jobs
from tests import factories
from tests.lists import NEW, OC3, csv_file, list_9, template
from tests.test_import_pages import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]  # files: once
WHOLE, ROW = "the file is refused", "a row is refused"
EITHER = "refused or read"
Made = tuple[str, bytes, str]  # name, content, what must become of it


def repacked(content: bytes, changes: dict[str, bytes]) -> bytes:
    """The workbook with parts replaced or added."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name, part in ({name: old.read(name) for name in old.namelist()} | changes).items():
            new.writestr(name, part)
    return out.getvalue()


BOMB = b'<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;">]><worksheet>&b;</worksheet>'
SHEET = "xl/worksheets/sheet2.xml"
FAR = b"""<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>
<row r="1048576"><c r="A1048576" t="inlineStr"><is><t>x</t></is></c></row></sheetData></worksheet>"""


def _flipped(draw: random.Random) -> bytes:
    content = bytearray(list_9({}))
    for _ in range(draw.randint(1, 30)):
        content[draw.randrange(len(content))] ^= draw.randrange(1, 256)
    return bytes(content)


def _cell(draw: random.Random) -> Made:
    """List 9 with one bad cell in its second row."""
    column, cell = draw.choice(
        [
            ("Child Unique ID", draw.choice(["", "a|b", "x" * 41, "=1+1", "-1", "1001"])),
            (
                "Date of Birth",
                draw.choice(["31/02/2002", "yesterday", 5, 1e300, "13/04/2021", "01/01/0001", "#N/A", ""]),
            ),
            ("Eligibility Category", draw.choice(["nonsense", "", "=A1", "\u202eelbigile"])),
            ("LA in Touch", draw.choice(["perhaps", "2"])),
            ("Type of Accommodation", draw.choice(["A: Attic", "7"])),
            ("Allocated Team", draw.choice(["=cmd|' /C calc'!A0", "@SUM(1)", "x" * 81, "#REF!"])),
            ("Allocated Personal Advisor", draw.choice(["+44|x", "%0A=1", "y" * 121])),
            ("Latest Pathway Plan Review Date", draw.choice(["32/01/2021", "01/01/9999"])),
        ]
    )
    return "list.xlsx", list_9({}, {"Child Unique ID": 2} | {column: cell}), ROW


def _oc3(draw: random.Random) -> Made:
    """OC3 with one row against its rules."""
    born, in_touch, activity, home = draw.choice(
        [
            ("7/8/2002", "YES", "F1", "U1"),
            ("07/08/2002", "Y", "F1", "U1"),
            ("07/08/2002", "YES", draw.choice(["F3", "P3", "G1", "=1"]), "U1"),
            ("07/08/2002", "YES", "F1", draw.choice(["S1", "X1", "A1", "U", "U3", "0"])),
            ("07/08/2002", draw.choice(["DIED", "RHOM"]), "F1", "U1"),
            ("07/08/2002", "", "F1", "U1"),
            ("07/08/2002", "NO", "", "0"),
            ("13/04/2003", "YES", "F1", "Z1"),
            ("", "YES", "F1", "U1"),
        ]
    )
    return "oc3.csv", csv_file(OC3, ["1001", "07/08/2002", "", "", ""], ["2", born, in_touch, activity, home]), ROW


def _template(draw: random.Random) -> Made:
    bad = draw.choice(
        [("=1", "Vale", "SK1 1AA"), ("Robin", "+1", "SK1 1AA"), ("Robin", "Vale", draw.choice(["SK", "x"]))]
    )
    row = ["2", bad[0], bad[1], "07/08/2002", "Former relevant", bad[2]]
    return "own.xlsx", template(["1001", "A", "B", "08/08/2002", "Former relevant", None], row), ROW


def _bytes(draw: random.Random) -> Made:
    start = draw.choice(
        [b"", b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"\xff\xfe", b"\xef\xbb\xbf", b"%PDF-1.7\n", b"GIF89a"]
    )
    return "x.csv", start + draw.randbytes(draw.randint(0, 3_000)), WHOLE


def _text(draw: random.Random) -> Made:
    sound = csv_file(OC3, ["1", "07/08/2002", "", "", ""]).decode()
    spoilt = draw.choice(
        [
            sound.replace("1,", '"1,', 1).encode(),
            sound.replace("CHILD", "CHILD\0").encode(),
            sound.encode("utf-16-le"),
            sound.encode("utf-16")[:-1],
            sound.replace("ACCOM", "ACOM").encode(),
            sound.replace("ACTIV", "DOB").encode(),
            ("x" * 200_000 + "," + sound).encode(),
            b"\n" * 20_001 + sound.encode(),
            b"",
        ]
    )
    return "x.csv", spoilt, WHOLE


def _parts(draw: random.Random) -> Made:
    changes: dict[str, bytes] = draw.choice(
        [
            {"[Content_Types].xml": b""},
            {"xl/media/zeros.bin": bytes(workbooks.MAX_UNPACKED + 1)} if draw.random() < 0.1 else {SHEET: BOMB},
            {f"xl/media/{n}": b"" for n in range(workbooks.MAX_PARTS)},
            {SHEET: BOMB},
            {SHEET: b"<worksheet><sheetData><row"},
            {SHEET: FAR},
            {"xl/workbook.xml": b"<nonsense/>"},
            {"xl/vbaProject.bin": b"macros"},
        ]
    )
    return "x.xlsx", repacked(list_9({}), changes), WHOLE


KINDS: list[Callable[[random.Random], Made]] = [
    _cell,
    _oc3,
    _template,
    _bytes,
    _text,
    _parts,
    lambda draw: ("x.xlsx", list_9({})[: draw.randint(4, 4_000)], WHOLE),
    lambda draw: ("x.xlsx", _flipped(draw), EITHER),
    lambda draw: ("x.xlsx", list_9({}, headings=draw.sample(NEW, len(NEW) - 6)), EITHER),
]


def malformed(seed: int, count: int) -> list[Made]:
    draw = random.Random(seed)
    return [KINDS[n % len(KINDS)](draw) for n in range(count)]


def faults(client, files: list[Made]) -> list[str]:
    """Upload each, tick everybody, bring them in; what went wrong, by number. Everything is undone after each."""
    found = []
    for n, made in enumerate(files):
        with transaction.atomic():
            found += [f"{n}: {fault}" for fault in _faults(client, *made)]
            transaction.set_rollback(True)
    return found


def _faults(client, name: str, content: bytes, expected: str) -> list[str]:
    answer = client.post(reverse("careleavers:import"), {"file": SimpleUploadedFile(name, content)})
    if answer.status_code == 200:
        [said] = answer.context["form"].errors.get("file", [""])
        found = [] if said and said.endswith((".", ". Keep one of them")) else [f"no sentence: {said!r}"]
        if expected == ROW:
            found.append(f"the whole file was refused: {said}")
        return found + (["saved"] if CareLeaver.objects.exists() or PeopleImport.objects.exists() else [])
    if answer.status_code != 302:
        return [f"status {answer.status_code}"]
    if expected == WHOLE:
        return [f"{name} was opened and read"]
    jobs.pump()  # a large one is read by a job
    shown = client.get(answer.url)
    refused = [line.outcome.row for line in shown.context["lines"] if line.outcome.kind == "refused"]
    sheet_columns, text = set(shown.context["sheet"].read), shown.content.decode()
    found = [] if refused or expected == EITHER else ["no row was refused"]
    for row in refused:
        for column, reason in row.problems:
            if column not in sheet_columns or not reason or f'data-label="Row">{row.number}<' not in text:
                found.append(f"row {row.number}: {column!r} {reason!r}")
    kept = PeopleImport.objects.get()
    uploads.choose(upload=kept, tick=[line.outcome.row.number for line in shown.context["lines"]], at=NOW)
    with suppress(Refused):  # nobody can be ticked
        uploads.confirm(upload=kept, by=kept.uploaded_by, at=NOW)
    kept.refresh_from_db()
    stored, sound = CareLeaver.objects.count(), len(shown.context["lines"]) - len(refused)
    if stored != (sound if kept.state == "done" else 0) or (sound and kept.state != "done"):
        found.append(f"half saved: {stored} of {sound}, {kept.state}")
    live = [v for row in CareLeaver.objects.values() for v in row.values() if str(v).startswith(("=", "+", "@", "-"))]
    return found + (["a formula was saved"] if live else [])


@pytest.fixture
def uploader(client, settings):
    settings.CLOCK = NOW
    client.force_login(factories.user(Role.LEAVING_CARE_MANAGER))
    return client


@pytest.mark.promise("I1")
def test_malformed_files_are_refused_with_row_column_and_reason(uploader, sized, seed, figures):
    files = malformed(seed, sized(100, 1_000))
    assert faults(uploader, files) == []
    asked = Counter(expected for *_, expected in files)
    told = ", ".join(f"{number} where {what}" for what, number in asked.items())
    figures(f"{len(files):,} malformed files: 0 server errors, 0 half saved; {told}")


def test_without_the_protection_the_same_files_do_harm(uploader, monkeypatch):
    """The control: each check taken away lets something through that the test above names."""
    draw = random.Random(1)
    parts, cells_, rules, own = (
        [make(draw) for _ in range(n)] for make, n in ((_parts, 12), (_cell, 16), (_oc3, 8), (_template, 3))
    )

    def through(files, target, name, nothing) -> str:
        with monkeypatch.context() as without:
            without.setattr(target, name, nothing)
            return " ".join(faults(uploader, files))

    assert "was opened and read" in through(parts, workbooks, "check", lambda content, name: None)
    assert "no row was refused" in through(cells_ + own, cells, "LIVE", ("no such beginning",))
    without_rules = dataclasses.replace(oc3.OC3, judge=lambda row, found, heads, today: None)
    assert "no row was refused" in through(rules, oc3, "OC3", without_rules)
    assert "row 3: ''" in through(rules[:1], rows.Row, "to_plain", _without_columns)


def _without_columns(row):
    plain = {**vars(row), "facts": {name: str(value) for name, value in row.facts.items()}}
    return plain | {"problems": [("", reason) for _, reason in row.problems]}
