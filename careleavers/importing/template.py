"""The empty workbook people may fill in instead of a list of the case system."""

import io

from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

SHEET = "Young people"
COLUMNS = {  # heading: what goes below it
    "Child Unique ID": "The id of the council’s case system. Needed.",
    "Preferred Name": "What the young person likes to be called.",
    "Surname": "",
    "Date of Birth": "Such as 27/03/2003. Needed.",
    "Eligibility Category": "Eligible, Relevant, Former relevant or Qualifying. Needed.",
    "Personal Advisor": "The name or email address the advisor has here.",
    "Team": "",
    "In Touch": "Yes, No, Died, Refused contact, No longer requires services or Returned home.",
    "Type of Accommodation": "Such as U: Independent living.",
    "Suitability of Accommodation": "Suitable or Unsuitable.",
    "Latest Pathway Plan Review Date": "Such as 01/03/2021.",
    "Postcode": "A whole one, such as SK1 1AA: the nearest pantry is found by it.",
}


def template_xlsx() -> bytes:
    """One sheet of headings, one that explains them; no example row, which would be brought in."""
    book = Workbook()
    sheet = book.active
    sheet.title = SHEET
    sheet.append(list(COLUMNS))
    sheet.freeze_panes = "A2"
    notes = book.create_sheet("What goes where")
    for heading, note in COLUMNS.items():
        notes.append([heading, note])
    for n, heading in enumerate(COLUMNS, start=1):
        sheet.cell(1, n).font = Font(bold=True)
        sheet.column_dimensions[get_column_letter(n)].width = len(heading) + 4
    notes.column_dimensions["A"].width, notes.column_dimensions["B"].width = 34, 80
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
