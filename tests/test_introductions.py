"""Introductions: the advisor's pages, what the pantry may see, every answer, and what acceptance sets going."""

from datetime import date, datetime, timedelta
from itertools import count

import pytest
from django.core import mail
from django.db import transaction
from django.urls import reverse

from careleavers.models import CareLeaver
from careleavers.services import allocations, people, sharing
from pantry.models import JournalEntry, JournalLine, PaidWeek, SharedNeed
from referrals import caseload, facts, rules, services
from referrals.models import Referral
from stockport_hubs.accounts.models import Role, User
from stockport_hubs.audit.models import AuditEvent, AuditSubject
from stockport_hubs.core.errors import Refused
from stockport_hubs.jobs import services as jobs
from stockport_hubs.notifications.models import Message
from tests import factories
from tests.factories import moment

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]  # pages: once
THURSDAY = date(2026, 4, 9)
AT = moment(THURSDAY)
_number = count(1)


@pytest.fixture(autouse=True)
def clock(settings):
    """Thursday 9 April 2026, 09:00 in London."""
    settings.CLOCK = datetime(2026, 4, 9, 9, 0)  # noqa: DTZ001


@pytest.fixture
def world():
    return factories.World()


def person(world, name="Ash", born_on=date(2005, 6, 1), advisor=None, **more) -> CareLeaver:
    """A young person of the world's advisor."""
    made = people.add(
        council=world.council,
        reference=f"R{next(_number)}",
        preferred_name=name,
        surname="Quillfeather",
        born_on=born_on,
        eligibility="former_relevant",
        by=world.manager,
        at=AT,
        **more,
    )
    allocations.allocate(
        care_leaver=made, advisor=advisor or world.advisor, on=date(2026, 3, 2), by=world.manager, at=AT
    )
    return made


def agree(world, care_leaver, on=date(2026, 4, 8), **more):
    given = {
        "wording_version": "1",
        "privacy_notice_on": on,
        "given_on": on,
        "how_given": "in_person",
        "share_name": True,
        "items": [("allergen", "milk"), ("diet", "halal")],
    } | more
    return sharing.record_agreement(care_leaver=care_leaver, taken_by=world.advisor, at=AT, **given)


def introduce(world, care_leaver=None, sent=True, **more) -> Referral:
    """A draft with every answer, sent unless said otherwise."""
    care_leaver = care_leaver or person(world)
    answers = {
        "pantry": world.pantry,
        "agreement": world.agreement,
        "pantry_needs_to_know": "Prefers a quiet moment",
        "why": "Money is short since the move",
        "goes_along": "A friend",
    } | more
    referral = services.draft(
        care_leaver=care_leaver, sharing=agree(world, care_leaver), by=world.advisor, at=AT, **answers
    )
    if sent:
        services.send(referral=referral, by=world.advisor, at=AT)
        referral.refresh_from_db()
    return referral


def refusal(call, **given) -> str:
    with pytest.raises(Refused) as why, transaction.atomic():
        call(**given)
    return str(why.value)


def in_state(world, state: str) -> Referral:
    """An introduction brought into a state by its services."""
    referral = introduce(world, sent=state != rules.DRAFT)
    given = {"referral": referral, "at": AT}
    if state == rules.MORE_ASKED:
        services.ask_more(note="Which day?", by=world.pantry_manager, **given)
    elif state == rules.WAITING:
        services.put_on_waiting_list(by=world.pantry_manager, **given)
    elif state == rules.ACCEPTED:
        services.accept(by=world.pantry_manager, **given)
    elif state == rules.DECLINED:
        services.decline(reason="full", by=world.pantry_manager, **given)
    elif state == rules.WITHDRAWN:
        services.withdraw(reason="Changed their mind", by=world.advisor, **given)
    referral.refresh_from_db()
    assert referral.state == state
    return referral


