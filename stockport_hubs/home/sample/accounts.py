"""Organisations and accounts of the sample pilot; all accounts share one published password."""

from datetime import datetime

from django.contrib.auth.hashers import make_password

from stockport_hubs.accounts.models import Organisation, Role, User
from stockport_hubs.home.context import SAMPLE_PASSWORD

COUNCIL, OPERATOR = "Stockport Council (sample)", "Stockport Homes (sample)"

# E-mail name, name, role. The first nine are shown on the sign-in page (home/context.py).
STAFF = [
    ("advisor", "Ada Advisor-Sample", Role.PERSONAL_ADVISOR),
    ("advisor2", "Bea Advisor-Sample", Role.PERSONAL_ADVISOR),
    ("manager", "Mo Manager-Sample", Role.LEAVING_CARE_MANAGER),
    ("manager2", "Max Manager-Sample", Role.LEAVING_CARE_MANAGER),
    ("finance", "Fay Finance-Sample", Role.FINANCE_OFFICER),
    ("volunteer", "Vic Volunteer-Sample", Role.PANTRY_VOLUNTEER),
    ("volunteer2", "Val Volunteer-Sample", Role.PANTRY_VOLUNTEER),
    ("pantry.manager", "Pat Pantry-Sample", Role.PANTRY_MANAGER),
    ("admin", "Ali Admin-Sample", Role.ADMINISTRATOR),
    ("advisor3", "Cal Advisor-Sample", Role.PERSONAL_ADVISOR),
    ("advisor4", "Dee Advisor-Sample", Role.PERSONAL_ADVISOR),
    ("advisor5", "Eli Advisor-Sample", Role.PERSONAL_ADVISOR),
    ("advisor6", "Flo Advisor-Sample", Role.PERSONAL_ADVISOR),
    ("volunteer3", "Viv Volunteer-Sample", Role.PANTRY_VOLUNTEER),
    ("volunteer4", "Vee Volunteer-Sample", Role.PANTRY_VOLUNTEER),
    ("volunteer5", "Von Volunteer-Sample", Role.PANTRY_VOLUNTEER),
]


def make_accounts(at: datetime) -> dict[str, User]:
    """The accounts by e-mail name, joined at the given moment."""
    council = Organisation.objects.create(name=COUNCIL, kind=Organisation.Kind.COUNCIL, is_sample=True)
    operator = Organisation.objects.create(name=OPERATOR, kind=Organisation.Kind.OPERATOR, is_sample=True)
    password = make_password(SAMPLE_PASSWORD)  # once: hashing is slow on purpose
    made = {}
    for nick, name, role in STAFF:
        pantry_side = role in (Role.PANTRY_VOLUNTEER, Role.PANTRY_MANAGER)
        made[nick] = User.objects.create(
            email=f"{nick}@example.org",
            name=name,
            role=role,
            organisation=operator if pantry_side else council,
            password=password,
            is_active=True,
            invited_at=at,
            joined_at=at,
            work_phone="" if pantry_side else "0161 496 0000",  # a number kept free for drama
        )
    return made
