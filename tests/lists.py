"""Lists of young people as files, made for the tests: every person in them is invented."""

import csv
import io
from datetime import datetime

from openpyxl import Workbook

OLD = [
    "Child Unique ID", "Gender", "Ethnicity", "Date of Birth", "Age", "Does the Child have a Disability",
    "Allocated Team", "Allocated Worker", "Eligibility Category", "LA in Touch", "Type of Accommodation",
    "Suitability of Accommodation", "Activity Status",
]  # fmt: skip
NEW = [
    "Child Unique ID", "Gender", "Ethnicity", "Date of Birth", "Age",
    "Unaccompanied Asylum Seeking Child (UASC), or formerly UASC if 18 or over (Y/N)",
    "Does the Child have a Disability", "Allocated Team", "Allocated Worker", "Allocated Personal Advisor",
    "Eligibility Category", "Latest Pathway Plan Review Date", "LA in Touch", "Latest Date of Contact",
    "Type of Accommodation", "Suitability of Accommodation", "Activity Status",
]  # fmt: skip
OC3 = ["CHILD", "DOB", "IN_TOUCH", "ACTIV", "ACCOM"]
TEMPLATE = ["Child Unique ID", "Preferred Name", "Surname", "Date of Birth", "Eligibility Category", "Postcode"]


def excel_day(year, month, day):
    """Excel's dates are moments without a time zone."""
    return datetime(year, month, day)  # noqa: DTZ001


PERSON = {
    "Child Unique ID": 1001, "Gender": "SECRET-GENDER", "Ethnicity": "SECRET-ETHNICITY",
    "Date of Birth": excel_day(2002, 8, 7), "Age": 18.6, "Does the Child have a Disability": "SECRET-DISABILITY",
    NEW[5]: "SECRET-UASC", "Allocated Team": "Care Leavers Team", "Allocated Worker": "Wil Worker",
    "Allocated Personal Advisor": "Ann Advisor", "Eligibility Category": "b) Former relevant child",
    "Latest Pathway Plan Review Date": "01/03/2021", "LA in Touch": "a) Yes", "Latest Date of Contact": "02/03/2021",
    "Type of Accommodation": "U: Independent living", "Suitability of Accommodation": "a) Suitable",
    "Activity Status": "SECRET-ACTIVITY",
}  # fmt: skip


def workbook(headings, *rows: dict, sheet="List 9", above=0) -> bytes:
    """A workbook with a sheet beside it; a row is a dict by heading."""
    book = Workbook()
    book.active.title = "List 8"
    page = book.create_sheet(sheet)
    for _ in range(above):
        page.append(["Annex A"])
    page.append(list(headings))
    for row in rows:
        page.append([row.get(heading) for heading in headings])
        for cell in page[page.max_row]:
            if isinstance(cell.value, str):
                cell.data_type = "s"  # text, whatever it begins with
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def list_9(*changes: dict, headings=NEW, **more) -> bytes:
    """Annex A, List 9: PERSON with each of the changes."""
    return workbook(headings, *(PERSON | change for change in changes), **more)


def csv_file(headings, *rows, separator=",") -> bytes:
    out = io.StringIO()
    csv.writer(out, delimiter=separator).writerows([headings, *rows])
    return out.getvalue().encode()


def oc3(*rows) -> bytes:
    return csv_file(OC3, *rows)


def template(*rows) -> bytes:
    """Our own workbook, filled in: rows are values of TEMPLATE."""
    return workbook(TEMPLATE, *(dict(zip(TEMPLATE, row, strict=True)) for row in rows), sheet="Young people")