VERBS = {
    "send": (rules.SENT, lambda w, r: services.send(referral=r, by=w.advisor, at=AT)),
    "reply": (rules.SENT, lambda w, r: services.reply(referral=r, note="Fridays", by=w.advisor, at=AT)),
    "ask_more": (rules.MORE_ASKED, lambda w, r: services.ask_more(referral=r, note="Why?", by=w.pantry_manager, at=AT)),
    "wait": (rules.WAITING, lambda w, r: services.put_on_waiting_list(referral=r, by=w.pantry_manager, at=AT)),
    "accept": (rules.ACCEPTED, lambda w, r: services.accept(referral=r, by=w.pantry_manager, at=AT)),
    "decline": (
        rules.DECLINED,
        lambda w, r: services.decline(referral=r, reason="full", by=w.pantry_manager, at=AT),
    ),
    "withdraw": (
        rules.WITHDRAWN,
        lambda w, r: services.withdraw(referral=r, reason="Changed their mind", by=w.advisor, at=AT),
    ),
}
# Two verbs lead to `sent`: a draft is sent, a question is answered.
ONLY_FROM = {"send": {rules.DRAFT}, "reply": {rules.MORE_ASKED}}


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("state", rules.TRANSITIONS)
def test_every_pair_of_state_and_verb_moves_or_is_refused_in_words(world, state, verb):
    referral = in_state(world, state)
    to, call = VERBS[verb]
    allowed = to in rules.TRANSITIONS[state] and state in ONLY_FROM.get(verb, {state})
    moves = referral.moves.count()
    if allowed:
        call(world, referral)
        referral.refresh_from_db()
        assert (referral.state, referral.moves.count()) == (to, moves + 1)
    else:
        assert rules.SPOKEN[state] in refusal(call, w=world, r=referral) or verb == "send"
        referral.refresh_from_db()
        assert (referral.state, referral.moves.count()) == (state, moves)


def test_the_moves_are_those_of_the_rulebook():
    assert {state: sorted(to) for state, to in rules.TRANSITIONS.items()} == {
        "draft": ["sent", "withdrawn"],
        "sent": ["accepted", "declined", "more_asked", "waiting", "withdrawn"],
        "more_asked": ["accepted", "declined", "sent", "waiting", "withdrawn"],
        "waiting": ["accepted", "declined", "withdrawn"],
        "accepted": [],
        "declined": [],
        "withdrawn": [],
    }
    assert set(rules.TRANSITIONS) == set(Referral.State.values) == set(rules.SPOKEN)


# -- acceptance --------------------------------------------------------------------------------------------------------


def test_acceptance_writes_membership_place_needs_block_weeks_journal_and_audit(world):
    care_leaver = person(world, born_on=date(2003, 6, 1))
    referral = introduce(world, care_leaver)
    membership = services.accept(referral=referral, by=world.pantry_manager, at=AT)
    referral.refresh_from_db()
    assert (referral.state, referral.membership, referral.answered_by) == ("accepted", membership, world.pantry_manager)
    assert membership.preferred_name == "Ash"
    assert membership.funded_until == date(2028, 5, 31)  # the day before the 25th birthday
    assert membership.first_week == date(2026, 4, 13)  # Wednesday's session of this week is over
    assert membership.places.get().pantry == world.pantry
    assert sorted(SharedNeed.objects.values_list("kind", "value")) == [("allergen", "milk"), ("diet", "halal")]
    block = membership.blocks.get()
    assert (block.block_no, block.weeks, block.price_pence) == (1, 26, 10_100)
    assert PaidWeek.objects.filter(membership=membership, state="dated").count() == 26
    entry = JournalEntry.objects.get(kind="purchase")
    assert sum(JournalLine.objects.filter(entry=entry).values_list("pence", flat=True)) == 0
    event = AuditEvent.objects.get(verb="referrals.referral.accepted")
    assert set(AuditSubject.objects.filter(event=event).values_list("kind", "subject_id")) == {
        ("careleaver", care_leaver.pk),
        ("membership", membership.pk),
    }


