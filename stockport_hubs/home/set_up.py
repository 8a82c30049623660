"""What the home of administrators shows: what is still to set up, and who has been invited."""

from dataclasses import dataclass
from datetime import datetime

from django.urls import reverse

from pantry.models import Pantry
from stockport_hubs.accounts.models import Invitation, Organisation, Role, User


@dataclass(frozen=True)
class Step:
    """One line of the list of things to set up."""

    text: str
    is_done: bool
    url: str
    action: str


def open_invitations(user: User, now: datetime) -> tuple[int, int]:
    """(invitations that can be taken up, invitations that ran out)."""
    waiting = Invitation.objects.filter(
        user__in=User.objects.for_user(user).filter(joined_at__isnull=True, deactivated_at__isnull=True),
        used_at__isnull=True,
        withdrawn_at__isnull=True,
    )
    return waiting.filter(expires_at__gt=now).count(), waiting.filter(expires_at__lte=now).count()


def steps(user: User) -> list[Step]:
    """What has to be there before anybody can be introduced; the first administrator of an empty database reads it."""
    held = set(User.objects.filter(deactivated_at__isnull=True).order_by().values_list("role", flat=True).distinct())
    kinds = set(Organisation.objects.values_list("kind", flat=True))
    invite = reverse("accounts:invite")
    has_operator = Organisation.Kind.OPERATOR in kinds
    made = [
        Step(
            "The organisation that runs the pantries",
            has_operator,
            reverse("accounts:organisation_add"),
            "Add the organisation",
        )
    ]
    made += [
        Step(text, role in held, invite, action)
        for role, text, action in (
            (Role.LEAVING_CARE_MANAGER, "A leaving care manager, who brings in people", "Invite a manager"),
            (Role.PERSONAL_ADVISOR, "A personal advisor, who introduces them", "Invite an advisor"),
            (Role.FINANCE_OFFICER, "A finance officer, who agrees prices and records payments", "Invite an officer"),
            (Role.PANTRY_MANAGER, "A pantry manager, who adds pantries and volunteers", "Invite a pantry manager"),
        )
    ]
    made.append(Step("A pantry with opening times, added by the pantry manager", Pantry.objects.exists(), "", ""))
    return made
