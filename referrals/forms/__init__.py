"""Forms of introductions and of what follows. They check and never save."""

from referrals.forms.community import (
    EntryForm,
    LinkForm,
    LinkMoveForm,
    LinksFilterForm,
    VolunteeringFilterForm,
    VolunteeringForm,
)
from referrals.forms.introductions import (
    ACCEPT,
    ASK,
    DECLINE,
    NOTES,
    WAIT,
    AgreementForm,
    AnswerForm,
    FilterForm,
    PlaceForm,
    ReplyForm,
    WithdrawForm,
)
from referrals.forms.members import (
    BackForm,
    CorrectDeathForm,
    DiedForm,
    FollowUpForm,
    LeaveForm,
    MoveForm,
    PauseForm,
    WithdrawAgreementForm,
)
from referrals.forms.walk_ins import ConfirmWalkInForm, ShowForm

__all__ = [
    "ACCEPT",
    "ASK",
    "DECLINE",
    "NOTES",
    "WAIT",
    "AgreementForm",
    "AnswerForm",
    "BackForm",
    "ConfirmWalkInForm",
    "CorrectDeathForm",
    "DiedForm",
    "EntryForm",
    "FilterForm",
    "FollowUpForm",
    "LeaveForm",
    "LinkForm",
    "LinkMoveForm",
    "LinksFilterForm",
    "MoveForm",
    "PauseForm",
    "PlaceForm",
    "ReplyForm",
    "ShowForm",
    "VolunteeringFilterForm",
    "VolunteeringForm",
    "WithdrawAgreementForm",
    "WithdrawForm",
]
