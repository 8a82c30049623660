"""What young people are written: their place is ready, their pantry closes, somebody asks how they are. Whoever reads
it over their shoulder learns that they shop at a pantry, and nothing else."""

from datetime import datetime

from django.db import transaction

from careleavers.models import CareLeaver
from careleavers.models.letters import wanting_messages
from careleavers.services import letters
from pantry import directory
from pantry.models import Closure, Membership
from referrals import facts, rules
from referrals.models import ClosureNews, Referral
from stockport_hubs.accounts.models import User
from stockport_hubs.audit import services as audit
from stockport_hubs.core import clock
from stockport_hubs.core.errors import Refused
from stockport_hubs.core.weeks import london_date, monday, spoken

READY, CLOSES, HOW = "referrals.place_ready", "referrals.pantry_closes", "referrals.how_are_you"


def place_ready(referral: Referral, at: datetime) -> None:
    """After acceptance, for somebody who wants messages."""
    if wanting_messages(CareLeaver.objects.filter(pk=referral.care_leaver_id)).exists():
        ids = {"referral": str(referral.pk)}
        letters.queue(READY, care_leaver=referral.care_leaver, key=f"{READY}:{referral.pk}", ids=ids, at=at)


def closes(closure: Closure, news: str, people, at: datetime) -> None:
    """To each of the people who shop there and want messages."""
    ids = {"closure": str(closure.pk), "news": news}
    for person in wanting_messages(people).order_by("pk"):
        letters.queue(CLOSES, care_leaver=person, key=f"{CLOSES}:{closure.pk}:{news}:{person.pk}", ids=ids, at=at)


@transaction.atomic
def ask_how(*, care_leaver: CareLeaver, by: User, at: datetime):
    """An advisor has missed them; at most one such message a week."""
    care_leaver = CareLeaver.objects.select_for_update(of=("self",)).get(pk=care_leaver.pk)
    if why_not := letters.why_not(care_leaver, care_leaver.letter_choices.first()):
        raise Refused(f"No message is sent: {why_not}")
    referral = Referral.objects.filter(care_leaver=care_leaver, state=rules.ACCEPTED).order_by("-number").first()
    if referral is None:
        raise Refused("They have no place at a pantry, so there is nothing to ask by message.")
    key = f"{HOW}:{care_leaver.pk}:{monday(london_date(at))}"
    letter = letters.queue(HOW, care_leaver=care_leaver, key=key, ids={"referral": str(referral.pk)}, at=at, by=by)
    if letter.created_at != at:
        raise Refused("They have been asked by message this week already. Ring them, or wait for an answer.")
    subjects = [(audit.CARE_LEAVER, care_leaver.pk)]
    audit.record("referrals.letter.asked", at=at, by=by, target=letter, subjects=subjects)
    return letter


def _referral(ids: dict) -> Referral:
    related = ("membership", "pantry__operator", "made_by", "care_leaver")
    return Referral.objects.select_related(*related).get(pk=ids["referral"])


def _me(referral: Referral) -> str:
    advisor = facts.advisor_of(referral, clock.today())
    return f"{advisor.name}, {advisor.phone}" if advisor.phone else advisor.name


def _render_ready(ids: dict, person: CareLeaver) -> tuple[str, str]:
    referral = _referral(ids)
    pantry, member = referral.goes_to, referral.membership
    opens = "; ".join(directory.openings_in_words(list(pantry.opening_hours.all()), clock.today()))
    first = f" First week: {spoken(member.first_week)}. Your number is {member.number}." if member else ""
    said = f"{pantry}, {pantry.address}. {opens}.{first}"
    return (
        "Your place is ready",
        f"Hello {person.preferred_name}. Your place is ready: {said} Questions? {_me(referral)}",
    )


def _may_send_member(ids: dict, person: CareLeaver) -> str | None:
    member = _referral(ids).membership
    if member is None or member.state == Membership.State.ENDED:
        return "They have no place there any more."
    return "Their place is paused." if member.state == Membership.State.PAUSED else None


def _render_how(ids: dict, person: CareLeaver) -> tuple[str, str]:
    referral = _referral(ids)
    said = f"Hello {person.preferred_name}. We have missed you at {referral.goes_to}. Is everything all right?"
    return "How are you?", f"{said} Your place is still there. Ring or write: {_me(referral)}"


def _render_closes(ids: dict, person: CareLeaver) -> tuple[str, str]:
    from referrals.services.closures import days

    closure = Closure.objects.select_related("pantry").get(pk=ids["closure"])
    if ids["news"] == ClosureNews.WITHDRAWN:
        return (
            "It opens after all",
            f"Hello {person.preferred_name}. {closure.pantry} opens after all: {days(closure)}.",
        )
    said = f"{closure.pantry} is closed: {days(closure)}. Your weeks are not used up."
    return "The pantry is closed", f"Hello {person.preferred_name}. {said}"


def _may_send_closes(ids: dict, person: CareLeaver) -> str | None:
    from referrals.services import closures

    closure = Closure.objects.get(pk=ids["closure"])
    if (closure.withdrawn_at is not None) != (ids["news"] == ClosureNews.WITHDRAWN):
        return "The closure is withdrawn."
    if closure.until_on < clock.today():
        return "The closure is over."
    shops_there = closures.shoppers(closure, clock.today()).filter(pk=person.pk).exists()
    return None if shops_there else "They do not shop there any more."


def register() -> None:
    """Make the kinds known; called once at start."""
    letters.kind(READY, render=_render_ready, may_send=_may_send_member, label="Your place is ready")
    letters.kind(HOW, render=_render_how, may_send=_may_send_member, label="How are you?")
    letters.kind(
        CLOSES, render=_render_closes, may_send=_may_send_closes, label="The pantry is closed, or opens after all"
    )
