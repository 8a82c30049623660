"""Every change of an introduction and of what follows from it, a module for each side of it."""

from referrals.services.agreements import (
    correct_death,
    destroyed,
    follow,
    record_agreement,
    record_death,
    withdraw_agreement,
)
from referrals.services.answers import accept, ask_more, decline, put_on_waiting_list
from referrals.services.drafts import check_can_start, draft, fill, reply, send, share, withdraw
from referrals.services.members import follow_up, leave, move, pause, resume, stop_renewal, take_back_move

__all__ = [
    "accept",
    "ask_more",
    "check_can_start",
    "correct_death",
    "decline",
    "destroyed",
    "draft",
    "fill",
    "follow",
    "follow_up",
    "leave",
    "move",
    "pause",
    "put_on_waiting_list",
    "record_agreement",
    "record_death",
    "reply",
    "resume",
    "send",
    "share",
    "stop_renewal",
    "take_back_move",
    "withdraw",
    "withdraw_agreement",
]
