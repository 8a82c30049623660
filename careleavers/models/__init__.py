"""Who the council supports. The pantry side never reads these tables (rules.md, Privacy by structure)."""

from careleavers.models.caseloads import CaseloadMove
from careleavers.models.cohort import CohortMove, CohortPlace
from careleavers.models.conversations import Conversation
from careleavers.models.imports import PeopleImport
from careleavers.models.keeping import KeepingRule
from careleavers.models.letters import Letter, LetterChoice
from careleavers.models.openings import RecordOpening
from careleavers.models.people import (
    ACCOMMODATION,
    AdvisorAllocation,
    AdvisorCover,
    CareLeaver,
    CareLeaverQuerySet,
    DeathCorrection,
    Eligibility,
    InTouch,
)
from careleavers.models.postcodes import Position, Postcode, PostcodeDirectory
from careleavers.models.sharing import SharedItem, SharingAgreement
from careleavers.models.wellbeing import Wellbeing

__all__ = [
    "ACCOMMODATION",
    "AdvisorAllocation",
    "AdvisorCover",
    "CareLeaver",
    "CareLeaverQuerySet",
    "CaseloadMove",
    "CohortMove",
    "CohortPlace",
    "Conversation",
    "DeathCorrection",
    "Eligibility",
    "InTouch",
    "KeepingRule",
    "PeopleImport",
    "Position",
    "Postcode",
    "PostcodeDirectory",
    "Letter",
    "LetterChoice",
    "RecordOpening",
    "SharedItem",
    "SharingAgreement",
    "Wellbeing",
]
