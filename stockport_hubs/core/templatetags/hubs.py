"""Filters and tags every page uses: {% load hubs %}."""

import datetime

from django import template
from django.forms.formsets import BaseFormSet
from django.utils import formats, timezone
from django.utils.html import format_html

from stockport_hubs.core import money
from stockport_hubs.core.pages import Page

register = template.Library()

TAG_COLOURS = {"", "grey", "green", "teal", "blue", "purple", "magenta", "red", "orange", "yellow"}


def _local(value):
    return timezone.localtime(value) if isinstance(value, datetime.datetime) and timezone.is_aware(value) else value


@register.filter
def pounds(pence) -> str:
    """350 → £3.50; nothing for None."""
    return "" if pence is None or pence == "" else money.pounds(pence)


@register.filter
def day(value) -> str:
    """12 April 2021, in London; nothing for None."""
    return formats.date_format(_local(value), "j F Y") if value else ""


@register.filter
def day_short(value) -> str:
    """12 Apr 2021, in London; nothing for None."""
    return formats.date_format(_local(value), "j M Y") if value else ""


@register.filter
def moment(value) -> str:
    """12 April 2021, 10:42, in London; nothing for None."""
    return formats.date_format(_local(value), "j F Y, H:i") if value else ""


@register.filter
def browser(user_agent: str) -> str:
    """ "Firefox on Windows", from what a browser says about itself; the order matters, for they claim each other's."""
    families = {"Edg": "Edge", "OPR": "Opera", "SamsungBrowser": "Samsung Internet", "Firefox": "Firefox"}
    families |= {"FxiOS": "Firefox", "CriOS": "Chrome", "Chrome": "Chrome", "Safari": "Safari"}
    systems = {"Android": "Android", "iPhone": "iPhone", "iPad": "iPad", "Windows": "Windows", "CrOS": "Chromebook"}
    systems |= {"Mac OS": "Mac", "Linux": "Linux"}
    family = next((name for sign, name in families.items() if sign in user_agent), "A browser")
    system = next((f" on {name}" for sign, name in systems.items() if sign in user_agent), "")
    return family + system


@register.simple_tag
def tag(text, colour: str = "") -> str:
    """A status tag: {% tag "Held" "yellow" %}. The word carries the meaning, the colour only helps."""
    if colour not in TAG_COLOURS:
        raise template.TemplateSyntaxError(f"No tag colour {colour!r}; one of {sorted(TAG_COLOURS)}.")
    return format_html('<strong class="govuk-tag{}">{}</strong>', f" govuk-tag--{colour}" if colour else "", text)


@register.simple_tag
def error_links(form) -> list[tuple[str, str]]:
    """(id of the control, message) for every error of a form or formset; "" where there is no control to go to."""
    if not form or not form.is_bound:
        return []
    if isinstance(form, BaseFormSet):
        links = [link for inner in form for link in error_links(inner)]
        first = next((f.control_id for inner in form for f in inner.visible_fields()), "")
        return [(first, str(message)) for message in form.non_form_errors()] + links
    visible = form.visible_fields()
    first = visible[0].control_id if visible else ""
    whole = [*form.non_field_errors(), *(error for field in form.hidden_fields() for error in field.errors)]
    return [(first, str(message)) for message in whole] + [(f.control_id, str(e)) for f in visible for e in f.errors]


@register.filter
def counted(what: str, number: int) -> str:
    """The name of rows, "young people", or of the only one there is: "young person"."""
    if number != 1:
        return what
    for many, one in (("people", "person"), ("ies", "y"), ("s", "")):
        if what.endswith(many):
            return what.removesuffix(many) + one
    return what


@register.simple_tag
def page_links(page: Page) -> list[int | None]:
    """Page numbers to show: first, last, and the neighbours of this one; None is a gap. Never more than 7 entries.

    The last page of a list that is not counted is -1; the neighbours of one at its end have no number that helps."""
    last = page.paginator.num_pages
    if more := page.paginator.more:
        last = max(page.number + 1, 1)
    shown = sorted(n for n in {1, page.number - 1, page.number, page.number + 1, last} if 1 <= n <= last)
    links: list[int | None] = []
    for number in shown:
        if links and number - (links[-1] or 0) > 1:
            links.append(None)
        links.append(number)
    return [*links, None, -1] if more else links
