"""{% load figure_links %}{% figure_link key links %}: where a number of the figures page leads."""

from functools import lru_cache
from urllib.parse import parse_qsl, urlencode

from django import template
from django.urls import reverse

register = template.Library()


@register.simple_tag
def figure_link(key: str, links: str) -> str:
    """`key` is a figure's name, or "name?week=2026-04-06": what it adds to the address, in the place of what is there;
    `links` is the address of the page."""
    name, _, more = key.partition("?")
    asked = _asked(links) | dict(parse_qsl(more))
    return f"{reverse('reviews:figure_people', args=[name])}?{urlencode(asked)}"


@lru_cache(maxsize=16)
def _asked(links: str) -> dict[str, str]:
    """The same for every number of a page."""
    return dict(parse_qsl(links))
