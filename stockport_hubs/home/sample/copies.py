"""A sample pilot of tens of thousands: the pilot the services made, copied district by district inside the database.

Every copy has its own young people, advisors, pantries, volunteers, members, weeks, journal and audit rows;
organisations, managers and the agreement are shared, and the agreement's budget and pool hold as many times as much. A
row's new key follows from the old one and the number of the copy: the same start and seed give the same rows on either
database.
"""

import hashlib
from collections.abc import Callable
from uuid import UUID

from django.apps import apps
from django.core.management.color import no_style
from django.db import connection, models, transaction
from django.db.models import F, Max

from pantry import card_codes
from pantry.models import Budget, CreditPool
from stockport_hubs.accounts.models import Role, User

BATCH = 10  # copies in one transaction
BASE = len(card_codes.SIGNS)
STAFF = (Role.PERSONAL_ADVISOR, Role.PANTRY_VOLUNTEER)  # copied with the people they look after
COPIED = """
accounts.User
careleavers.CareLeaver careleavers.AdvisorAllocation careleavers.AdvisorCover careleavers.CohortPlace
careleavers.CohortMove careleavers.SharingAgreement careleavers.SharedItem careleavers.DeathCorrection
careleavers.Wellbeing careleavers.RecordOpening careleavers.LetterChoice
careleavers.Conversation
pantry.Pantry pantry.Band pantry.OpeningHours pantry.Closure pantry.PantryStaff pantry.CallNow pantry.Tariff
pantry.Membership pantry.MembershipMove pantry.Place pantry.SharedNeed
pantry.PrepaidBlock pantry.PaidWeek pantry.RenewalDecision pantry.TopUp pantry.EarlierPrice
pantry.PantrySession pantry.Collection pantry.SelectedItem pantry.Away pantry.MissedWeek pantry.Visitor
pantry.Card pantry.PrintedSheet pantry.SheetRow pantry.Duty pantry.Note
pantry.JournalEntry pantry.JournalLine
referrals.Referral referrals.ReferralMove referrals.Pause referrals.FollowUp referrals.RenewalWarning
referrals.PrintedName referrals.WalkIn referrals.ClosureNotice
referrals.CommunityLink referrals.CommunityLinkMove referrals.VolunteeringOffer referrals.VolunteeringMove
referrals.Told referrals.Helper referrals.HelperMove referrals.Worry
reviews.Barrier reviews.BarrierMove reviews.BarrierTap
audit.AuditEvent audit.AuditSubject
""".split()
# One for all: organisations and what belongs to the agreement; meetings; letters and jobs, which are of their day.
SHARED = """
accounts.Organisation accounts.Invitation accounts.Draft accounts.Guess
careleavers.CaseloadMove careleavers.PeopleImport careleavers.KeepingRule careleavers.Postcode
careleavers.PostcodeDirectory careleavers.Letter referrals.DirectoryEntry referrals.DigestOff
pantry.FundingAgreement pantry.Budget pantry.CreditPool pantry.Proposal
pantry.Tablet pantry.VolunteerPin pantry.PinTries pantry.TabletEntry
pantry.Statement pantry.StatementStep pantry.StatementMark pantry.StatementClosing pantry.StatementLine
reviews.ReviewMeeting reviews.MeetingRhythm reviews.MeetingAttendance reviews.Action reviews.ReviewPack
reviews.PackRecipient reviews.AgendaItem reviews.AgendaSave reviews.Minutes reviews.Disagreement
reviews.DisagreementStep reviews.YearlyReview
notifications.Message jobs.Job audit.Seal
""".split()
# A card's code with its second and third signs moved on by the number of the copy, and its last so that they still fit.
_SIGNS, _ONE, _TWO = f"'{card_codes.SIGNS}'", f"(n % {BASE})", f"(n / {BASE})"
_MOVED = [
    f"substr({_SIGNS}, (strpos({_SIGNS}, substr({{0}}, {place}, 1)) - 1 + {by}) % {BASE} + 1, 1)"
    for place, by in ((2, _ONE), (3, _TWO), (9, f"{-pow(9, -1, BASE) % BASE} * (2 * {_ONE} + 3 * {_TWO})"))
]
CODE = " || ".join(["substr({0}, 1, 1)", *_MOVED[:2], "substr({0}, 4, 5)", _MOVED[2]])
NUMBERS = {  # moved on by the highest of these
    ("pantry.Membership", "number"): "pantry.Membership",
    ("pantry.PrepaidBlock", "member_number"): "pantry.Membership",
    ("pantry.RenewalDecision", "member_number"): "pantry.Membership",
    ("referrals.Referral", "number"): "referrals.Referral",
}
# What must differ in the words, as SQL of {0}, the column, and {1}, the number of the copy.
WORDS = {
    ("accounts.User", "email"): "replace({0}, '@', '.' || {1} || '@')",
    ("accounts.User", "name"): "{0} || ' ' || {1}",
    ("pantry.Pantry", "name"): "replace({0}, ' (sample)', ' ' || {1} || ' (sample)')",
    ("careleavers.CareLeaver", "reference"): "replace({0}, 'SAMPLE-', 'SAMPLE-' || {1} || '-')",
    ("pantry.Card", "code"): CODE,
}
KEYS = {  # columns that hold keys of copied rows without being foreign keys
    ("pantry.Collection", "key"),
    ("pantry.Visitor", "key"),
    ("pantry.Away", "key"),
    ("referrals.Told", "key"),
    ("referrals.HelperMove", "key"),
    ("referrals.Worry", "key"),
    ("reviews.BarrierTap", "key"),
    ("pantry.JournalLine", "source_id"),
    ("audit.AuditEvent", "target_id"),
    ("audit.AuditSubject", "subject_id"),
}
KEYS_IN_DETAIL = ("hours", "user", "advisor", "pantry")
OF_SHARED = (
    "target_type IN ('fundingagreement', 'reviewmeeting', 'meetingrhythm', 'meetingattendance', 'action', "
    "'reviewpack', 'tablet', 'tabletentry', 'agendaitem', 'minutes', 'disagreement', 'yearlyreview', 'directoryentry', "
    "'letter')"
)


