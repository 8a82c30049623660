"""E-mails about introductions: they name nobody, and lead to a page behind the sign-in."""

from django.conf import settings
from django.urls import reverse

from careleavers.models import AdvisorAllocation
from referrals.models import Referral, ReferralMove
from stockport_hubs.accounts.models import Role, User
from stockport_hubs.core.weeks import london_date
from stockport_hubs.notifications import services as notifications

# kind: (subject, first sentence, the state in which it is still news)
TO_PANTRY = {
    "referrals.sent": ("An introduction to answer", "Introduction {} is waiting for your answer.", "sent"),
    "referrals.replied": ("Your question is answered", "The question about introduction {} is answered.", "sent"),
    "referrals.withdrawn": ("An introduction is withdrawn", "Introduction {} has been withdrawn.", "withdrawn"),
}
TO_COUNCIL = {
    "referrals.accepted": ("An introduction is accepted", "The pantry has accepted introduction {}.", "accepted"),
    "referrals.waiting": (
        "An introduction is on the waiting list",
        "The pantry has put introduction {} on its waiting list.",
        "waiting",
    ),
    "referrals.more_asked": ("The pantry has a question", "The pantry asks about introduction {}.", "more_asked"),
    "referrals.declined": ("An introduction is declined", "The pantry has declined introduction {}.", "declined"),
}


def tell_pantry(kind: str, referral: Referral, step: ReferralMove) -> None:
    """Write the messages to the operator's pantry managers, in the caller's transaction."""
    managers = User.objects.filter(
        role=Role.PANTRY_MANAGER, organisation=referral.goes_to.operator_id, is_active=True
    ).order_by("pk")
    _write(kind, referral, step, managers)


def tell_council(kind: str, referral: Referral, step: ReferralMove) -> None:
    """Write the messages to the person's advisor and to whoever made the introduction."""
    advisors = [
        allocation.advisor
        for allocation in AdvisorAllocation.objects.in_force_on(london_date(step.at))
        .filter(care_leaver=referral.care_leaver_id)
        .select_related("advisor")
    ]
    people = {user.pk: user for user in [*advisors, referral.made_by] if user.is_active}
    _write(kind, referral, step, people.values())


def _write(kind: str, referral: Referral, step: ReferralMove, people) -> None:
    for user in people:
        notifications.send(
            kind, to=user, key=f"{kind}:{step.pk}:{user.pk}", ids={"referral": str(referral.pk)}, at=step.at
        )


def _kind(name: str, subject: str, sentence: str, state: str) -> None:
    def render(ids: dict, to: User) -> tuple[str, str]:
        referral = Referral.objects.get(pk=ids["referral"])
        link = f"{settings.SITE_URL}{reverse('referrals:detail', args=[referral.pk])}"
        return subject, f"{sentence.format(referral.reference)}\n\nSign in to read it:\n{link}\n"

    def may_send(ids: dict, to: User) -> str | None:
        referral = Referral.objects.for_user(to).filter(pk=ids["referral"]).first()
        if referral is None:
            return "The introduction is not theirs any more."
        if referral.care_leaver.has_died:
            return "The person has died."
        return None if referral.state == state else "The introduction has moved on."

    notifications.kind(name, render=render, may_send=may_send)


def register() -> None:
    """Make the kinds known; called once at start."""
    for name, words in {**TO_PANTRY, **TO_COUNCIL}.items():
        _kind(name, *words)
