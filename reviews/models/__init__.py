"""Is it helping: barriers, actions, review meetings and their frozen packs."""

from reviews.models.actions import Action
from reviews.models.agenda import AgendaItem, AgendaKind, AgendaSave, AgendaState
from reviews.models.barriers import (
    ABOUT_THE_PANTRY,
    CATEGORIES_FOR_BOTH,
    COUNTED_AS_OTHER,
    Barrier,
    BarrierCategory,
    BarrierMove,
    BarrierState,
)
from reviews.models.disagreements import WHO, Disagreement, DisagreementStep, Rung
from reviews.models.meetings import MeetingAttendance, MeetingRhythm, ReviewMeeting, ReviewMeetingState
from reviews.models.minutes import Minutes
from reviews.models.packs import GIVEN_ROLES, Audience, PackRecipient, ReviewPack
from reviews.models.taps import BarrierTap
from reviews.models.yearly import YearlyReview

__all__ = [
    "ABOUT_THE_PANTRY",
    "CATEGORIES_FOR_BOTH",
    "COUNTED_AS_OTHER",
    "WHO",
    "GIVEN_ROLES",
    "Action",
    "AgendaItem",
    "AgendaKind",
    "AgendaSave",
    "AgendaState",
    "Audience",
    "Barrier",
    "BarrierCategory",
    "BarrierMove",
    "BarrierState",
    "BarrierTap",
    "Disagreement",
    "DisagreementStep",
    "MeetingAttendance",
    "MeetingRhythm",
    "Minutes",
    "PackRecipient",
    "ReviewMeeting",
    "ReviewMeetingState",
    "ReviewPack",
    "Rung",
    "YearlyReview",
]
