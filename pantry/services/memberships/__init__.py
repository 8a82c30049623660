"""Every change of a membership: joining and confirming, pausing, moving, and the ways it ends."""

from pantry.services.memberships.joining import add_pending, confirm, fund, join, not_confirmed
from pantry.services.memberships.leaving import died, hide, leave
from pantry.services.memberships.moving import can_take_back_move, check_can_move, move, take_back_move
from pantry.services.memberships.pauses import (
    can_pause,
    can_resume,
    check_can_pause,
    check_can_resume,
    keep_paused,
    pause,
    resume,
)

__all__ = [
    "add_pending",
    "can_pause",
    "can_resume",
    "can_take_back_move",
    "check_can_move",
    "check_can_pause",
    "check_can_resume",
    "confirm",
    "died",
    "fund",
    "hide",
    "join",
    "keep_paused",
    "leave",
    "move",
    "not_confirmed",
    "pause",
    "resume",
    "take_back_move",
]
