"""Bases without domain: UUID keys, guarded querysets, append-only rows, and the triggers that enforce them."""

import uuid

from django.db import models


class UuidModel(models.Model):
    """A row whose key may be seen outside."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)

    class Meta:
        abstract = True


class AppendOnlyError(Exception):
    """An insert-only row was about to be changed or deleted."""


class AppendOnlyQuerySet(models.QuerySet):
    def update(self, **fields):
        raise AppendOnlyError(f"{self.model.__name__} rows are never changed; write a new row instead.")

    def delete(self):
        raise AppendOnlyError(f"{self.model.__name__} rows are never deleted.")

    bulk_update = None  # type: ignore[assignment]


class AppendOnlyModel(models.Model):
    """Insert-only: save() of a stored row and delete() raise; the database's triggers refuse the rest."""

    class Meta:
        abstract = True

    def save(self, *args, **kwargs):
        if not self._state.adding:
            raise AppendOnlyError(f"{type(self).__name__} rows are never changed; write a new row instead.")
        super().save(*args, **kwargs)

    def delete(self, *args, **kwargs):
        raise AppendOnlyError(f"{type(self).__name__} rows are never deleted.")


def choices_constraint(field: str, choices, name: str) -> models.CheckConstraint:
    """The database refuses a value outside the choices (blank where the choices hold it)."""
    return models.CheckConstraint(condition=models.Q(**{f"{field}__in": list(choices.values)}), name=name)
