"""What is said of one line of a statement: agreed, queried, answered, taken back."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from pantry import statements, wording
from pantry.models import SIDE_OF, MarkKind, Membership, Side, Statement, StatementMark
from pantry.services.statements import check_open, has_agreed, locked, next_number
from stockport_hubs.accounts.models import User
from stockport_hubs.audit import services as audit
from stockport_hubs.core.errors import Refused


@transaction.atomic
def mark(*, statement: Statement, line: UUID, kind: str, words: str = "", by: User, at: datetime) -> StatementMark:
    """The pantries agree a line, query it with words, or take their mark back; the council answers a query."""
    statement = locked(statement)
    check_open(statement)
    membership = _member_of(statement, line)
    last = StatementMark.objects.filter(statement=statement, line=line).order_by("-number").first()
    _check_can_mark(statement, last, kind, by)
    words = " ".join(words.split())
    if kind in (MarkKind.QUERIED, MarkKind.ANSWERED):
        _check_words(words, membership)
    made = StatementMark.objects.create(
        statement=statement,
        number=next_number(statement.marks),
        line=line,
        membership=membership,
        kind=kind,
        words=words if kind in (MarkKind.QUERIED, MarkKind.ANSWERED) else "",
        by=by,
        at=at,
    )
    subjects = [(audit.MEMBERSHIP, membership.pk)] if membership else []
    audit.record(f"pantry.statement_line.{kind}", at=at, by=by, target=statement, subjects=subjects)
    return made


def _member_of(statement: Statement, line: UUID) -> Membership | None:
    """Whose line it is; None: of no one member."""
    if line == statement.pk:
        if statements.show(statement).of_nobody():
            return None
        raise Refused("This statement has no line of that kind.")
    membership = statements.members_of(statements.scope(statement, None)).filter(pk=line).first()
    if membership is None:
        raise Refused("This member has no line in this statement any more. Look at the statement again.")
    return membership


def _check_can_mark(statement: Statement, last: StatementMark | None, kind: str, by: User) -> None:
    side, before = SIDE_OF.get(by.role), last.kind if last else MarkKind.TAKEN_BACK
    if kind == MarkKind.ANSWERED:
        if side != Side.COUNCIL:
            raise Refused("The council’s finance officer answers a query.")
        if before != MarkKind.QUERIED:
            raise Refused("This line is not queried any more, so there is nothing to answer.")
        return
    if side != Side.OPERATOR:
        raise Refused("The pantries agree or query a line; the council answers.")
    if has_agreed(statement, Side.OPERATOR):
        raise Refused("You have agreed this statement. Take that back first, then mark its lines.")
    if kind == MarkKind.TAKEN_BACK and before in (MarkKind.TAKEN_BACK, MarkKind.ANSWERED):
        raise Refused("There is no mark of yours to take back on this line.")
    if kind == before:
        raise Refused(f"This line is {MarkKind(kind).label.lower()} already.")


def _check_words(words: str, membership: Membership | None) -> None:
    if not words:
        raise Refused("Say in a sentence what is meant.")
    if len(words) > 200:
        raise Refused("Say it in at most 200 letters.")
    names = [*wording.names_that_tell(), *([membership.preferred_name] if membership else [])]
    if wording.find_forbidden(words, names):
        raise Refused(
            "Say only which amount or week is meant: no names of people or organisations, and nothing about a person. "
            "Both organisations read it, also at their review meeting."
        )
