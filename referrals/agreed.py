"""What a young person agreed, on one page in plain words: to print and give to them. No codes, and nothing that tells
whoever finds it why they have a place."""

from dataclasses import dataclass
from datetime import date

from pantry import directory
from pantry.models import Membership, Pantry, Place
from referrals import facts, rules
from referrals.models import Referral
from stockport_hubs.core.weeks import spoken

SHOWN = (*rules.TO_ANSWER, rules.ACCEPTED)  # of introductions in these states there is something to print


@dataclass(frozen=True)
class Part:
    """A heading and its sentences."""

    title: str
    lines: list[str]


@dataclass(frozen=True)
class Agreed:
    """The page: who it is for, the day it was made, its parts."""

    called: str
    on: date
    parts: list[Part]


def of(referral: Referral, on: date) -> Agreed:
    """For an introduction that was sent; the pantry is the member's of today, else the one asked for."""
    membership = referral.membership
    pantry = _pantry_of(membership) or referral.goes_to
    sharing = facts.sharing_on(referral, on)
    needs = list(facts.shared_words(sharing)) if sharing else []
    advisor = facts.advisor_of(referral, on)
    how_to_reach = ", ".join(part for part in (advisor.phone, advisor.email) if part)
    me = advisor.name + (f" ({how_to_reach})" if how_to_reach else "")
    is_named = sharing is not None and sharing.share_name
    person = referral.care_leaver
    return Agreed(
        person.preferred_name,
        on,
        [
            Part("Your place", _place(referral, membership, pantry, on)),
            Part("The food", _food(pantry, needs)),
            Part("What the pantry knows about you", _known(referral, person.preferred_name if is_named else "", needs)),
            Part("If you miss a week", _missed(advisor.name)),
            Part("If you want to stop, or change something", _stop(me)),
            Part("Somebody on your side", _advocacy(sharing.advocacy_given_on if sharing else None)),
            Part("If you are not happy", _complain(advisor.name, person.council.name, pantry)),
        ],
    )


def _pantry_of(membership: Membership | None) -> Pantry | None:
    if membership is None:
        return None
    place = Place.objects.filter(membership=membership).select_related("pantry__operator").order_by("from_week").last()
    return place.pantry if place else None


def _place(referral: Referral, membership: Membership | None, pantry: Pantry, on: date) -> list[str]:
    where = ", ".join(part for part in (pantry.address, pantry.postcode) if part)
    opens = directory.openings_in_words(list(pantry.opening_hours.all()), on)
    lines = [f"{pantry.name}: {where}."]
    if pantry.how_to_find:
        lines.append(pantry.how_to_find)
    lines.append(f"Open: {'; '.join(opens)}." if opens else "Ask us when it is open.")
    if membership is not None:
        lines.append(f"Your number there is {membership.number}. Say it when you come.")
    first = membership.first_week if membership else referral.first_week
    if first and first > on:
        lines.append(f"Your first week is that of {spoken(first)}.")
    elif referral.state != rules.ACCEPTED:
        lines.append("The pantry has not said yes yet. We tell you as soon as it does.")
    if referral.goes_along:
        lines.append(f"Who comes with you the first time: {referral.goes_along}.")
    return lines


def _food(pantry: Pantry, needs: list[str]) -> list[str]:
    """Needs are said under what the pantry knows; here is what they mean for the food."""
    lines = [f"Once a week you choose {pantry.allowance} items yourself. Fruit and vegetables come free on top."]
    lines.append("It is paid for: you pay nothing.")
    lines.append("Please read the labels yourself if there is something you must not eat." if needs else "")
    return [line for line in lines if line]


def _known(referral: Referral, called: str, needs: list[str]) -> list[str]:
    name = f"The name you like to be called: {called}." if called else "No name: your number alone."
    shared = f"What you need: {'; '.join(needs)}." if needs else "Nothing about what you eat or need."
    more = f"Also: {referral.pantry_needs_to_know}" if referral.pantry_needs_to_know and (called or needs) else ""
    rest = "Not your surname, your date of birth or your address, and not why you have a place."
    return [line for line in (name, shared, more, rest) if line]


def _missed(advisor: str) -> list[str]:
    return [
        "That week is used up. Nobody tells you off, and you can come the week after.",
        f"If two weeks in a row are missed, {advisor} asks how you are. After four we talk about what gets in the way.",
        "Tell us before you go away or into hospital: your weeks can wait for you.",
    ]


def _stop(me: str) -> list[str]:
    return [
        f"Tell {me}. You need not say why.",
        "You can also keep your place and share less: the pantry then knows your number alone.",
    ]


def _advocacy(given_on: date | None) -> list[str]:
    said = f"We told you about advocacy on {spoken(given_on)}. " if given_on else ""
    return [f"{said}An advocate is independent and helps you to be heard. Ask us for one at any time: it is free."]


def _complain(advisor: str, council: str, pantry: Pantry) -> list[str]:
    ring = f" ({pantry.phone})" if pantry.phone else ""
    return [
        f"About the pantry: tell its manager{ring} or {advisor}.",
        f"About us: ask {advisor} or their manager at {council} how to complain. Your place does not depend on it.",
    ]
