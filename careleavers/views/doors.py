"""How views here fetch and what they log: one scoped query, one audit event for what is shown."""

from careleavers.models import CareLeaver
from stockport_hubs.accounts.models import Role
from stockport_hubs.accounts.permissions import get_or_404, roles
from stockport_hubs.audit import services as audit
from stockport_hubs.audit.services import CARE_LEAVER
from stockport_hubs.core import clock

PER_PAGE = 25
council = roles(Role.PERSONAL_ADVISOR, Role.LEAVING_CARE_MANAGER)
manager = roles(Role.LEAVING_CARE_MANAGER)


def person_or_404(request, pk, *, verb: str = "careleavers.person.viewed") -> CareLeaver:
    """The young person when this user may see them; the view is logged in the caller's transaction."""
    people = CareLeaver.objects.for_user(request.user).with_allocations(clock.today())
    person = get_or_404(people.select_related("cohort_place", "council"), pk=pk)
    audit.record(verb, at=clock.now(), by=request.user, target=person, subjects=[(CARE_LEAVER, person.pk)])
    return person


def log_list(request, people, *, verb: str = "careleavers.person.listed") -> None:
    """One event for a page of people, one subject for each."""
    subjects = [(CARE_LEAVER, person.pk) for person in people]
    if subjects:
        audit.record(verb, at=clock.now(), by=request.user, subjects=subjects)