def test_acceptance_is_all_or_nothing(world, monkeypatch):
    referral = introduce(world)
    from referrals import messages

    monkeypatch.setattr(messages, "tell_council", lambda *a: 1 / 0)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        services.accept(referral=referral, by=world.pantry_manager, at=AT)
    referral.refresh_from_db()
    assert (referral.state, PaidWeek.objects.count(), JournalEntry.objects.count()) == ("sent", 0, 0)


def test_a_name_that_is_not_shared_never_reaches_the_membership(world):
    care_leaver = person(world)
    referral = introduce(world, care_leaver, sent=False)
    services.share(
        referral=referral, sharing=agree(world, care_leaver, share_name=False, items=[]), by=world.advisor, at=AT
    )
    services.send(referral=referral, by=world.advisor, at=AT)
    membership = services.accept(referral=referral, by=world.pantry_manager, at=AT)
    assert (membership.preferred_name, membership.needs.count()) == ("", 0)


def test_rejoining_names_the_earlier_membership_and_pays_no_second_fee(world):
    care_leaver = person(world)
    first = services.accept(referral=introduce(world, care_leaver), by=world.pantry_manager, at=AT)
    world.leave(first, THURSDAY)
    again = services.accept(referral=introduce(world, care_leaver), by=world.pantry_manager, at=AT)
    assert (again.previous, again.blocks.get().joining_pence, again.number) == (first, 0, first.number + 1)


# -- refusals ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"name": ""}, "no preferred name yet"),
        ({"born_on": date(2010, 4, 10)}, "under 16"),
        ({"born_on": date(2001, 4, 9)}, "turned 25"),
        ({"name": "Leaving Care Lou"}, "must not say"),
        ({"name": "Lou Quillfeather"}, "must not say “Quillfeather”"),
    ],
)
def test_starting_is_refused_in_words(world, more, words):
    assert words in refusal(services.draft, care_leaver=person(world, **more), by=world.advisor, at=AT)


@pytest.mark.parametrize("text", ["Ask for Lou Quillfeather", "lives at 9 larkspur ginnel, now", "near ZZ99 3WZ"])
def test_what_the_pantry_reads_holds_no_surname_address_or_postcode(world, text):
    care_leaver = person(world, address="9 Larkspur Ginnel", postcode="ZZ99 3WZ")
    said = refusal(services.draft, care_leaver=care_leaver, pantry_needs_to_know=text, by=world.advisor, at=AT)
    assert said == "This is what the pantry reads, so it must not hold their surname, address or postcode."


def test_starting_is_allowed_on_the_16th_birthday_and_the_day_before_the_25th(world):
    for born_on in (date(2010, 4, 9), date(2001, 4, 10)):
        services.draft(care_leaver=person(world, born_on=born_on), by=world.advisor, at=AT)


def test_nobody_who_has_died_is_introduced_answered_or_listed(world):
    care_leaver = person(world)
    referral = introduce(world, care_leaver)
    people.edit(care_leaver=care_leaver, died_on=THURSDAY, by=world.manager, at=AT)
    assert "has died" in refusal(services.accept, referral=referral, by=world.pantry_manager, at=AT)
    assert list(Referral.objects.for_user(world.pantry_manager)) == []


def test_a_second_introduction_or_one_of_a_member_is_refused(world):
    care_leaver = person(world)
    referral = introduce(world, care_leaver)
    assert referral.reference in refusal(services.draft, care_leaver=care_leaver, by=world.advisor, at=AT)
    membership = services.accept(referral=referral, by=world.pantry_manager, at=AT)
    said = refusal(services.draft, care_leaver=care_leaver, by=world.advisor, at=AT)
    assert f"member already, number {membership.number}" in said


def test_sending_without_an_agreement_that_holds_or_without_a_pantry_is_refused(world):
    care_leaver = person(world)
    referral = services.draft(care_leaver=care_leaver, by=world.advisor, at=AT)
    assert "Record the agreement" in refusal(services.send, referral=referral, by=world.advisor, at=AT)
    services.share(referral=referral, sharing=agree(world, care_leaver), by=world.advisor, at=AT)
    assert "Choose a pantry" in refusal(services.send, referral=referral, by=world.advisor, at=AT)
    sharing.withdraw(care_leaver=care_leaver, on=THURSDAY, by=world.advisor, at=AT)
    assert "withdrawn or has run out" in refusal(services.send, referral=referral, by=world.advisor, at=AT)


