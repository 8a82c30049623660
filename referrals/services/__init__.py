"""Every change of an introduction: the advisor's side in `drafts`, the pantry's answers in `answers`."""

from referrals.services.answers import accept, ask_more, decline, put_on_waiting_list
from referrals.services.drafts import check_can_start, draft, fill, reply, send, share, withdraw

__all__ = [
    "accept",
    "ask_more",
    "check_can_start",
    "decline",
    "draft",
    "fill",
    "put_on_waiting_list",
    "reply",
    "send",
    "share",
    "withdraw",
]
