"""Panels that other apps' pages may show: {% load reviews_panels %}{% barrier_panel care_leaver user %}."""

from django import template
from django.db.models import F

from reviews import timeline
from reviews.models import Barrier

register = template.Library()
SHOWN = 10


@register.inclusion_tag("reviews/barrier_panel.html")
def barrier_panel(care_leaver, user) -> dict:
    """A young person's barriers, open ones first, with the way to record another. The page writes the audit row."""
    found = Barrier.objects.for_user(user).filter(care_leaver=care_leaver).select_related("owner")
    barriers = list(found.order_by(F("closed_on").desc(nulls_first=True), F("due_on").asc(nulls_last=True)))
    return {"care_leaver": care_leaver, "barriers": barriers[:SHOWN], "more": len(barriers[SHOWN:])}


@register.inclusion_tag("reviews/timeline_panel.html")
def timeline_panel(care_leaver) -> dict:
    """What has happened with a young person, from every part; the page writes the audit row."""
    found = timeline.of(care_leaver)
    return {"shown": found[: timeline.SHOWN], "earlier": found[timeline.SHOWN :]}