def test_an_agreement_asked_again_counts_at_acceptance(world):
    care_leaver = person(world)
    referral = introduce(world, care_leaver)
    later = agree(world, care_leaver, on=THURSDAY, share_name=False, items=[("language", "Dari")])
    membership = services.accept(referral=referral, by=world.pantry_manager, at=AT)
    referral.refresh_from_db()
    assert (referral.sharing, membership.preferred_name) == (later, "")
    assert list(membership.needs.values_list("kind", "value")) == [("language", "Dari")]


def test_acceptance_without_an_agreed_price_is_refused(world):
    referral = introduce(world, pantry=factories.pantry(world.operator, weekly=None))
    assert "has no agreed price" in refusal(services.accept, referral=referral, by=world.pantry_manager, at=AT)


def test_a_full_pantry_suggests_the_waiting_list(world):
    full = factories.pantry(world.operator, capacity=1)
    world.join(pantry=full)
    referral = introduce(world, pantry=full)
    said = refusal(services.accept, referral=referral, by=world.pantry_manager, at=AT)
    assert "is full" in said and "waiting list" in said
    services.put_on_waiting_list(referral=referral, by=world.pantry_manager, at=AT)


def test_words_that_would_tell_are_refused_in_what_the_pantry_reads(world):
    for words in ("A Care-Leaver", "ask " + world.advisor.name, world.council.name):
        said = refusal(services.draft, care_leaver=person(world), by=world.advisor, at=AT, pantry_needs_to_know=words)
        assert said.startswith("This is what the pantry reads")
    referral = in_state(world, rules.MORE_ASKED)
    said = refusal(services.reply, referral=referral, note="from leaving care", by=world.advisor, at=AT)
    assert said.startswith("This is what the pantry reads")


def test_a_first_week_more_than_8_weeks_ahead_is_refused(world):
    assert rules.first_weeks(THURSDAY)[-1] == date(2026, 6, 1)
    care_leaver = person(world)
    said = refusal(services.draft, care_leaver=care_leaver, by=world.advisor, at=AT, first_week=date(2026, 6, 8))
    assert "up to 8 weeks ahead" in said
    services.draft(care_leaver=care_leaver, by=world.advisor, at=AT, first_week=date(2026, 6, 1))


def test_already_a_member_needs_a_number_that_exists(world):
    referral = introduce(world)
    given = {"referral": referral, "reason": "already_member", "by": world.pantry_manager, "at": AT}
    assert "no member has that number" in refusal(services.decline, number=7, **given)
    neighbour = world.join(agreement=None)
    services.decline(number=neighbour.number, **given)
    referral.refresh_from_db()
    assert (referral.state, referral.outcome_note) == ("declined", f"Member number {neighbour.number}.")


# -- what the pantry sees ----------------------------------------------------------------------------------------------

HIDDEN = ("Quillfeather", "2005", "1 June", "SK1 1AA", "Money is short", "A friend", "Changed their mind")


def pantry_page(client, world, referral) -> str:
    client.force_login(world.pantry_manager)
    response = client.get(reverse("referrals:detail", args=[referral.pk]))
    assert response.status_code == 200
    return response.content.decode()


