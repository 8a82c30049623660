"""Tags about young people: {% load careleavers_tags %}."""

from datetime import date

from django import template
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from careleavers.models import CareLeaver, CohortPlace
from stockport_hubs.core.templatetags.hubs import tag

register = template.Library()
COHORT_COLOURS = {
    "identified": "grey",
    "offered": "blue",
    "agreed": "green",
    "declined": "orange",
    "no_reply": "yellow",
}


@register.simple_tag
def person_flags(person: CareLeaver) -> SafeString:
    """What is to be done about a person; `allocated` comes from `with_allocations`. Nothing for who died."""
    flags: list[str] = []
    if person.has_died:
        return SafeString("")
    if person.is_waiting_for_name:
        flags.append(tag("Waiting for a name", "yellow"))
    if not any(row.advisor.deactivated_at is None for row in person.allocated):
        flags.append(tag("To allocate", "orange"))
    return format_html_join(" ", "{}", ((flag,) for flag in flags))


@register.simple_tag
def cohort_state(state: str) -> str:
    """The state of a cohort place as a tag."""
    return tag(CohortPlace.State(state).label, COHORT_COLOURS[state])


@register.simple_tag
def deleted_on(person: CareLeaver, days: dict) -> date | None:
    """The day from which somebody is deleted if nothing is offered to them, if there is one."""
    return days.get(person.pk)
