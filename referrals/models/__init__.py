"""Introductions, the only tie between a young person and a membership; and what the council follows afterwards."""

from referrals.models.following import FollowUp, Pause, PrintedName, RenewalWarning
from referrals.models.introductions import Referral, ReferralMove
from referrals.models.walk_ins import WalkIn

__all__ = ["FollowUp", "Pause", "PrintedName", "Referral", "ReferralMove", "RenewalWarning", "WalkIn"]