@pytest.mark.parametrize("state", [s for s in rules.TRANSITIONS if s != rules.DRAFT])
def test_the_pantry_sees_exactly_what_the_rules_allow(client, world, state):
    world.advisor.work_phone = "0161 000 0000"
    world.advisor.save()
    care_leaver = person(world, postcode="SK1 1AA")
    referral = introduce(world, care_leaver)
    services.ask_more(referral=referral, note="Which day suits?", by=world.pantry_manager, at=AT)
    services.reply(referral=referral, note="Wednesdays", by=world.advisor, at=AT)
    if state != rules.SENT:
        VERBS[{to: verb for verb, (to, _) in VERBS.items()}[state]][1](world, referral)
    referral.refresh_from_db()
    text = pantry_page(client, world, referral)
    known = facts.facts_for_pantry(referral, THURSDAY)
    assert [words for words in HIDDEN if words in text] == []
    assert [words for words in HIDDEN if words in str(known)] == []
    shown = ("Ash", "Allergy: milk", "Diet: halal", "Prefers a quiet moment", world.pantry.name, world.advisor.name,
             world.advisor.email, "0161 000 0000", "Which day suits?", "Wednesdays")  # fmt: skip
    closed = state in (rules.DECLINED, rules.WITHDRAWN)
    assert [words for words in shown if (words in text) is closed] == []
    assert referral.reference in text
    if closed:
        outcome = {"declined": "Declined: The pantry is full", "withdrawn": "Withdrawn"}[state]
        assert known == facts.PantryFacts(
            id=referral.pk,
            reference=referral.reference,
            state=state,
            label=outcome.split(":")[0],
            colour=facts.COLOURS[state],
            is_closed=True,
            outcome=outcome,
        )
    if state == rules.ACCEPTED:
        assert f"Member number {referral.membership.number}" in text


def test_the_filter_bites_when_a_hidden_field_is_put_on_the_page(client, world, monkeypatch):
    referral = introduce(world)
    honest = facts.facts_for_pantry
    leaking = lambda r, on: honest(r, on).__class__(**{**vars(honest(r, on)), "needs_to_know": r.care_leaver.surname})  # noqa: E731
    monkeypatch.setattr(facts, "facts_for_pantry", leaking)
    assert "Quillfeather" in pantry_page(client, world, referral)


def test_number_only_and_withdrawn_agreements_show_no_name_to_the_pantry(client, world):
    care_leaver = person(world, name="Zebedee")
    referral = introduce(world, care_leaver)
    sharing.withdraw(care_leaver=care_leaver, on=THURSDAY, by=world.advisor, at=AT)
    text = pantry_page(client, world, referral)
    assert "Zebedee" not in text and "milk" not in text and "Number only" in text
    listed = client.get(reverse("referrals:list")).content.decode()
    assert "Zebedee" not in listed and "Number only" in listed
    agree(world, care_leaver, on=THURSDAY, share_name=False)
    text = pantry_page(client, world, referral)
    assert "Zebedee" not in text and "milk" in text


def test_the_pantrys_list_finds_by_reference_and_never_by_name(client, world):
    referral = introduce(world, person(world, name="Zebedee"))
    client.force_login(world.pantry_manager)
    find = lambda words: referral.reference in client.get(reverse("referrals:list"), {"q": words}).content.decode()  # noqa: E731
    assert [find(words) for words in (referral.reference, str(referral.number), "Zebedee", "Quillfeather")] == [
        True, True, False, False,
    ]  # fmt: skip
    client.force_login(world.advisor)
    assert [find(words) for words in (referral.reference, "Zebedee", "Quillfeather", "Nobody")] == [
        True, True, True, False,
    ]  # fmt: skip


def test_drafts_and_thrown_away_drafts_are_never_seen_by_the_pantry(world):
    referral = introduce(world, sent=False)
    assert list(Referral.objects.for_user(world.pantry_manager)) == []
    services.withdraw(referral=referral, reason="", by=world.advisor, at=AT)
    assert list(Referral.objects.for_user(world.pantry_manager)) == []


# -- who is told -------------------------------------------------------------------------------------------------------


