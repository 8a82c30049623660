"""Introductions, the only tie between a young person and a membership; what the council follows afterwards; what is
beyond the pantry."""

from referrals.models.community import (
    CommunityLink,
    CommunityLinkMove,
    DirectoryEntry,
    VolunteeringMove,
    VolunteeringOffer,
)
from referrals.models.digest import DigestOff
from referrals.models.following import FollowUp, Pause, PrintedName, RenewalWarning
from referrals.models.hall import ClosureNews, ClosureNotice, Helper, HelperMove, HelpState, Told, Worry
from referrals.models.introductions import Referral, ReferralMove
from referrals.models.walk_ins import WalkIn

__all__ = [
    "ClosureNews",
    "ClosureNotice",
    "CommunityLink",
    "CommunityLinkMove",
    "DigestOff",
    "DirectoryEntry",
    "FollowUp",
    "HelpState",
    "Helper",
    "HelperMove",
    "Pause",
    "PrintedName",
    "Referral",
    "ReferralMove",
    "RenewalWarning",
    "Told",
    "VolunteeringMove",
    "VolunteeringOffer",
    "WalkIn",
    "Worry",
]
