"""{% load charts %}{% chart shape %}: a shape of `charts.shapes` as SVG, the same on pages and in PDF."""

from django import template
from django.template.loader import render_to_string

register = template.Library()


@register.simple_tag
def chart(shape) -> str:
    """The SVG of a shape; the sentence is its title."""
    return render_to_string(shape.template, {"chart": shape})