def test_the_other_side_is_told_by_an_email_that_names_nobody(world):
    other = factories.user(Role.PERSONAL_ADVISOR, world.council)
    care_leaver = person(world, name="Zebedee")
    referral = introduce(world, care_leaver)
    allocations.allocate(care_leaver=care_leaver, advisor=other, on=THURSDAY, by=world.manager, at=AT)
    jobs.pump()
    services.accept(referral=referral, by=world.pantry_manager, at=AT)
    jobs.pump()
    managers = set(User.objects.filter(role=Role.PANTRY_MANAGER, organisation=world.operator))
    assert {(each.subject, each.to[0]) for each in mail.outbox if each.to[0] != other.email} == {
        ("An introduction to answer", manager.email) for manager in managers
    }
    told = {each.to[0] for each in mail.outbox} - {manager.email for manager in managers}
    # The maker is no longer the advisor and may not open it: the message is kept back.
    assert told == {other.email}
    assert Message.objects.get(to=world.advisor).refused_because == "The introduction is not theirs any more."
    for each in mail.outbox:
        assert [
            w for w in ("Zebedee", "Quillfeather", world.pantry.name, "care") if w in each.subject + each.body
        ] == []
        assert reverse("referrals:detail", args=[referral.pk]) in each.body


def test_a_message_that_is_no_longer_news_is_not_sent(world):
    referral = introduce(world)
    services.withdraw(referral=referral, reason="A mistake", by=world.advisor, at=AT)
    jobs.pump()
    assert {each.subject for each in mail.outbox} == {"An introduction is withdrawn"}


# -- pages -------------------------------------------------------------------------------------------------------------


def day(name: str, on: date) -> dict:
    return {f"{name}_day": on.day, f"{name}_month": on.month, f"{name}_year": on.year}


def agreement_answers(**more) -> dict:
    return {
        **day("privacy_notice_on", date(2026, 4, 8)),
        **day("given_on", date(2026, 4, 8)),
        "how_given": "in_person",
        "share_name": "yes",
        "allergens": ["milk"],
        "diet": "halal",
        "language": "",
    } | more


def test_a_known_person_is_introduced_in_few_pages(client, world):
    care_leaver = person(world)
    client.force_login(world.advisor)
    pages = [
        client.get(reverse("referrals:find"), {"q": "ash"}),
        client.get(reverse("referrals:start", args=[care_leaver.pk])),
        client.post(reverse("referrals:start", args=[care_leaver.pk]), agreement_answers(), follow=True),
    ]
    referral = Referral.objects.get()
    answers = {"pantry": str(world.pantry.pk), "agreement": str(world.agreement.pk), "first_week": "2026-05-04"}
    pages += [
        client.post(reverse("referrals:edit", args=[referral.pk]), answers, follow=True),
        client.post(reverse("referrals:check", args=[referral.pk]), follow=True),
    ]
    assert [each.status_code for each in pages] == [200] * 5
    assert "is sent" in pages[-1].content.decode()
    referral.refresh_from_db()
    assert (referral.state, referral.first_week, referral.pantry) == ("sent", date(2026, 5, 4), world.pantry)
    assert sorted(referral.sharing.items.values_list("kind", "value", "agreed_on")) == [
        ("allergen", "milk", date(2026, 4, 8)),
        ("diet", "halal", date(2026, 4, 8)),
    ]
    assert referral.sharing.until_on == date(2030, 5, 31)


def test_an_agreement_in_force_is_used_again(client, world):
    care_leaver = person(world)
    held = agree(world, care_leaver)
    client.force_login(world.advisor)
    page = client.get(reverse("referrals:start", args=[care_leaver.pk])).content.decode()
    assert "Use this agreement" in page and "Allergy: milk" in page
    client.post(reverse("referrals:start", args=[care_leaver.pk]), {"use": "1"})
    assert Referral.objects.get().sharing == held
    assert care_leaver.sharing_agreements.count() == 1


def test_wrong_answers_on_the_first_page_keep_what_was_typed_and_write_nothing(client, world):
    care_leaver = person(world)
    client.force_login(world.advisor)
    wrong = agreement_answers(share_name="", **day("given_on", date(2026, 4, 10)), diet="leaving care menu")
    page = client.post(reverse("referrals:start", args=[care_leaver.pk]), wrong).content.decode()
    assert "There is a problem" in page and "must be today or earlier" in page and "leaving care menu" in page
    assert (Referral.objects.count(), care_leaver.sharing_agreements.count()) == (0, 0)


