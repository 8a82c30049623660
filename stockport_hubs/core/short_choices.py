"""A filter of a list by one of many: a select nobody has to scroll through for ever, and no page that grows with it."""

from contextlib import suppress

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet

MOST = 60


class ShortChoiceField(forms.ModelChoiceField):
    """Offers the first MOST in their order, and whichever is chosen; any of them may be chosen by an address."""

    def __init__(self, **kwargs):
        super().__init__(None, required=False, **kwargs)

    def offer(self, queryset: QuerySet, *, chosen: str | None, more: str) -> None:
        """`chosen` is what the address says; `more` tells where to choose another, when there are more than MOST."""
        self.queryset = queryset
        rows = list(queryset[: MOST + 1])
        if len(rows) > MOST:
            del rows[MOST:]
            self.help_text = more
            if chosen and chosen not in {str(row.pk) for row in rows}:
                with suppress(ValidationError):  # not a key
                    rows += queryset.filter(pk=chosen)
        offered = [(str(row.pk), self.label_from_instance(row)) for row in rows]
        self.choices = [("", self.empty_label or ""), *offered]
