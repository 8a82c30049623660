"""E-mails about introductions: they name nobody, and lead to a page behind the sign-in."""

from datetime import datetime

from django.conf import settings
from django.db.models import Exists, OuterRef
from django.urls import reverse

from careleavers.models import AdvisorAllocation, AdvisorCover, CareLeaver
from pantry.models import Membership
from referrals.models import PrintedName, Referral, ReferralMove, RenewalWarning, WalkIn
from stockport_hubs.accounts.models import Role, User
from stockport_hubs.core import clock
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


def tell_pantry_of_member(kind: str, membership: Membership, at: datetime) -> None:
    """Write the messages about a member to the operator's pantry managers; once a day and member."""
    managers = User.objects.filter(role=Role.PANTRY_MANAGER, organisation=membership.operator_id, is_active=True)
    for user in managers.order_by("pk"):
        key = f"{kind}:{membership.pk}:{london_date(at)}:{user.pk}"
        notifications.send(kind, to=user, key=key, ids={"membership": str(membership.pk)}, at=at)


def warn(referral: Referral, warning: RenewalWarning) -> None:
    """Write the messages about a block to come to whoever advises or covers on that day."""
    on = london_date(warning.at)
    advisors = User.objects.filter(
        Exists(
            AdvisorAllocation.objects.in_force_on(on).filter(
                care_leaver=referral.care_leaver_id, advisor=OuterRef("pk")
            )
        )
        | Exists(
            AdvisorCover.objects.in_force_on(on).filter(care_leaver=referral.care_leaver_id, advisor=OuterRef("pk"))
        ),
        is_active=True,
    )
    for user in advisors.order_by("pk"):
        ids = {"referral": str(referral.pk), "warning": str(warning.pk)}
        notifications.send(WARNING, to=user, key=f"{WARNING}:{warning.pk}:{user.pk}", ids=ids, at=warning.at)


def tell_managers_of_walk_in(walk_in: WalkIn) -> None:
    """Write the messages to the council's leaving care managers, who know which advisor to ask."""
    managers = User.objects.filter(role=Role.LEAVING_CARE_MANAGER, organisation=walk_in.council_id, is_active=True)
    for user in managers.order_by("pk"):
        ids = {"walk_in": str(walk_in.pk)}
        notifications.send(WALK_IN, to=user, key=f"{WALK_IN}:{walk_in.pk}:{user.pk}", ids=ids, at=walk_in.sent_at)


def _write(kind: str, referral: Referral, step: ReferralMove, people) -> None:
    for user in people:
        notifications.send(
            kind, to=user, key=f"{kind}:{step.pk}:{user.pk}", ids={"referral": str(referral.pk)}, at=step.at
        )


def _lock_person(referral_id) -> None:
    """A death recorded at this moment is waited for."""
    about = Referral.objects.filter(pk=referral_id).values("care_leaver")
    CareLeaver.objects.select_for_update().get(pk__in=about)


def _kind(name: str, subject: str, sentence: str, state: str) -> None:
    def render(ids: dict, to: User) -> tuple[str, str]:
        referral = Referral.objects.get(pk=ids["referral"])
        link = f"{settings.SITE_URL}{reverse('referrals:detail', args=[referral.pk])}"
        return subject, f"{sentence.format(referral.reference)}\n\nSign in to read it:\n{link}\n"

    def may_send(ids: dict, to: User) -> str | None:
        _lock_person(ids["referral"])
        referral = Referral.objects.for_user(to).filter(pk=ids["referral"]).first()
        if referral is None:
            return "The introduction is not theirs any more."
        if referral.care_leaver.has_died:
            return "Nothing more is sent about this person."
        return None if referral.state == state else "The introduction has moved on."

    notifications.kind(name, render=render, may_send=may_send, label=subject)


WARNING, HIDDEN, WALK_IN = "referrals.renewal_warning", "referrals.name_hidden", "referrals.walk_in"


def _render_warning(ids: dict, to: User) -> tuple[str, str]:
    warning = RenewalWarning.objects.select_related("referral").get(pk=ids["warning"])
    day = f"{warning.starts_on:%-d %B %Y}"
    link = f"{settings.SITE_URL}{reverse('referrals:detail', args=[warning.referral_id])}"
    return f"The next block starts on {day}", (
        f"The next block of weeks after introduction {warning.referral.reference} starts on {day}. It is bought by "
        f"itself unless something holds it. Sign in to say if it should not be:\n{link}\n"
    )


def _may_warn(ids: dict, to: User) -> str | None:
    from referrals.services import warnings

    _lock_person(RenewalWarning.objects.values("referral").get(pk=ids["warning"])["referral"])
    warning = RenewalWarning.objects.select_related("referral__membership", "referral__care_leaver").get(
        pk=ids["warning"]
    )
    if not Referral.objects.for_user(to).filter(pk=warning.referral_id).exists():
        return "The introduction is not theirs any more."
    if warning.referral.care_leaver.has_died:
        return "Nothing more is sent about this person."
    return warnings.why_not_news(warning.referral, warning, clock.today())


def _render_hidden(ids: dict, to: User) -> tuple[str, str]:
    membership = Membership.objects.get(pk=ids["membership"])
    link = f"{settings.SITE_URL}{reverse('referrals:printed')}"
    return "A name is not shared any more", (
        f"Member {membership.number} no longer shares their name and needs. Every screen shows the number alone "
        f"by now. Destroy what was printed before, then say so here:\n{link}\n"
    )


def _may_tell_hidden(ids: dict, to: User) -> str | None:
    waiting = PrintedName.objects.for_user(to).to_destroy().filter(membership=ids["membership"])
    return None if waiting.exists() else "What was printed is destroyed already."


def _render_walk_in(ids: dict, to: User) -> tuple[str, str]:
    link = f"{settings.SITE_URL}{reverse('referrals:walk_ins')}"
    return "Someone came to a pantry by themselves", (
        "A pantry asks whether somebody who came by themselves is one of your young people. Sign in to answer:\n"
        f"{link}\n"
    )


def _may_tell_walk_in(ids: dict, to: User) -> str | None:
    waiting = WalkIn.objects.for_user(to).waiting().filter(pk=ids["walk_in"])
    return None if waiting.exists() else "The pantry has its answer."


def register() -> None:
    """Make the kinds known; called once at start."""
    notifications.kind(WARNING, render=_render_warning, may_send=_may_warn, label="The next block starts soon")
    notifications.kind(HIDDEN, render=_render_hidden, may_send=_may_tell_hidden, label="A name is not shared any more")
    notifications.kind(
        WALK_IN, render=_render_walk_in, may_send=_may_tell_walk_in, label="Someone came to a pantry by themselves"
    )
    for name, words in {**TO_PANTRY, **TO_COUNCIL}.items():
        _kind(name, *words)
