"""I2: no live formula on any way out. Every module that writes a table for spreadsheets is named here with what proves
it, and every address that answers with one is read."""

import csv
import io
import re
from pathlib import Path

import pytest
from django.urls import reverse
from openpyxl import load_workbook

from careleavers.models import CareLeaver
from pantry.models import FundingAgreement, Membership, Pantry
from stockport_hubs.accounts.models import Organisation, Role, User
from tests.processes import ROOT
from tests.test_url_table import ours
from tests.world import make_scheme

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]
WRITERS = {  # where a CSV or a workbook is written: what shows that nothing in it runs
    "careleavers/importing/template.py": "test_every_address_that_gives_a_table_gives_no_formula",
    "reviews/tables.py": "test_no_cell_of_the_csv_begins_like_a_formula",
    "stockport_hubs/core/spreadsheets.py": "test_every_address_that_gives_a_table_gives_no_formula",
    "reviews/workbooks.py": "test_every_address_that_gives_a_table_gives_no_formula",
    "stockport_hubs/home/trail.py": "test_the_file_holds_no_live_formula_and_no_name",
}
WRITES = re.compile(r"csv\.(writer|DictWriter)\(|openpyxl import .*\bWorkbook\b")
ADDRESSES = {  # names of addresses that answer with a table, and what of the scheme they ask for
    "careleavers:import_template": "",
    "pantry:statement_csv": "statement",
    "pantry:year_end_csv": "agreement",
    "reviews:figures_csv": "",
    "reviews:pack_csv": "council_pack",
    "reviews:pack_xlsx": "council_pack",
    "trail_csv": "",
}
LIVE = ("=", "+", "@", "\t", "\r", "|", "%")


def test_every_writer_of_tables_is_known_and_proved():
    found = set()
    for folder in ("stockport_hubs", "careleavers", "pantry", "referrals", "reviews"):
        for path in (ROOT / folder).rglob("*.py"):
            text = path.read_text()
            if WRITES.search(text):
                found.add(str(path.relative_to(ROOT)))
    assert found == set(WRITERS)
    tests = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    assert [name for name in WRITERS.values() if f"def {name}(" not in tests] == []


def test_every_address_of_a_table_is_known():
    assert {name for name, _ in ours() if re.search(r"_(csv|xlsx|template)$", name)} == set(ADDRESSES)


def live_cells(answer) -> list[str]:
    """Cells a spreadsheet program might run."""
    if "csv" in answer.headers["Content-Type"]:
        rows = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
        return [cell for row in rows for cell in row if cell.startswith(LIVE) and not re.fullmatch(r"\+[\d.£,]+", cell)]
    book = load_workbook(io.BytesIO(answer.content))
    return [
        str(c.value)
        for page in book
        for row in page.iter_rows()
        for c in row
        if c.data_type not in ("s", "n", "d", "inlineStr")
    ]


@pytest.mark.promise("I2")
def test_every_address_that_gives_a_table_gives_no_formula(client, figures):
    evil = "=HYPERLINK(1)"
    scheme = make_scheme(evil)
    for model, field in ((Pantry, "name"), (User, "name"), (FundingAgreement, "name"), (Organisation, "name")):
        for n, row in enumerate(model.objects.order_by("pk")):
            setattr(row, field, f"{evil}{n}")
            row.save(update_fields=[field])
    Membership.objects.update(preferred_name=evil)
    CareLeaver.objects.update(preferred_name=evil, surname=evil)
    client.force_login(scheme["users"][Role.LEAVING_CARE_MANAGER])
    found, evils = {}, 0
    for name, key in ADDRESSES.items():
        answer = client.get(reverse(name, args=[scheme[key].pk] if key else []))
        assert answer.status_code == 200, name
        found[name] = live_cells(answer)
        evils += evil.encode() in answer.content
    assert found == dict.fromkeys(ADDRESSES, [])
    assert evils >= 2  # what could run is there, as text
    figures(f"{len(ADDRESSES)} addresses that give a table: 0 live cells, with what could run in {evils} of them")
