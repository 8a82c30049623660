"""Is it helping: barriers, actions, review meetings and their frozen packs."""

from reviews.models.actions import Action
from reviews.models.barriers import (
    ABOUT_THE_PANTRY,
    CATEGORIES_FOR_BOTH,
    COUNTED_AS_OTHER,
    Barrier,
    BarrierCategory,
    BarrierMove,
    BarrierState,
)
from reviews.models.meetings import MeetingAttendance, ReviewMeeting, ReviewMeetingState
from reviews.models.packs import Audience, ReviewPack

__all__ = [
    "ABOUT_THE_PANTRY",
    "CATEGORIES_FOR_BOTH",
    "COUNTED_AS_OTHER",
    "Action",
    "Audience",
    "Barrier",
    "BarrierCategory",
    "BarrierMove",
    "BarrierState",
    "MeetingAttendance",
    "ReviewMeeting",
    "ReviewMeetingState",
    "ReviewPack",
]
