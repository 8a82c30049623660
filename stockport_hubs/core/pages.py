"""Lists in pages. The far half of a long list is read from its end, in the order turned round: what a database has to
pass over to reach a page is what takes the time, so the last page costs what the first one does.

Every order ends with the key: rows that are equal would stand in any order, and another one when it is turned round, so
that one of them would be on two pages and another on none.
"""

from django.core import paginator
from django.core.paginator import Page
from django.db.models import QuerySet


class Paginator(paginator.Paginator):
    """Django's, which always counts from the first row.

    `keys_first` is for an order no index has: only keys are sorted, and what rows name is joined to those of the page.
    """

    def __init__(self, rows, per_page: int, *, keys_first: bool = False) -> None:
        super().__init__(rows, per_page)
        self.keys_first = keys_first

    def page(self, number: int | str) -> Page:
        """One page; its rows are a list where they were read from the end."""
        number = self.validate_number(number)
        first, last = (number - 1) * self.per_page, min(number * self.per_page, self.count)
        rows = self.object_list
        if not isinstance(rows, QuerySet) or rows.query.is_sliced:
            return super().page(number)
        rows = _in_total_order(rows)
        if first <= self.count - last:
            return Page(self._between(rows, first, last), number, self)
        from_end = self._between(rows.reverse(), self.count - last, self.count - first)
        return Page(list(from_end)[::-1], number, self)

    def _between(self, rows: QuerySet, first: int, last: int) -> QuerySet:
        if not self.keys_first:
            return rows[first:last]
        keys = rows.select_related(None).prefetch_related(None).values("pk")[first:last]
        return rows.filter(pk__in=keys)


def _in_total_order(rows: QuerySet) -> QuerySet:
    order = rows.query.order_by or rows.model._meta.ordering
    return rows if order and order[-1] in ("pk", "-pk", "id", "-id") else rows.order_by(*order, "pk")


__all__ = ["Page", "Paginator"]