def test_a_person_who_cannot_be_introduced_gets_the_reason_and_the_way_on(client, world):
    client.force_login(world.advisor)
    referral = introduce(world)
    page = client.get(reverse("referrals:start", args=[referral.care_leaver_id])).content.decode()
    assert referral.reference in page and reverse("referrals:detail", args=[referral.pk]) in page
    nameless = person(world, name="")
    response = client.post(reverse("referrals:start", args=[nameless.pk]), agreement_answers())
    assert response.status_code == 409
    assert reverse("careleavers:edit", args=[nameless.pk]) in response.content.decode()


ANSWERS = [
    ({"answer": "accept"}, "accepted"),
    ({"answer": "wait", "note": "In May"}, "waiting"),
    ({"answer": "ask", "note": "Which day?"}, "more_asked"),
    ({"answer": "decline", "reason": "out_of_area"}, "declined"),
    ({"answer": "ask"}, "sent"),
    ({"answer": "decline"}, "sent"),
    ({"answer": "decline", "reason": "other"}, "sent"),
    ({"answer": "decline", "reason": "already_member"}, "sent"),
    ({"answer": "decline", "reason": "already_member", "number": "99"}, "sent"),
    ({}, "sent"),
]


@pytest.mark.parametrize(("answer", "state"), ANSWERS)
def test_the_pantry_answers_in_the_browser(client, world, answer, state):
    referral = introduce(world)
    client.force_login(world.pantry_manager)
    response = client.post(reverse("referrals:answer", args=[referral.pk]), answer)
    referral.refresh_from_db()
    assert referral.state == state
    if state == "sent":
        assert "There is a problem" in response.content.decode()
    else:
        assert (response.status_code, response.url) == (302, reverse("referrals:detail", args=[referral.pk]))


def test_a_question_goes_to_the_advisor_and_its_answer_comes_back(client, world):
    referral = in_state(world, rules.MORE_ASKED)
    client.force_login(world.advisor)
    page = client.get(reverse("referrals:detail", args=[referral.pk])).content.decode()
    assert "Which day?" in page
    client.post(reverse("referrals:reply", args=[referral.pk]), {"note": "Wednesdays"})
    assert "Wednesdays" in pantry_page(client, world, referral)


def test_the_council_sees_everything_and_attendance_after_acceptance(client, world):
    referral = in_state(world, rules.ACCEPTED)
    for user in (world.advisor, world.manager):
        client.force_login(user)
        page = client.get(reverse("referrals:detail", args=[referral.pk])).content.decode()
        for words in ("Quillfeather", "Money is short", "13 April 2026", "Block 1", "None yet"):
            assert words in page


def test_not_taken_up_shows_after_four_weeks_without_a_collection(client, world, settings):
    referral = in_state(world, rules.ACCEPTED)
    client.force_login(world.advisor)
    url = reverse("referrals:detail", args=[referral.pk])
    settings.CLOCK = datetime(2026, 5, 10, 9, 0)  # noqa: DTZ001
    assert "Not taken up" not in client.get(url).content.decode()
    settings.CLOCK = datetime(2026, 5, 11, 9, 0)  # noqa: DTZ001
    assert "Not taken up" in client.get(url).content.decode()


# -- roles, others' objects, audit, queries ----------------------------------------------------------------------------

PAGES = ("detail", "agreement", "edit", "check", "answer", "reply", "withdraw")


def statuses(client, user, referral) -> dict[str, int]:
    client.force_login(user)
    get = {name: client.get(reverse(f"referrals:{name}", args=[referral.pk])).status_code for name in PAGES}
    post = {f"POST {name}": client.post(reverse(f"referrals:{name}", args=[referral.pk])).status_code for name in PAGES}
    return {k: v for k, v in (get | post).items() if v != 405}


