"""A filled sheet typed in: a line for each member in the sheet's order, then members of other pantries and visitors."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django import forms

from pantry import counter, wording
from pantry.models import Membership, Pantry
from pantry.roster import Row
from pantry.services.bulk import Entry
from pantry.services.collections import OverrideReason
from stockport_hubs.accounts.models import User
from stockport_hubs.core.forms import Form
from stockport_hubs.core.keys import uuid_or_none

USUAL = "x"
OTHERS = 5  # lines for members who are not on the sheet
MOST_VISITORS = 20


@dataclass(frozen=True)
class Line:
    """One line of the page: who it is (a row, or a field for the number), and its fields unless it is done."""

    row: Row | None
    number: Any
    items: list
    fruit: Any
    paid: Any


def lines_of(data) -> list[UUID]:
    """The members whose lines something was typed in, as they were sent."""
    found = []
    for name, typed in data.items():
        column, _, key = name.partition("_")
        if typed.strip() and column.startswith(("items", "band")):
            found.append(uuid_or_none(key))
    return [key for key in dict.fromkeys(found) if key]


class BulkForm(Form):
    """`rows` are the members in order. Nothing typed in a line: they did not come."""

    mark_optional = False

    key = forms.UUIDField(widget=forms.HiddenInput)
    over_reason = forms.ChoiceField(
        label="Where somebody took more than the allowance, why?",
        choices=[("", "Nobody did"), *OverrideReason.choices],
        required=False,
    )
    visitors = forms.CharField(
        label="Visitors who are not members",
        help_text="One to a line, with what they want to be called; a dash for somebody who did not say. No surnames.",
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        validators=[wording.validate_unspoken],
    )

    def __init__(self, data=None, *, rows: Sequence[Row], pantry: Pantry, user: User, **kwargs):
        super().__init__(data, **kwargs)
        self.pantry, self.mine = pantry, Membership.objects.for_user(user)
        self.bands = list(pantry.bands.all())
        self.rows = list(rows)
        self.numbers = [f"other_{n}" for n in range(1, OTHERS + 1)]
        for row in self.rows:
            self._add_line(str(row.id), str(row.number), pays=bool(row.to_pay_pence))
        for n, name in enumerate(self.numbers, start=1):
            self.fields[f"number_{name}"] = self._small(f"Number, line {n}")
            self._add_line(name, f"line {n}", pays=True)
        self.order_fields(["key", *(each for each in self.fields if each not in self.base_fields)])
        self.entries: list[Entry] = []
        self.visited: list[str] = []

    def _add_line(self, name: str, who: str, *, pays: bool) -> None:
        for column, label in self._columns:
            self.fields[f"{column}_{name}"] = self._small(f"{label}, {who}")
        self.fields[f"fruit_{name}"] = forms.BooleanField(label=f"Fruit and veg, {who}", required=False, initial=True)
        if pays:
            self.fields[f"paid_{name}"] = forms.BooleanField(label=f"Paid, {who}", required=False, initial=True)

    @staticmethod
    def _small(label: str) -> forms.CharField:
        widget = forms.TextInput(attrs={"class": "govuk-input--width-2", "inputmode": "numeric", "autocomplete": "off"})
        return forms.CharField(label=label, required=False, max_length=8, widget=widget)

    @property
    def _columns(self) -> list[tuple[str, str]]:
        """Name and label of the fields for numbers of items."""
        return [(f"band{n}", band.name) for n, band in enumerate(self.bands)] or [("items", "Items")]

    @property
    def heads(self) -> list[str]:
        return [label for _, label in self._columns]

    @property
    def lines(self) -> list[Line]:
        """Members in the sheet's order; who has collected already, or may not shop, is told instead of asked."""
        return [self._line(str(row.id), row) for row in self.rows]

    @property
    def others(self) -> list[Line]:
        return [self._line(name) for name in self.numbers]

    def _line(self, name: str, row: Row | None = None) -> Line:
        items = [self[f"{column}_{name}"] for column, _ in self._columns]
        if row and not row.may_shop and not any(each.value() for each in items):
            items = []  # what was sent meanwhile stays on the page, to be taken out
        return Line(
            row=row,
            number=None if row else self[f"number_{name}"],
            items=items,
            fruit=self[f"fruit_{name}"],
            paid=self[f"paid_{name}"] if f"paid_{name}" in self.fields else None,
        )

    def clean_visitors(self) -> str:
        typed = self.cleaned_data["visitors"]
        names = [line.strip() for line in typed.splitlines() if line.strip()]
        if len(names) > MOST_VISITORS:
            raise forms.ValidationError(f"Enter up to {MOST_VISITORS} visitors, and the others afterwards")
        if any(len(name) > 60 for name in names):
            raise forms.ValidationError("Keep each visitor’s line to 60 letters")
        self.visited = ["" if name.strip("-–— ") == "" else name for name in names]
        return typed

    def clean(self):
        super().clean()
        people: dict[UUID, Membership] = {each.pk: each for each in self.mine.filter(pk__in=self._came)}
        for row in self.rows:
            if (quantities := self._quantities(str(row.id))) is not None and row.id in people:
                self._enter(str(row.id), people[row.id], quantities)
        for name in self.numbers:
            self._enter_other(name)
        if not self.errors and not self.entries and not self.visited:
            first = self.lines[0].items[0].name if self.rows and self.lines[0].items else "visitors"
            self.add_error(first, "Enter the items of somebody who came, or a visitor")
        return self.cleaned_data

    @property
    def _came(self) -> list[UUID]:
        return [row.id for row in self.rows if any(self.cleaned_data.get(f"{c}_{row.id}") for c, _ in self._columns)]

    def _enter_other(self, name: str) -> None:
        quantities, number = self._quantities(name), self.cleaned_data.get(f"number_{name}", "").strip()
        if not number:
            if quantities is not None:
                self.add_error(f"number_{name}", "Enter the number of the member whose items these are")
            return
        found = self.mine.filter(number=int(number)).first() if number.isdecimal() else None
        if found is None:
            self.add_error(f"number_{name}", f"No member has the number {number}. Check it on the list of members")
        elif quantities is None:
            self.add_error(f"{self._columns[0][0]}_{name}", f"Enter the items of {number}, or {USUAL} for the usual")
        else:
            self._enter(name, found, quantities)

    def _enter(self, name: str, member: Membership, quantities: dict | str) -> None:
        field = f"{self._columns[0][0]}_{name}"
        if any(entry.membership == member for entry in self.entries):
            self.add_error(field, f"{member.number} is there twice. Take one of the two out")
            return
        fruit, chosen, over = self.cleaned_data.get(f"fruit_{name}", False), None, ""
        if quantities != USUAL:
            chosen = dict(quantities)  # type: ignore[arg-type]
            bands = {band.pk: (band.name, band.items) for band in self.bands}
            over = counter.over_allowance(chosen, allowance=self.pantry.allowance, bands=bands)
            if over and not self.cleaned_data.get("over_reason"):
                self.add_error(field, f"{member.number}: {over} Enter fewer, or choose below why it is more")
            if not any(chosen.values()) and not fruit:
                self.add_error(field, f"{member.number}: enter items or tick fruit and veg, or leave the line empty")
        self.entries.append(
            Entry(
                membership=member,
                quantities=chosen,
                fruit_and_veg=fruit,
                is_paid=self.cleaned_data.get(f"paid_{name}", True),
                override=self.cleaned_data.get("over_reason", "") if over else "",
            )
        )

    def _quantities(self, name: str) -> dict | str | None:
        """Items by band id (None: no band), USUAL, or None where nothing was typed; adds the error of what is wrong."""
        typed = [self.cleaned_data.get(f"{column}_{name}", "").strip().casefold() for column, _ in self._columns]
        if not any(typed):
            return None
        if USUAL in typed:
            return USUAL
        keys: list = [band.pk for band in self.bands] or [None]
        found = {}
        for (column, _), key, value in zip(self._columns, keys, typed, strict=True):
            if value and not (value.isdecimal() and value.isascii() and int(value) <= 100):
                label = self.fields[f"{column}_{name}"].label
                self.add_error(f"{column}_{name}", f"{label} must be a number from 0 to 100, or {USUAL}")
                return None
            found[key] = int(value or 0)
        return found
