"""The advisor's own list: searched, filtered and sorted; a caseload that fits on a page costs one query less."""

from dataclasses import dataclass
from datetime import date

from django import forms
from django.core.paginator import Page

from referrals import caseload
from referrals.caseload import Row
from stockport_hubs.accounts.models import User
from stockport_hubs.core.forms import Form
from stockport_hubs.core.pages import Paginator

AT_ONCE = 200  # people whose needs are looked at together; nobody looks after more
SHOW = {
    "": ("Everyone", ()),
    "needs": ("Needs something now", ()),
    "not_seen": ("Missed weeks", ("not_seen", "spoken", "not_taken_up")),
    "agreement": ("No agreement yet", ("agreement", "name")),
    "waiting": ("Waiting for the pantry", ("waiting", "asked")),
    "ends": ("A block ends or is decided", ("ends", "next_block", "held")),
    "turns_25": ("Turns 25 soon", ("turns_25",)),
    "wellbeing": ("Wellbeing questions due", ("wellbeing",)),
    "cover": ("Covered for a colleague", ()),
}
SORT = {
    "": "What needs me first",
    "name": "Name",
    "last": "Last collection, longest ago first",
    "left": "Weeks left, fewest first",
}


class CaseloadFilter(Form):
    """Whom to show, and in which order."""

    mark_optional = False
    show = forms.ChoiceField(label="Show", required=False, choices=[(key, words) for key, (words, _) in SHOW.items()])
    sort = forms.ChoiceField(label="Order", required=False, choices=list(SORT.items()))


@dataclass
class Listed:
    """A page of the list."""

    page: Page
    rows: list[Row]
    form: CaseloadFilter
    query: str
    is_filtered: bool
    by_name_only: bool  # more people than are looked at together: in order of name, found by searching


def of(user: User, asked, on: date) -> Listed:
    """`asked` is the query of the address: q, show, sort, page."""
    form, query, number = CaseloadFilter(asked), asked.get("q", "").strip()[:60], asked.get("page")
    form.is_valid()
    show, sort = form.cleaned_data.get("show", ""), form.cleaned_data.get("sort", "")
    first = []
    if not (query or show or sort or number):
        first = caseload.first_page(user, on)
        if len(first) <= caseload.A_PAGE:
            return _listed(_sorted(caseload.rows(first, on), ""), None, form, "", False)
    people = caseload.people(user, on).search(query)
    if (many := Paginator(people, caseload.A_PAGE)).count > AT_ONCE:
        page = many.get_page(number)
        if first:
            page.object_list = first[: many.per_page]  # asked for already
        return Listed(page, caseload.rows(page.object_list, on), form, query, bool(query), by_name_only=True)
    rows = [row for row in caseload.rows(people, on) if _fits(row, show)]
    return _listed(_sorted(rows, sort), number, form, query, bool(query or show))


def _listed(rows: list[Row], number, form: CaseloadFilter, query: str, is_filtered: bool) -> Listed:
    page = Paginator(rows, caseload.A_PAGE).get_page(number)
    return Listed(page, list(page.object_list), form, query, is_filtered, by_name_only=False)


def _fits(row: Row, show: str) -> bool:
    codes = {flag.code for flag in row.flags}
    if show == "needs":
        return bool(codes - caseload.QUIET)
    return row.is_cover if show == "cover" else not show or bool(codes & set(SHOW[show][1]))


def _sorted(rows: list[Row], sort: str) -> list[Row]:
    """Rows come by name, and stay so where they are equal; who is no member comes last."""
    if sort == "last":
        return sorted(rows, key=lambda row: (not row.facts.is_member, row.facts.last_collected_on or date.min))
    if sort == "left":
        return sorted(rows, key=lambda row: (not row.facts.is_member, row.facts.weeks_left))
    return rows if sort == "name" else sorted(rows, key=lambda row: row.urgency)