def test_someone_elses_introduction_is_404_and_a_wrong_role_403(client, world):
    other = factories.World()
    theirs = introduce(other, sent=False)
    for user in (world.advisor,):
        assert set(statuses(client, user, theirs).values()) <= {404, 403}
        assert statuses(client, user, theirs)["detail"] == 404
        assert client.get(reverse("referrals:start", args=[theirs.care_leaver_id])).status_code == 404
    services.send(referral=theirs, by=other.advisor, at=AT)
    colleague = factories.user(Role.PERSONAL_ADVISOR, other.council)
    for user in (world.manager, world.pantry_manager, colleague):
        assert statuses(client, user, theirs)["detail"] == 404
        assert set(statuses(client, user, theirs).values()) <= {404, 403}
    for user in (world.finance, world.volunteer, factories.user(Role.ADMINISTRATOR, other.council)):
        assert set(statuses(client, user, theirs).values()) == {403}
        assert client.get(reverse("referrals:list")).status_code == 403
    theirs.refresh_from_db()
    assert theirs.state == "sent"


def test_every_view_of_a_person_is_in_the_audit_and_without_it_there_is_no_page(client, world, monkeypatch):
    referral = introduce(world)
    for user, url in (
        (world.advisor, reverse("referrals:detail", args=[referral.pk])),
        (world.pantry_manager, reverse("referrals:detail", args=[referral.pk])),
        (world.advisor, reverse("referrals:list")),
        (world.pantry_manager, reverse("referrals:list")),
        (world.advisor, reverse("referrals:find")),
    ):
        client.force_login(user)
        before = AuditEvent.objects.count()
        client.get(url)
        assert AuditEvent.objects.count() == before + 1
        event = AuditEvent.objects.latest("id")
        assert (event.by, list(event.subjects.values_list("subject_id", flat=True))) == (
            user,
            [referral.care_leaver_id],
        )


def test_the_lists_take_the_same_queries_at_1_and_3_rows(client, world, django_assert_num_queries):
    introduce(world)
    urls = [(world.advisor, "referrals:list", 9), (world.pantry_manager, "referrals:list", 9)]
    for more in (0, 2):
        for _ in range(more):
            introduce(world)
        for user, name, queries in urls:
            client.force_login(user)
            with django_assert_num_queries(queries):
                client.get(reverse(name))


def test_the_caseload_takes_the_same_queries_at_1_and_3_rows(world, django_assert_num_queries):
    for more in (1, 2):
        for _ in range(more):
            services.accept(referral=introduce(world), by=world.pantry_manager, at=AT)
        later = THURSDAY + timedelta(weeks=5)
        for day, queries in ((THURSDAY, 7), (later, 8)):  # nobody has missed a week, and nobody has ever come
            with django_assert_num_queries(queries):
                rows = caseload.rows(CareLeaver.objects.for_user(world.advisor), day)
    assert [row.facts.missed for row in rows] == [4, 4, 4]


def test_the_caseload_says_plainly_what_each_person_needs(world):
    nameless, fresh = person(world, name=""), person(world, name="Bay")
    waiting = introduce(world, person(world, name="Coral")).care_leaver
    member = introduce(world, person(world, name="Dale"))
    services.accept(referral=member, by=world.pantry_manager, at=AT)
    old = person(world, name="Eden", born_on=date(2001, 9, 1))
    agree(world, old)
    said = {
        row.person.pk: ([flag.text for flag in row.flags], row.step)
        for row in caseload.rows(CareLeaver.objects.for_user(world.advisor), THURSDAY)
    }
    assert said == {
        nameless.pk: (["No name yet", "No agreement yet"], "Add a preferred name"),
        fresh.pk: (["No agreement yet"], "Introduce"),
        waiting.pk: (["Waiting for the pantry", "Ask how they are: start"], "See the introduction"),
        member.care_leaver_id: (["Ask how they are: start"], "Ask how they are"),
        old.pk: (["Ask how they are: start", "Turns 25 on 1 Sep 2026"], "Introduce"),
    }
