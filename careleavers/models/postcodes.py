"""Where postcodes are: the ONS Postcode Directory, as much of it as the scheme needs (`manage.py load_postcodes`)."""

from collections.abc import Iterable
from typing import NamedTuple

from django.db import models


class Position(NamedTuple):
    """A point on the national grid, in metres."""

    easting: int
    northing: int


class PostcodeQuerySet(models.QuerySet["Postcode"]):
    def found(self, postcodes: Iterable[str]) -> dict[str, "Postcode"]:
        """Those of them that are known: one query."""
        return {each.pk: each for each in self.filter(pk__in={each for each in postcodes if each})}


class Postcode(models.Model):
    """One postcode with its space, such as SK1 1AA."""

    postcode = models.CharField(primary_key=True, max_length=8)
    easting = models.PositiveIntegerField()
    northing = models.PositiveIntegerField()
    authority = models.CharField(max_length=9, help_text="Code of the local authority.")
    is_ended = models.BooleanField(default=False, help_text="No longer in use; where it was is still known.")

    objects = PostcodeQuerySet.as_manager()

    @property
    def position(self) -> Position:
        return Position(self.easting, self.northing)


class PostcodeDirectory(models.Model):
    """What is loaded: one row, replaced with the postcodes."""

    authority = models.CharField(max_length=9, help_text="The scheme's own local authority.")
    source = models.CharField(max_length=120)
    postcodes = models.PositiveIntegerField()
    loaded_at = models.DateTimeField()
