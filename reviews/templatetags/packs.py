"""Dates of frozen figures, which are ISO text: {% load packs %}."""

from datetime import date, datetime

from django import template
from django.utils import formats

from stockport_hubs.core.weeks import LONDON

register = template.Library()


@register.filter
def iso_day(value: str) -> str:
    """12 April 2021, from an ISO date or moment."""
    found = date.fromisoformat(value) if len(value) == 10 else datetime.fromisoformat(value).astimezone(LONDON)
    return formats.date_format(found, "j F Y")


@register.filter
def iso_moment(value: str) -> str:
    """12 April 2021, 10:42, in London, from an ISO moment."""
    return formats.date_format(datetime.fromisoformat(value).astimezone(LONDON), "j F Y, H:i")