def multiply(copies: int, progress: Callable[[int], None]) -> None:
    """Bring what is there to `copies` times as much; constraints are checked with every statement."""
    if connection.vendor == "sqlite":
        connection.ensure_connection()
        connection.connection.create_function("copied", 2, _copied, deterministic=True)
        connection.connection.create_function("strpos", 2, lambda text, sign: text.find(sign) + 1, deterministic=True)
        connection.connection.create_function("copied_text", 2, _copied_text, deterministic=True)
    staff = list(User.objects.filter(role__in=STAFF).values_list("pk", flat=True))
    tables = [_Table(apps.get_model(name), staff) for name in COPIED]
    for first in range(2, copies + 1, BATCH):
        last = min(first + BATCH - 1, copies)
        with transaction.atomic(), connection.cursor() as cursor:
            for table in tables:
                cursor.execute(table.insert(first, last))
        progress(100 * last // copies)
    with transaction.atomic(), connection.cursor() as cursor:
        for statement in connection.ops.sequence_reset_sql(no_style(), [table.model for table in tables]):
            cursor.execute(statement)
        for table in tables:
            cursor.execute(f"DROP TABLE {table.originals}")
        Budget.objects.update(committed_pence=F("committed_pence") * copies, limit_pence=F("limit_pence") * copies)
        CreditPool.objects.update(balance_pence=F("balance_pence") * copies)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def _copied(key: str | None, number: int) -> str | None:
    """The key of a row's copy, as SQLite stores it; PostgreSQL reckons the same."""
    return key and hashlib.md5(f"{UUID(key)}{number}".encode(), usedforsecurity=False).hexdigest()


def _copied_text(key: str | None, number: int) -> str | None:
    """The same as it stands in the audit's detail."""
    return key and str(UUID(_copied(key, number)))


class _Table:
    """A table, a table of its original rows beside it, and how a copy follows from an original."""

    def __init__(self, model: type[models.Model], staff: list[UUID]) -> None:
        self.model, self.label, self.table = model, model._meta.label, model._meta.db_table
        self.originals, self.is_postgres = f"original_{self.table}", connection.vendor == "postgresql"
        self.staff = ", ".join(f"'{key if self.is_postgres else key.hex}'" for key in staff)
        where = "1 = 1"
        if model is User:
            where = f"id IN ({self.staff})"
        elif self.label == "audit.AuditEvent":
            where = f"NOT ({OF_SHARED})"
        elif self.label == "audit.AuditSubject":
            where = f"event_id IN (SELECT id FROM audit_auditevent WHERE NOT ({OF_SHARED}))"  # noqa: S608
        self.columns = [field.column for field in model._meta.concrete_fields]
        self.values = [self._value(field) for field in model._meta.concrete_fields]
        with connection.cursor() as cursor:
            made = f"CREATE TEMPORARY TABLE {self.originals} AS SELECT * FROM {self.table} WHERE {where}"  # noqa: S608
            cursor.execute(made)

    def insert(self, first: int, last: int) -> str:
        """The statement that writes these copies."""
        names, values = ", ".join(f'"{column}"' for column in self.columns), ", ".join(self.values)
        numbers = f"WITH RECURSIVE copy(n) AS (SELECT {first} UNION ALL SELECT n + 1 FROM copy WHERE n < {last})"  # noqa: S608
        select = f"{numbers} SELECT {values} FROM {self.originals} AS o CROSS JOIN copy"  # noqa: S608
        return f"INSERT INTO {self.table} ({names}) {select}"

    def _value(self, field: models.Field) -> str:
        column, place = f'o."{field.column}"', (self.label, field.name)
        target = field.related_model if field.is_relation else self.model if field.primary_key else None
        if target is User:
            return f"CASE WHEN {column} IN ({self.staff}) THEN {self._key(column)} ELSE {column} END"
        if place in KEYS:
            return self._key(column)
        if isinstance(target, type) and target._meta.label in COPIED:
            if isinstance(target._meta.pk, models.UUIDField):
                return self._key(column)
            return f"{column} + {_highest(target, 'pk')} * (n - 1)"
        if place in NUMBERS:
            return f"{column} + {_highest(apps.get_model(NUMBERS[place]), 'number')} * (n - 1)"
        if place in WORDS:
            return WORDS[place].format(column, "n")
        return self._detail(column) if place == ("audit.AuditEvent", "detail") else column

    def _key(self, column: str) -> str:
        return f"md5({column}::text || n)::uuid" if self.is_postgres else f"copied({column}, n)"

    def _detail(self, column: str) -> str:
        for key in KEYS_IN_DETAIL:
            if self.is_postgres:
                old = f"(o.detail ->> '{key}')"
                new = f"jsonb_set({column}, '{{{key}}}', to_jsonb(md5({old} || n)::uuid::text))"
            else:
                old = f"json_extract(o.detail, '$.{key}')"
                new = f"json_set({column}, '$.{key}', copied_text({old}, n))"
            column = f"CASE WHEN {old} IS NULL THEN {column} ELSE {new} END"
        return column


def _highest(model: type[models.Model], name: str) -> int:
    return model._default_manager.aggregate(highest=Max(name))["highest"] or 0
