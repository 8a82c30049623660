"""Lists in pages. The far half of a long list is read from its end, in the order turned round: what a database has to
pass over to reach a page is what takes the time, so the last page costs what the first one does.

A list of more than COUNTED rows says "more than" and is counted no further: counting is what would grow with it. Its
pages up to there have numbers, those at its end numbers below zero (-1 is the last), and whoever goes on from either to
what lies between has it counted after all.

Every order ends with the key: rows that are equal would stand in any order, and another one when it is turned round, so
that one of them would be on two pages and another on none.
"""

from typing import Any

from django.core import paginator
from django.db.models import QuerySet
from django.utils.functional import cached_property

COUNTED = 1_000


class Page(paginator.Page):
    """Django's, or one at the end of a list that is not counted, whose number is below zero."""

    paginator: "Paginator"

    @property
    def span(self) -> str:
        """Which rows these are."""
        if self.number == -1:
            return f"the last {len(self)}"
        first = (abs(self.number) - 1) * self.paginator.per_page + 1
        return f"{first:,} to {first + len(self) - 1:,}{' from the end' if self.number < 0 else ''}"

    def has_next(self) -> bool:
        """Whether a page comes after it."""
        return self.number < -1 if self.number < 0 else self.paginator.more or super().has_next()

    def has_previous(self) -> bool:
        """Whether a page comes before it."""
        return self.number != 1

    def next_page_number(self) -> int:
        """Its number, where there is one."""
        return self.number + 1

    def previous_page_number(self) -> int:
        """Its number, where there is one."""
        return self.number - 1


class Paginator(paginator.Paginator):
    """Django's, which always counts everything, and from the first row.

    `keys_first` is for an order no index has: only keys are sorted, and what rows name is joined to those of the page.
    `chosen_once` is for rows that are dear to choose, and few: their keys are read in order and counted, and a page is
    read by them. Otherwise they are chosen by the count and by the page.
    `exact` is for whoever says how many there are, not only on which page one is.
    """

    object_list: Any
    more = False  # rows than `count` says; known when that is

    def __init__(
        self, rows, per_page: int, *, keys_first: bool = False, chosen_once: bool = False, exact: bool = False
    ) -> None:
        super().__init__(rows, per_page)
        self.keys_first, self.chosen_once = keys_first, chosen_once
        self.is_query = isinstance(rows, QuerySet) and not rows.query.is_sliced
        self.exact = exact or not self.is_query

    @cached_property
    def count(self) -> int:
        """How many rows there are, or COUNTED where there are more."""
        if self.exact:
            return super().count
        first = self.object_list.order_by().values("pk")[: COUNTED + 1]
        found = len(self._keys) if self.chosen_once else first.count()
        self.more = found > COUNTED
        return min(found, COUNTED)

    @cached_property
    def _keys(self) -> list:
        """Of the first rows: of one more than are counted."""
        rows = _in_total_order(self.object_list).select_related(None).prefetch_related(None)
        return list(rows.values_list("pk", flat=True)[: COUNTED + 1])

    def __str__(self) -> str:
        """How many rows there are, as a tile says it."""
        return f"{self.count:,}{'+' if self.more else ''}"

    def validate_number(self, number: int | float | str) -> int:
        """A page there is; below zero only at the end of a list that is not counted."""
        pages = self.num_pages
        try:
            return super().validate_number(number)
        except paginator.EmptyPage:
            n = int(number)
            if not self.more:
                raise
            if -pages <= n < 0:
                return n
            self.exact, self.more = True, False
            del self.count, self.num_pages
            return super().validate_number(n if n > 0 else max(1, self.num_pages + 1 + n))

    def page(self, number: int | str) -> Page:
        """One page; its rows are a list where they were read from the end."""
        number = self.validate_number(number)
        first, last = (number - 1) * self.per_page, number * self.per_page
        if not self.is_query:
            return Page(self.object_list[first:last], number, self)
        if not self.count:
            return Page(self.object_list.none(), number, self)
        rows = _in_total_order(self.object_list)
        if number < 0:
            return self._from_end(rows, (-number - 1) * self.per_page, -number * self.per_page, number)
        keys = self._keys if self.chosen_once else []
        if last <= len(keys) or first < len(keys) <= COUNTED:
            return Page(_by_keys(rows, keys[first:last]), number, self)
        behind = max(0, self.count - last)
        if self.more or first <= behind:
            return Page(self._between(rows, first, last), number, self)
        return self._from_end(rows, behind, self.count - first, number)

    def _from_end(self, rows: QuerySet, first: int, last: int, number: int) -> Page:
        return Page(list(self._between(rows.reverse(), first, last))[::-1], number, self)

    def _between(self, rows: QuerySet, first: int, last: int) -> QuerySet:
        if not self.keys_first:
            return rows[first:last]
        keys = rows.select_related(None).prefetch_related(None).values("pk")[first:last]
        return _by_keys(rows, keys)


def _by_keys(rows: QuerySet, keys) -> QuerySet:
    """The rows with these keys, in their order; why they were chosen is not asked again."""
    rows = rows.all()
    rows.query.clear_where()
    return rows.filter(pk__in=keys)


def _in_total_order(rows: QuerySet) -> QuerySet:
    order = rows.query.order_by or rows.model._meta.ordering
    return rows if order and order[-1] in ("pk", "-pk", "id", "-id") else rows.order_by(*order, "pk")


__all__ = ["Page", "Paginator"]
