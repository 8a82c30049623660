"""The young people behind a figure, as a condition: what a number on a page leads to, in pages the database makes.

It is the condition by which the number was counted. How members came lately depends on their pantries' open weeks and
is counted in Python: then their keys are the condition.
"""

from django.db.models import Exists, OuterRef, Q, QuerySet

from pantry.models import Membership
from referrals.models import Referral
from reviews import beyond, cohort
from reviews.attendance import members_on
from reviews.cohort import ANSWERS, STAGES
from reviews.figures import Figures, held, open_barriers
from stockport_hubs.core.among import Among

STATES = (Membership.State.OPEN, Membership.State.PAUSED, Membership.State.ENDED)


def people(figures: Figures, key: str) -> Q:
    """The condition on young people; KeyError for no such figure."""
    given = (figures.agreement.pk, figures.as_at, cohort.end_of(figures.as_at))
    if key in ANSWERS:
        return cohort.answered(key, *given)
    if key in STAGES and key not in ("regular", "retained"):
        return cohort.reached(key, *given)
    if key == "barriers":
        return Q(pk__in=open_barriers(figures.agreement, figures.as_at).order_by().values("care_leaver"))
    if "-" in key:
        return Q(Among("pk", beyond.behind(figures, key)))
    introduced = _sent(figures).filter(membership__in=_members(figures, key).order_by().values("pk"))
    found = Q(Exists(introduced.filter(care_leaver=OuterRef("pk"))))
    return found & cohort.reached("identified", *given) if key in STAGES else found


def without_person(figures: Figures, key: str) -> int:
    """How many members of a figure are known by number only: no introduction of theirs is on record."""
    if key in STAGES or key in ANSWERS or key == "barriers" or "-" in key:
        return 0
    introduced = _sent(figures).filter(membership=OuterRef("pk"))
    return _members(figures, key).filter(~Exists(introduced)).count()


def _sent(figures: Figures) -> QuerySet[Referral]:
    return cohort.sent(figures.agreement.pk, cohort.end_of(figures.as_at))


def _members(figures: Figures, key: str) -> QuerySet:
    members = members_on(figures.agreement.pk, figures.as_at)
    if key in STATES:
        return members.filter(standing=key)
    if key == "holds":
        return members.filter(pk__in=held(figures.agreement, figures.as_at).order_by().values("membership"))
    if key == "regular":
        return members.filter(Among("pk", figures.attendance.regular()))
    if key == "retained":
        return members.filter(Among("pk", figures.attendance.retained()))
    return members.filter(Among("pk", figures.members[key]))
