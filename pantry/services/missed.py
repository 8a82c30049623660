"""Why a week was missed, as the pantry manager heard. That it was missed is derived; only the reason is kept."""

from collections.abc import Mapping
from datetime import date, datetime

from django.db import transaction

from pantry import members
from pantry.models import Membership, MissedWeek
from pantry.services import blocks
from stockport_hubs.accounts.models import Role, User
from stockport_hubs.audit import services as audit
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.weeks import london_date


@transaction.atomic
def say(*, membership: Membership, reasons: Mapping[date, str], by: User, at: datetime) -> list[MissedWeek]:
    """Keep the reason of each missed week (Monday: code of MissedWeek.Reason, "" takes it away); gives what changed.

    Refused as a whole for a week that is not missed: to come, closed, paused, collected, or nobody's paid week.
    """
    if by.role != Role.PANTRY_MANAGER or by.organisation_id != membership.operator_id:
        raise Refused("The pantry manager records why a week was missed.")
    membership = blocks.locked(membership.pk)
    missed = members.missed_weeks(membership, london_date(at))
    changed = []
    kept = {row.week: row for row in MissedWeek.objects.filter(membership=membership)}
    for week, reason in sorted(reasons.items()):
        if week not in missed:
            raise Refused(f"{membership} has not missed the week of {week:%-d %B %Y}. Open the page again.")
        if reason and reason not in MissedWeek.Reason.values:
            raise Refused("Choose a reason from the list.")
        row = kept.get(week)
        if (row.reason if row else "") == reason:
            continue
        if row and not reason:
            row.delete()
            continue
        row = row or MissedWeek(membership=membership, week=week)
        row.reason, row.away, row.recorded_by, row.recorded_at = reason, None, by, at
        row.save()
        changed.append(row)
    detail = {"weeks": [week.isoformat() for week in sorted(reasons)]}
    subjects = [(audit.MEMBERSHIP, membership.pk)]
    audit.record("pantry.missed_week.explained", at=at, by=by, target=membership, subjects=subjects, detail=detail)
    return changed
