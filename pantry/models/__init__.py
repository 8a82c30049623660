"""Where they shop: places, members, prepaid blocks, the journal and weekly collections. Knows nobody's funder's why."""

from pantry.models.blocks import BlockSource, PaidWeek, PrepaidBlock, RenewalDecision
from pantry.models.cards import Card
from pantry.models.collections import Away, Collection, MissedWeek, PantrySession, SelectedItem
from pantry.models.funding import Budget, CreditPool, FundingAgreement, Tariff
from pantry.models.journal import Account, EntryKind, JournalEntry, JournalLine
from pantry.models.memberships import Membership, MembershipMove, Place, SharedNeed
from pantry.models.places import Band, CallNow, Closure, OpeningHours, Pantry, PantryStaff
from pantry.models.proposals import Proposal
from pantry.models.running import Duty, Note
from pantry.models.sheets import PrintedSheet, SheetRow
from pantry.models.statements import (
    AMOUNTS,
    SIDE_OF,
    MarkKind,
    Side,
    Statement,
    StatementClosing,
    StatementLine,
    StatementMark,
    StatementState,
    StatementStep,
    StepKind,
)
from pantry.models.tablets import DismissReason, EntryOutcome, PinTries, Tablet, TabletEntry, VolunteerPin
from pantry.models.top_ups import EarlierPrice, TopUp
from pantry.models.visitors import Visitor

__all__ = [
    "AMOUNTS",
    "MarkKind",
    "SIDE_OF",
    "Side",
    "Statement",
    "StatementClosing",
    "StatementLine",
    "StatementMark",
    "StatementState",
    "StatementStep",
    "StepKind",
    "Account",
    "Away",
    "Band",
    "BlockSource",
    "Budget",
    "CallNow",
    "Card",
    "Closure",
    "Collection",
    "CreditPool",
    "DismissReason",
    "Duty",
    "EarlierPrice",
    "EntryKind",
    "EntryOutcome",
    "FundingAgreement",
    "JournalEntry",
    "JournalLine",
    "Membership",
    "MembershipMove",
    "MissedWeek",
    "Note",
    "OpeningHours",
    "PaidWeek",
    "Pantry",
    "PantrySession",
    "PantryStaff",
    "PinTries",
    "Place",
    "PrepaidBlock",
    "PrintedSheet",
    "Proposal",
    "RenewalDecision",
    "SelectedItem",
    "SharedNeed",
    "Tablet",
    "TabletEntry",
    "SheetRow",
    "Tariff",
    "TopUp",
    "Visitor",
    "VolunteerPin",
]
