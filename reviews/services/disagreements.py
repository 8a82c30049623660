"""Disagreements: opened with both positions, taken up rung by rung, settled with an outcome (protocol 13.2 to 13.4)."""

from datetime import date, datetime

from django.db import transaction

from pantry.models import FundingAgreement, RenewalDecision
from reviews import rules
from reviews.models import WHO, Barrier, Disagreement, DisagreementStep, Rung
from reviews.wording import refuse_names
from stockport_hubs.accounts.models import User
from stockport_hubs.audit import services as audit
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.weeks import london_date

NO_HIGHER = "The heads of service have it: there is no higher rung. Settle it with what they decided."


@transaction.atomic
def open_one(
    *,
    agreement: FundingAgreement,
    about: str,
    council_position: str,
    operator_position: str,
    who: list[str],
    on: date,
    barrier: Barrier | None = None,
    hold: RenewalDecision | None = None,
    names_nobody: bool = False,
    by: User,
    at: datetime,
) -> Disagreement:
    """The workers of both organisations do not agree: the first rung."""
    if barrier is not None and barrier.care_leaver_id is not None:
        raise Refused("This barrier is a young person’s, and stays with the Leaving Care Team. Both would read this.")
    if not (council_position.strip() or operator_position.strip()):
        raise Refused("Say what at least one of the two organisations holds.")
    _check_day(on, None, at)
    _check_words(agreement, [about, council_position, operator_position], by, names_nobody)
    made = Disagreement.objects.create(
        agreement=agreement,
        about=about,
        barrier=barrier,
        hold=hold,
        council_position=council_position,
        operator_position=operator_position,
        opened_on=on,
        opened_by=by,
        opened_at=at,
    )
    _step(made, Rung.WORKERS, who, on, "They talked about it and did not agree.", "", by, at)
    audit.record("reviews.disagreement.opened", at=at, by=by, target=made)
    return made


@transaction.atomic
def state_position(
    *, disagreement: Disagreement, position: str, names_nobody: bool = False, by: User, at: datetime
) -> Disagreement:
    """What one's own organisation holds, said anew; the other's stays its own."""
    locked = _locked(disagreement)
    _check_words(locked.agreement, [position], by, names_nobody)
    side = "council_position" if by.is_council else "operator_position"
    setattr(locked, side, position)
    locked.save(update_fields=[side])
    audit.record("reviews.disagreement.position_stated", at=at, by=by, target=locked)
    return locked


@transaction.atomic
def take_up(
    *,
    disagreement: Disagreement,
    rung: int,
    on: date,
    who: list[str],
    outcome: str,
    skipped_because: str = "",
    names_nobody: bool = False,
    by: User,
    at: datetime,
) -> DisagreementStep:
    """To the next rung; a rung left out needs a reason."""
    locked = _locked(disagreement)
    if rung not in rules.next_rungs(locked.rung):
        if not rules.next_rungs(locked.rung):
            raise Refused(NO_HIGHER)
        raise Refused(f"It is at “{Rung(locked.rung).label}” already. It goes up, not down.")
    if rung > locked.rung + 1 and not skipped_because.strip():
        raise Refused(f"“{Rung(locked.rung + 1).label}” is left out. No rung is left out without a reason: say why.")
    _check_day(on, locked, at)
    _check_words(locked.agreement, [outcome, skipped_because], by, names_nobody)
    step = _step(locked, rung, who, on, outcome, skipped_because if rung > locked.rung + 1 else "", by, at)
    locked.rung = rung
    locked.save(update_fields=["rung"])
    audit.record("reviews.disagreement.taken_up", at=at, by=by, target=locked, detail={"rung": rung})
    return step


@transaction.atomic
def settle(
    *, disagreement: Disagreement, on: date, outcome: str, names_nobody: bool = False, by: User, at: datetime
) -> Disagreement:
    """Both organisations go on with this outcome."""
    locked = _locked(disagreement)
    if not outcome.strip():
        raise Refused("Say how it was settled.")
    _check_day(on, locked, at)
    _check_words(locked.agreement, [outcome], by, names_nobody)
    locked.settled_on, locked.outcome = on, outcome
    locked.save(update_fields=["settled_on", "outcome"])
    audit.record("reviews.disagreement.settled", at=at, by=by, target=locked)
    return locked


def _locked(disagreement: Disagreement) -> Disagreement:
    rows = Disagreement.objects.select_for_update(of=("self",)).select_related("agreement")
    locked = rows.get(pk=disagreement.pk)
    if locked.settled_on:
        raise Refused("This disagreement is settled and stays as it was. If it has come back, record it again.")
    return locked


def _check_day(on: date, disagreement: Disagreement | None, at: datetime) -> None:
    if on > london_date(at):
        raise Refused("The day must not be in the future.")
    if disagreement is not None:
        last = disagreement.steps.order_by("-on").values_list("on", flat=True).first()
        if last and on < last:
            raise Refused(f"The day must not be before {last.day} {last:%B %Y}, when it was last talked about.")


def _step(
    disagreement: Disagreement, rung: int, who: list[str], on: date, outcome: str, why: str, by: User, at: datetime
) -> DisagreementStep:
    known = WHO[Rung(rung)]
    if not who or not set(who) <= set(known):
        raise Refused(f"Say which roles talked about it: {', '.join(known.values())}.")
    return DisagreementStep.objects.create(
        disagreement=disagreement,
        rung=rung,
        on=on,
        who=[code for code in known if code in who],
        outcome=outcome,
        skipped_because=why,
        by=by,
        at=at,
    )


def _check_words(agreement: FundingAgreement, texts: list[str], by: User, names_nobody: bool) -> None:
    both = {"council_id": agreement.funder_id, "operator_id": agreement.operator_id}
    refuse_names(texts, **both, by=by, names_nobody=names_nobody)
