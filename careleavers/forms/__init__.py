"""Forms about young people: they validate, services save."""

from careleavers.forms.letters import LetterChoiceForm, LetterFilter
from careleavers.forms.openings import OpenForm, OpeningFilter
from careleavers.forms.people import (
    AllocateForm,
    CaseloadCoverForm,
    CaseloadTransferForm,
    CohortMoveForm,
    CoverForm,
    FilterForm,
    PersonForm,
    person_url,
)
from careleavers.forms.wellbeing import TakeBackForm, WellbeingForm

__all__ = [
    "AllocateForm",
    "CaseloadCoverForm",
    "CaseloadTransferForm",
    "CohortMoveForm",
    "CoverForm",
    "FilterForm",
    "LetterChoiceForm",
    "LetterFilter",
    "OpenForm",
    "OpeningFilter",
    "PersonForm",
    "TakeBackForm",
    "WellbeingForm",
    "person_url",
]
