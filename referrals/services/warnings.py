"""Tell advisors 8 and 5 weeks before the Monday on which a member's next block would start.

What is due follows from the membership; what is done is a row. Two sweeps, or none for 40 days, are harmless.
"""

from datetime import date, datetime, timedelta

from django.db import transaction
from django.db.models import Exists, OuterRef, Subquery

from careleavers.models import AdvisorAllocation, CareLeaver
from pantry import rules as pantry_rules
from pantry.models import Membership, PrepaidBlock
from referrals import messages, rules
from referrals.models import Referral, RenewalWarning
from stockport_hubs.audit import services as audit
from stockport_hubs.core.weeks import WEEK, london_date

AT_ONCE = 200
# How long before the day of the decision each warning falls due: the decision is 4 weeks before the Monday.
AHEAD = {weeks: weeks * WEEK - pantry_rules.RENEWED_AHEAD for weeks in rules.WARNED}


def due(on: date) -> list[tuple[Referral, int, int]]:
    """(introduction, block number, weeks ahead) of the warnings due and not done, the nearest decision first."""
    blocks = PrepaidBlock.objects.filter(membership=OuterRef("membership")).order_by("-block_no")
    last = blocks.values("block_no")[:1]
    found: list[tuple[Referral, int, int]] = []
    for weeks in sorted(AHEAD):
        done = RenewalWarning.objects.filter(
            referral=OuterRef("pk"), block_no=OuterRef("next_block"), weeks_ahead__lte=weeks
        )
        held = AdvisorAllocation.objects.in_force_on(on).filter(
            care_leaver=OuterRef("care_leaver"), advisor__is_active=True
        )
        soon = (
            Referral.objects.filter(
                membership__next_due_on__gt=on,
                membership__next_due_on__lte=on + AHEAD[weeks],
                membership__state=Membership.State.OPEN,
                care_leaver__in=CareLeaver.objects.living(),
            )
            .annotate(next_block=Subquery(last) + 1)
            .filter(~Exists(done), Exists(held))
        )
        taken = {referral.pk for referral, _, _ in found}
        rows = soon.select_related("membership").order_by("membership__next_due_on", "number")
        found += [(each, each.next_block, weeks) for each in rows[:AT_ONCE] if each.pk not in taken]
    return found


@transaction.atomic
def sweep(*, at: datetime, job: str) -> int:
    """Write the rows and the messages that are due; someone late for both gets the later one alone. How many."""
    on, told = london_date(at), []
    for referral, block_no, weeks in due(on)[:AT_ONCE]:
        assert referral.membership is not None and referral.membership.next_due_on is not None
        starts_on = pantry_rules.starts_on(referral.membership.next_due_on)
        [made] = RenewalWarning.objects.bulk_create(
            [RenewalWarning(referral=referral, block_no=block_no, weeks_ahead=weeks, starts_on=starts_on, at=at)]
        )
        messages.warn(referral, made)
        told.append(referral)
    if told:
        subjects = [(audit.CARE_LEAVER, each.care_leaver_id) for each in told]
        audit.record("referrals.renewal.warned", at=at, job=job, subjects=subjects, detail={"people": len(told)})
    return len(told)


def why_not_news(referral: Referral, warning: RenewalWarning, on: date) -> str | None:
    """Why a warning is not to be sent any more; None: it still is news."""
    membership = referral.membership
    if membership is None or membership.state == Membership.State.ENDED:
        return "The membership has ended."
    if membership.next_due_on is None or membership.next_due_on <= on:
        return "The renewal is decided."
    if membership.next_due_on > on + AHEAD[warning.weeks_ahead] + timedelta(days=7):
        return "The next block starts later now."
    return None
