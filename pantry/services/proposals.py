"""Four eyes: one person proposes, a second one approves, and only then is it done (rules.md, Money).

Each kind has a deed. It is rehearsed when it is proposed and whenever the proposal is looked at, so what is shown is
what the deed itself did; it is done once, when the second person approves.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db import transaction
from django.db.models import Sum
from django.utils import formats

from pantry.models import FundingAgreement, JournalEntry, JournalLine, Membership, PaidWeek, Proposal
from pantry.models.proposals import COUNCIL, ProposalState
from pantry.opening import Line
from pantry.services import blocks, by_hand, corrections, memberships, opening
from stockport_hubs.accounts.models import Role, User
from stockport_hubs.audit import services as audit
from stockport_hubs.core.errors import NotYours, Refused
from stockport_hubs.core.money import pounds
from stockport_hubs.core.rehearsal import rehearsed
from stockport_hubs.core.weeks import LONDON, london_date, spoken

Kind = Proposal.Kind
State = Proposal.State
Facts = list[tuple[str, str]]
BACK_DATED = {"leave": "Leaving day", "pause": "First day of the pause", "resume": "First day back"}
ACCOUNTS_SHOWN = ("advance", "pool")


@dataclass(frozen=True)
class Done:
    """What a deed did: the pence that moved, and its consequence for the page."""

    pence: int
    facts: Facts


@transaction.atomic
def propose(
    *,
    kind: str,
    agreement: FundingAgreement,
    details: dict[str, Any],
    note: str,
    by: User,
    at: datetime,
    membership: Membership | None = None,
) -> Proposal:
    """A proposal that waits for a second person; refused now where the deed would be refused now.

    `details` are the deed's own, as JSON: goodwill {weeks}, credit {weeks: [Monday]}, entry {way, pence, on, invoice},
    reversal {entry}, back_dated {what, on, reason}, opening {cut_over, control_pence, rows}.
    """
    if by.role not in COUNCIL:
        raise Refused("A leaving care manager or a finance officer proposes this.")
    if agreement.funder_id != by.organisation_id or (membership and membership.agreement_id != agreement.pk):
        raise NotYours
    if not note.strip():
        raise Refused("Say why, for the second person.")
    if membership:
        blocks.locked(membership.pk)
    FundingAgreement.objects.select_for_update(no_key=True).get(pk=agreement.pk)
    waiting = Proposal.objects.waiting().filter(agreement=agreement, kind=kind, membership=membership)
    if same := next((each for each in waiting.select_related("proposed_by") if each.details == details), None):
        raise Refused(f"{same.proposed_by} has proposed the same on {_when(same.proposed_at)}. It waits.")
    proposal = Proposal(
        kind=kind,
        agreement=agreement,
        membership=membership,
        details=details,
        note=note.strip(),
        proposed_by=by,
        proposed_at=at,
    )
    done = preview(proposal, at=at)
    proposal.pence, proposal.facts = done.pence, done.facts
    proposal.save()
    _record("made", proposal, by, at)
    return proposal


def preview(proposal: Proposal, *, at: datetime) -> Done:
    """What approving would do now, by doing it and taking it back; refuses as the deed would. An opening position may
    have thousands of rows and does the same whenever it is approved: once proposed, it is only checked again."""
    if proposal.kind == Kind.OPENING and not proposal._state.adding:
        opening.check(**_cut_over(proposal), today=london_date(at))
        return Done(proposal.pence, proposal.facts)
    with rehearsed():
        return DEEDS[proposal.kind](proposal, at)


def check_can_answer(proposal: Proposal, by: User) -> None:
    """Raises Refused with why this person does not answer this proposal: the second person is not the first, and one
    of the two is a finance officer."""
    if proposal.state != State.WAITING:
        raise Refused(said(proposal))
    if by.role not in COUNCIL or proposal.agreement.funder_id != by.organisation_id:
        raise NotYours
    if proposal.proposed_by_id == by.pk:
        raise Refused("You proposed this yourself. Someone else has to answer it; you can take it back.")
    if Role.FINANCE_OFFICER not in (by.role, proposal.proposed_by.role):
        raise Refused("A leaving care manager proposed this, so a finance officer answers it.")


def can_answer(proposal: Proposal, by: User) -> bool:
    """Whether check_can_answer lets it pass."""
    try:
        check_can_answer(proposal, by)
    except (Refused, NotYours):
        return False
    return True


@transaction.atomic
def approve(*, proposal: Proposal, seen_pence: int, by: User, at: datetime) -> Proposal:
    """The deed is done, by the first person and with the second. `seen_pence` is what the second person was shown:
    where it would do something else by now, nothing is done."""
    proposal = _waiting(proposal, by)
    done = DEEDS[proposal.kind](proposal, at)
    if done.pence != seen_pence:
        raise Refused(
            f"Meanwhile it comes to {pounds(done.pence)} and not to {pounds(seen_pence)}. "
            "Look at it again, then answer."
        )
    proposal.pence, proposal.facts = done.pence, done.facts
    return _answer(proposal, State.APPROVED, by, at)


@transaction.atomic
def refuse(*, proposal: Proposal, reason: str, by: User, at: datetime) -> Proposal:
    """Not approved; the first person reads why."""
    proposal = _waiting(proposal, by)
    if not reason.strip():
        raise Refused("Say why, for the person who proposed it.")
    proposal.reason = reason.strip()
    return _answer(proposal, State.REFUSED, by, at)


@transaction.atomic
def take_back(*, proposal: Proposal, by: User, at: datetime) -> Proposal:
    """Whoever proposed it takes it back while it waits."""
    proposal = _locked(proposal)
    if proposal.state != State.WAITING:
        raise Refused(said(proposal))
    if proposal.proposed_by_id != by.pk:
        raise Refused(f"{proposal.proposed_by} proposed this and can take it back. You can refuse it.")
    return _answer(proposal, State.TAKEN_BACK, by, at)


def said(proposal: Proposal) -> str:
    """ "Approved by Jo Smith on 3 September 2026, 10:42." """
    assert proposal.answered_at is not None
    return f"{proposal.get_state_display()} by {proposal.answered_by} on {_when(proposal.answered_at)}."


def _locked(proposal: Proposal) -> Proposal:
    rows = Proposal.objects.select_for_update(of=("self",), no_key=True)
    found = rows.select_related("agreement__funder", "agreement__operator", "membership", "proposed_by", "answered_by")
    return found.get(pk=proposal.pk)


def _waiting(proposal: Proposal, by: User) -> Proposal:
    proposal = _locked(proposal)
    check_can_answer(proposal, by)
    return proposal


def _answer(proposal: Proposal, state: ProposalState, by: User, at: datetime) -> Proposal:
    proposal.state, proposal.answered_by, proposal.answered_at = state, by, at
    proposal.save(update_fields=["state", "answered_by", "answered_at", "reason", "pence", "facts"])
    _record(state, proposal, by, at)
    return proposal


def _record(verb: str, proposal: Proposal, by: User, at: datetime) -> None:
    subjects = [(audit.MEMBERSHIP, proposal.membership_id)] if proposal.membership_id else []
    audit.record(f"pantry.proposal.{verb}", at=at, by=by, target=proposal, subjects=subjects)


def _when(moment: datetime) -> str:
    return formats.date_format(moment.astimezone(LONDON), "j F Y, H:i")


# -- the deeds: each does it, by the first person, and says what it did ------------------------------------------------


def _member(proposal: Proposal) -> Membership:
    assert proposal.membership is not None
    return proposal.membership


def _goodwill(proposal: Proposal, at: datetime) -> Done:
    n = proposal.details["weeks"]
    block = by_hand.give(membership=_member(proposal), weeks=n, by=proposal.proposed_by, at=at)
    last = block.paid_weeks.order_by("position").last()
    assert last is not None and last.week is not None
    return Done(
        0,
        [
            ("Weeks given", f"{n}, from the week of {spoken(block.starts_on)} to that of {spoken(last.week)}"),
            ("Price", f"{n} × £0.00 = £0.00"),
            ("Cost to the agreement", "£0.00. The next block starts after these weeks."),
        ],
    )


def _credit(proposal: Proposal, at: datetime) -> Done:
    member, chosen = _member(proposal), [date.fromisoformat(week) for week in proposal.details["weeks"]]
    pence = corrections.credit_weeks(membership=member, weeks=chosen, by=proposal.proposed_by, at=at)
    return Done(
        pence,
        [
            ("Weeks credited", f"{len(chosen)}: {', '.join(spoken(week) for week in sorted(chosen))}"),
            ("Goes to the credit", pounds(pence)),
            *_left(proposal.agreement, "pool"),
        ],
    )


def _entry(proposal: Proposal, at: datetime) -> Done:
    given = proposal.details
    entry = corrections.enter(
        agreement=proposal.agreement,
        source=proposal.pk,
        way=given["way"],
        pence=given["pence"],
        on=date.fromisoformat(given["on"]),
        invoice=given["invoice"],
        by=proposal.proposed_by,
        at=at,
    )
    facts = [(corrections.WAYS[given["way"]][2], pounds(given["pence"])), ("On", spoken(entry.effective_on))]
    if entry.invoice:
        facts.append(("Reference", entry.invoice))
    return Done(given["pence"], [*facts, *_left(proposal.agreement, *ACCOUNTS_SHOWN)])


def _reversal(proposal: Proposal, at: datetime) -> Done:
    entry = JournalEntry.objects.get(pk=proposal.details["entry"], agreement=proposal.agreement)
    made = corrections.reverse(entry=entry, source=proposal.pk, by=proposal.proposed_by, at=at)
    pence = sum(line.pence for line in made.lines.all() if line.pence > 0)
    facts = [
        ("Reversed", f"{entry.get_kind_display()} of {spoken(entry.effective_on)}, {pounds(pence)}"),
        ("On", spoken(made.effective_on)),
    ]
    return Done(pence, [*facts, *_left(proposal.agreement, *ACCOUNTS_SHOWN)])


def _back_dated(proposal: Proposal, at: datetime) -> Done:
    member, given = _member(proposal), proposal.details
    on, what = date.fromisoformat(given["on"]), given["what"]
    done: dict[str, Any] = {"membership": member, "on": on, "by": proposal.proposed_by, "at": at, "two_agreed": True}
    facts = [(BACK_DATED[what], spoken(on))]
    if what == "leave":
        pence = memberships.leave(reason=given["reason"], **done)
        credited = PaidWeek.objects.filter(membership=member, credited_on=on).count()
        return Done(pence, [*facts, ("Weeks credited", str(credited)), ("Goes to the credit", pounds(pence))])
    change = memberships.pause if what == "pause" else memberships.resume
    change(**done)
    weeks = PaidWeek.objects.filter(membership=member)
    if what == "pause":
        waiting = weeks.filter(state=PaidWeek.State.PARKED)
        facts.append(("Weeks that wait", f"{waiting.count()}, {pounds(sum(week.pence for week in waiting))}"))
    else:
        ahead = weeks.dated().filter(week__gte=on)
        facts.append(("Paid weeks from that day on", f"{ahead.count()}, {pounds(sum(week.pence for week in ahead))}"))
    return Done(0, facts)


def _opening(proposal: Proposal, at: datetime) -> Done:
    given = proposal.details
    posted = opening.post(**_cut_over(proposal), by=proposal.proposed_by, at=at)
    first = spoken(posted.first_due_on) if posted.first_due_on else "none"
    return Done(
        posted.pence,
        [
            ("Cut-over", spoken(date.fromisoformat(given["cut_over"]))),
            ("Running memberships", f"{posted.members:,}"),
            ("Weeks left", f"{posted.weeks:,}"),
            ("Worth, and the control total", pounds(posted.pence)),
            ("Joining fees charged again", "£0.00"),
            ("First renewal due", first),
        ],
    )


def _cut_over(proposal: Proposal) -> dict[str, Any]:
    given = proposal.details
    return {
        "agreement": proposal.agreement,
        "lines": [Line(**row) for row in given["rows"]],
        "cut_over": date.fromisoformat(given["cut_over"]),
        "control_pence": given["control_pence"],
    }


def _left(agreement: FundingAgreement, *accounts: str) -> Facts:
    """What the accounts hold afterwards."""
    names = {"advance": "Left of what was paid in advance", "pool": "Credit for the next blocks"}
    lines = JournalLine.objects.filter(entry__agreement=agreement)
    held = {account: lines.filter(account=account).aggregate(n=Sum("pence"))["n"] or 0 for account in accounts}
    return [(f"{names[account]}, afterwards", pounds(held[account])) for account in accounts]


DEEDS: dict[str, Callable[[Proposal, datetime], Done]] = {
    Kind.GOODWILL: _goodwill,
    Kind.CREDIT: _credit,
    Kind.ENTRY: _entry,
    Kind.REVERSAL: _reversal,
    Kind.BACK_DATED: _back_dated,
    Kind.OPENING: _opening,
}
