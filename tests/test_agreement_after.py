"""After acceptance: the agreement to share withdrawn, run out, given again; a death and its correction; and, field by
field, what Stockport Homes' manager sees."""

import html
import re
from datetime import date, datetime, timedelta

import pytest
from django.core import mail
from django.db import transaction
from django.urls import reverse

from careleavers.models import CareLeaver, DeathCorrection
from careleavers.services import people, sharing
from pantry.models import Membership, PaidWeek
from pantry.services import collections, memberships, sessions
from referrals import facts, rules, services
from referrals.models import PrintedName, Referral
from referrals.services import agreements
from stockport_hubs.accounts.models import Role
from stockport_hubs.audit.models import AuditEvent
from stockport_hubs.core.errors import Refused
from stockport_hubs.jobs import services as jobs
from stockport_hubs.notifications.models import Message
from tests import factories
from tests.factories import moment
from tests.test_introductions import AT, THURSDAY, agree, agreement_answers, introduce, person

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]  # pages: once
DAY = timedelta(days=1)
# Everything that must never reach the pantry side, put where it could leak from.
SURNAME, LINE, POSTCODE, WHY, ALONG, GONE = (
    "Quillfeather", "9 Larkspur Ginnel", "ZZ99 3WZ", "Money is short since the move", "A friend", "Fell out with us",
)  # fmt: skip
BORN = (date(2005, 6, 1), "1 June 2005", "2005", "2005-06-01")
HIDDEN = (SURNAME, LINE, POSTCODE, WHY, ALONG, GONE, *BORN[1:], "Leaving care", "care leaver", "agreement to share")


@pytest.fixture(autouse=True)
def clock(settings):
    settings.CLOCK = datetime(2026, 4, 9, 9, 0)  # noqa: DTZ001


@pytest.fixture
def world():
    made = factories.World()
    made.pantry.name, made.advisor.name = "Elm Hall", "Petra Advisor"
    made.advisor.email, made.advisor.work_phone = "petra@example.org", "0161 496 0777"
    made.pantry_manager.name = "Pam Pantry"
    for each in (made.pantry, made.advisor, made.pantry_manager):
        each.save()
    return made


def ash(world) -> CareLeaver:
    return person(world, name="Zebedee", address=LINE, postcode=POSTCODE)


def member(world, care_leaver=None) -> Referral:
    referral = introduce(world, care_leaver or ash(world))
    services.accept(referral=referral, by=world.pantry_manager, at=AT)
    referral.refresh_from_db()
    return referral


def withdraw(world, care_leaver, **more) -> int:
    given = {"on": THURSDAY, "how": "by_phone", "stops": False, "by": world.advisor, "at": AT} | more
    return services.withdraw_agreement(care_leaver=care_leaver, **given)


def refused(verb, **given) -> str:
    with pytest.raises(Refused) as why, transaction.atomic():
        verb(**given)
    return str(why.value)


def page(client, user, name: str, *keys, **query) -> str:
    client.force_login(user)
    response = client.get(reverse(name, args=keys), query)
    assert response.status_code == 200
    return response.content.decode()


def text(markup: str) -> str:
    """What a person reads on a page, without forms and the site's frame."""
    main = markup.split('id="main-content">')[1].split("</main>")[0]
    main = re.sub(r"<form.*?</form>", " ", main, flags=re.S)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", main))).strip()


# -- what Stockport Homes' manager sees, field by field ----------------------------------------------------------------

CONTACT = "Their personal advisor Petra Advisor petra@example.org 0161 496 0777"
BEFORE = (
    "Introduction {ref} Zebedee {state} Needs they shared Allergy: milk; Diet: halal Pantry Elm Hall First week they "
    "would like The first there is What the pantry needs to know Prefers a quiet moment " + CONTACT
)
HIDDEN_NOW = (
    "Introduction {ref} Number only {state} They no longer agree to share their name and needs, so these are not "
    "shown. Needs they shared None Pantry Elm Hall First week they would like The first there is What the pantry needs "
    "to know Nothing " + CONTACT
)
IN_LINE = "Number 1 in the pantry’s line since 9 April 2026. The pantry is full."
CLOSED = (
    "Introduction {ref} {outcome} Nothing else is kept here about someone who did not join through this introduction."
)


def bring(world, referral, what: str) -> None:
    """Bring an introduction that was sent to where the table looks at it."""
    given = {"referral": referral, "at": AT}
    if what in ("accepted", "accepted, agreement withdrawn"):
        services.accept(by=world.pantry_manager, **given)
    elif what == "waiting":
        services.put_on_waiting_list(by=world.pantry_manager, **given)
    elif what == "declined":
        services.decline(reason="full", by=world.pantry_manager, **given)
    elif what == "withdrawn":
        services.withdraw(reason=GONE, by=world.advisor, **given)
    if what.endswith("agreement withdrawn"):
        withdraw(world, referral.care_leaver)
    referral.refresh_from_db()


@pytest.mark.parametrize(
    "what, expected",
    [
        ("sent", BEFORE.format(ref="{ref}", state="To answer")),
        ("waiting", BEFORE.format(ref="{ref}", state=f"Waiting list {IN_LINE}")),
        ("accepted", BEFORE.format(ref="{ref}", state="Accepted Member number {number}")),
        ("declined", CLOSED.format(ref="{ref}", outcome="Declined: The pantry is full")),
        ("withdrawn", CLOSED.format(ref="{ref}", outcome="Withdrawn")),
        ("sent, agreement withdrawn", CLOSED.format(ref="{ref}", outcome="Withdrawn")),
        ("accepted, agreement withdrawn", HIDDEN_NOW.format(ref="{ref}", state="Accepted Member number {number}")),
    ],
)
def test_the_pantry_manager_reads_exactly_what_the_rules_allow(world, client, what, expected):
    referral = introduce(world, ash(world))
    bring(world, referral, what)
    number = referral.membership.number if referral.membership else ""
    shown = page(client, world.pantry_manager, "referrals:detail", referral.pk)
    assert text(shown) == expected.format(ref=referral.reference, number=number)
    closed = "Nothing else is kept" in expected
    row = f"{referral.reference} Not kept Not kept Not kept" if closed else f"{referral.reference} "
    row += (
        "" if closed else ("Number only" if "Number only" in expected else "Zebedee") + " Elm Hall The first there is"
    )
    listed = page(client, world.pantry_manager, "referrals:list")
    assert row in text(listed)
    assert [word for word in HIDDEN if word in shown + listed] == []


def test_the_table_bites_when_a_field_leaks(world, client, monkeypatch):
    referral = introduce(world, ash(world))
    honest = facts.facts_for_pantry
    leak = lambda r, on: facts.PantryFacts(**{**vars(honest(r, on)), "needs_to_know": r.why})  # noqa: E731
    monkeypatch.setattr(facts, "facts_for_pantry", leak)
    shown = page(client, world.pantry_manager, "referrals:detail", referral.pk)
    assert text(shown) != BEFORE.format(ref=referral.reference, state="To answer")
    assert [word for word in HIDDEN if word in shown] == [WHY]


# -- withdrawn ---------------------------------------------------------------------------------------------------------


def session_on(world, on: date):
    return sessions.for_day(pantry=world.pantry, on=on)[0]


def test_from_the_withdrawal_on_the_number_stands_alone_and_the_member_still_collects(world, client, settings):
    wednesday = date(2026, 4, 15)
    settings.CLOCK = datetime(2026, 4, 15, 10, 30)  # noqa: DTZ001
    referral = member(world)
    opening = session_on(world, wednesday)
    pages = [("pantry:session", opening.pk), ("pantry:member", referral.membership_id), ("pantry:members",)]
    before = [page(client, world.pantry_manager, *each) for each in pages]
    assert ["Zebedee" in shown for shown in before] == [True] * 3 and "milk" in before[0].lower()
    withdraw(world, referral.care_leaver, on=wednesday, at=moment(wednesday, "10:15"))
    after = [page(client, world.pantry_manager, *each) for each in pages]
    assert [("Zebedee" in shown, "milk" in shown.lower(), "halal" in shown) for shown in after] == [(False,) * 3] * 3
    assert str(referral.membership.number) in after[0]
    taken = collections.record(
        session=opening, membership=Membership.objects.get(), key=opening.pk, quantities=None, fruit_and_veg=True,
        by=world.pantry_manager, collected_at=moment(wednesday, "10:30"), at=moment(wednesday, "10:30"),
    )  # fmt: skip
    assert taken.paid_week is not None


@pytest.mark.parametrize("stops, state, pence", [(False, "open", 0), (True, "ended", 26 * 350)])
def test_whether_they_stop_as_well_is_a_choice_of_its_own(world, stops, state, pence):
    referral = member(world)
    assert withdraw(world, referral.care_leaver, stops=stops) == pence
    assert Membership.objects.get().state == state


@pytest.mark.parametrize("state", [rules.DRAFT, rules.SENT, rules.MORE_ASKED, rules.WAITING])
def test_an_introduction_under_way_is_withdrawn_with_the_agreement(world, state):
    referral = introduce(world, ash(world), sent=state != rules.DRAFT)
    if state == rules.MORE_ASKED:
        services.ask_more(referral=referral, note="Which day?", by=world.pantry_manager, at=AT)
    elif state == rules.WAITING:
        services.put_on_waiting_list(referral=referral, by=world.pantry_manager, at=AT)
    withdraw(world, referral.care_leaver)
    referral.refresh_from_db()
    assert (referral.state, referral.outcome_note) == ("withdrawn", "The agreement to share was withdrawn")


@pytest.mark.parametrize(
    "more, words",
    [
        ({"on": THURSDAY + DAY}, "must not be in the future"),
        ({"on": date(2026, 4, 7)}, "given on 8 April 2026; it cannot have been withdrawn before"),
        ({"how": "by_pigeon"}, "Choose how they told you"),
    ],
)
def test_a_withdrawal_that_makes_no_sense_is_refused(world, more, words):
    referral = member(world)
    assert words in refused(withdraw, world=world, care_leaver=referral.care_leaver, **more)
    assert Membership.objects.get().preferred_name == "Zebedee"


def test_without_an_agreement_there_is_nothing_to_withdraw(world, client):
    referral = member(world)
    withdraw(world, referral.care_leaver)
    assert "no agreement to withdraw" in refused(withdraw, world=world, care_leaver=referral.care_leaver)
    client.force_login(world.advisor)
    url = reverse("referrals:person_withdraw", args=[referral.care_leaver_id])
    assert client.get(url).status_code == 302


def test_the_council_sees_the_withdrawal_with_its_day_and_who_recorded_it(world, client):
    referral = member(world)
    withdraw(world, referral.care_leaver)
    shown = text(page(client, world.manager, "careleavers:detail", referral.care_leaver_id))
    assert (
        "Agreement withdrawn 9 April 2026, by phone, recorded by Petra Advisor. The pantry knows the membership number "
        "alone." in shown
    )


def test_a_new_agreement_gives_back_what_it_holds_and_nothing_else(world, client):
    referral = member(world)
    withdraw(world, referral.care_leaver)
    client.force_login(world.advisor)
    url = reverse("referrals:person_share", args=[referral.care_leaver_id])
    given = {"given_on_day": 9, "given_on_month": 4, "given_on_year": 2026}
    assert client.post(url, agreement_answers(diet="vegan", **given)).status_code == 302
    now = Membership.objects.get()
    assert (now.preferred_name, sorted(now.needs.values_list("kind", "value"))) == (
        "Zebedee", [("allergen", "milk"), ("diet", "vegan")],
    )  # fmt: skip
    assert client.post(url, agreement_answers(share_name="no", allergens=[], diet="", **given)).status_code == 302
    now.refresh_from_db()
    assert (now.preferred_name, now.needs.count()) == ("", 0)


def test_the_advisor_sees_what_a_withdrawal_does_before_it_is_done(world, client):
    referral = member(world)
    client.force_login(world.advisor)
    url = reverse("referrals:person_withdraw", args=[referral.care_leaver_id])
    posted = {"on_day": 9, "on_month": 4, "on_year": 2026, "how": "in_person", "stops": "yes"}
    assert "Choose whether they want to stop" in client.post(url, posted | {"stops": ""}).content.decode()
    asked = text(client.post(url, posted).content.decode())
    assert f"member {referral.membership.number} without a name" in asked and "£91.00 goes back as credit" in asked
    assert Membership.objects.get().state == "open"
    client.post(url, posted | {"confirmed": "yes"})
    assert Membership.objects.values_list("state", "preferred_name").get() == ("ended", "")


def test_printed_sheets_are_listed_until_the_pantry_manager_says_they_are_destroyed(world, client):
    referral = member(world)
    jobs.pump()
    mail.outbox.clear()
    withdraw(world, referral.care_leaver)
    jobs.pump()
    told = [each for each in mail.outbox if "not shared any more" in each.subject]
    assert {each.to[0] for each in told} == {world.pantry_manager.email} | {
        each.to.email for each in Message.objects.filter(kind="referrals.name_hidden").select_related("to")
    }
    assert "Zebedee" not in "".join(each.body for each in told)
    shown = text(page(client, world.pantry_manager, "referrals:printed"))
    assert f"Member {referral.membership.number}" in shown and "Zebedee" not in shown
    each = PrintedName.objects.get()
    stranger = factories.user(Role.PANTRY_MANAGER)
    client.force_login(stranger)
    assert client.post(reverse("referrals:destroyed", args=[each.pk])).status_code == 404
    client.force_login(world.pantry_manager)
    client.post(reverse("referrals:destroyed", args=[each.pk]))
    assert "Nothing to destroy" in page(client, world.pantry_manager, "referrals:printed")
    assert "recorded already" in refused(agreements.destroyed, printed=each, by=world.pantry_manager, at=AT)


# -- run out, changed --------------------------------------------------------------------------------------------------


def test_an_agreement_that_has_run_out_is_followed_by_the_sweep(world, client, settings):
    referral = member(world)
    referral.care_leaver.sharing_agreements.update(until_on=THURSDAY)
    sweep = lambda on: agreements.sweep(at=moment(on), job="referrals.follow")  # noqa: E731
    assert [sweep(THURSDAY), Membership.objects.get().preferred_name] == [0, "Zebedee"]
    assert [sweep(THURSDAY + DAY), sweep(THURSDAY + DAY), sweep(THURSDAY + 40 * DAY)] == [1, 0, 0]
    now = Membership.objects.get()
    assert (now.state, now.preferred_name, now.needs.count(), PrintedName.objects.count()) == ("open", "", 0, 1)
    settings.CLOCK = datetime(2026, 4, 10, 9, 0)  # noqa: DTZ001
    shown = text(page(client, world.advisor, "careleavers:detail", referral.care_leaver_id))
    assert "Run out It held until 9 April 2026." in shown


def test_a_new_preferred_name_reaches_the_pantry_and_a_surname_never_does(world):
    referral = member(world)
    people.edit(care_leaver=referral.care_leaver, preferred_name="Zeb", by=world.advisor, at=AT)
    jobs.pump()
    assert Membership.objects.get().preferred_name == "Zeb"
    people.edit(care_leaver=referral.care_leaver, preferred_name="Zeb Quillfeather", by=world.advisor, at=AT + DAY)
    jobs.pump()
    assert Membership.objects.get().preferred_name == "Zeb"


def test_a_corrected_date_of_birth_moves_the_last_funded_day(world):
    referral = member(world)
    assert referral.membership.funded_until == date(2030, 5, 31)
    people.edit(care_leaver=referral.care_leaver, born_on=date(2004, 2, 29), by=world.advisor, at=AT)
    jobs.pump()
    assert Membership.objects.get().funded_until == date(2029, 2, 28)


# -- died --------------------------------------------------------------------------------------------------------------


def die(world, care_leaver, on=THURSDAY, **more) -> int:
    return services.record_death(care_leaver=care_leaver, died_on=on, **{"by": world.advisor, "at": AT} | more)


@pytest.mark.parametrize("on", [THURSDAY, date(2026, 4, 8), None])
def test_a_death_stops_everything_on_both_sides_at_once(world, client, on):
    referral = member(world)
    care_leaver = referral.care_leaver
    assert die(world, care_leaver, on) == 26 * 350
    now = Membership.objects.get()
    assert (now.state, now.end_reason, now.preferred_name, now.next_due_on) == ("ended", "died", "", None)
    assert set(PaidWeek.objects.values_list("state", flat=True)) == {"credited"}
    assert list(CareLeaver.objects.for_user(world.advisor).living()) == []
    for user, name in (
        (world.advisor, "home"), (world.advisor, "referrals:find"), (world.pantry_manager, "referrals:list"),
        (world.pantry_manager, "pantry:members"), (world.pantry_manager, "home"),
    ):  # fmt: skip
        assert "Zebedee" not in page(client, user, name), name


def test_a_death_withdraws_an_introduction_under_way_and_no_message_goes_out(world):
    referral = introduce(world, ash(world))
    services.ask_more(referral=referral, note="Which day?", by=world.pantry_manager, at=AT)
    die(world, referral.care_leaver)
    jobs.pump()
    referral.refresh_from_db()
    assert (referral.state, mail.outbox) == ("withdrawn", [])
    refusals = set(Message.objects.values_list("refused_because", flat=True))
    assert refusals == {"Nothing more is sent about this person.", "The introduction is not theirs any more."}


def test_whoever_is_introduced_after_the_pantry_recorded_a_death_by_mistake_joins_again(world):
    first = member(world)
    memberships.leave(membership=first.membership, on=THURSDAY, reason="died", by=world.pantry_manager, at=AT)
    again = introduce(world, first.care_leaver)
    joined = services.accept(referral=again, by=world.pantry_manager, at=AT)
    first.membership.refresh_from_db()
    assert (first.membership.end_reason, joined.previous) == ("left", first.membership)
    assert joined.blocks.get().joining_pence == 0


def test_a_death_that_comes_with_an_edit_or_an_import_is_followed_by_its_job(world):
    referral = member(world)
    people.edit(care_leaver=referral.care_leaver, in_touch="DIED", by=world.manager, at=AT)
    assert Membership.objects.get().state == "open"
    jobs.pump()
    assert Membership.objects.values_list("state", "end_reason").get() == ("ended", "died")
    ended = AuditEvent.objects.get(verb="pantry.membership.ended")
    assert (ended.by, ended.job) == (None, "referrals.follow")


def test_the_sweep_finds_a_death_that_no_job_followed(world):
    referral = member(world)
    CareLeaver.objects.filter(pk=referral.care_leaver_id).update(in_touch="DIED")
    assert [agreements.sweep(at=AT, job="referrals.follow") for _ in range(2)] == [1, 0]
    assert Membership.objects.get().end_reason == "died"


@pytest.mark.parametrize(
    "on, words", [(THURSDAY + DAY, "must not be in the future"), (date(2005, 5, 31), "before the date of birth")]
)
def test_a_death_that_makes_no_sense_is_refused(world, on, words):
    referral = member(world)
    assert words in refused(die, world=world, care_leaver=referral.care_leaver, on=on)
    assert Membership.objects.get().state == "open"


def test_a_death_recorded_twice_is_refused_and_its_day_can_follow(world):
    care_leaver = member(world).care_leaver
    die(world, care_leaver, None)
    assert "recorded already" in refused(die, world=world, care_leaver=care_leaver, on=None)
    die(world, care_leaver, THURSDAY)
    assert "recorded already" in refused(die, world=world, care_leaver=care_leaver)


def test_only_a_manager_corrects_a_death_and_says_why(world, client):
    referral = member(world)
    care_leaver = referral.care_leaver
    die(world, care_leaver)
    given = {"care_leaver": care_leaver, "because": "A mix-up of two references", "at": AT}
    assert "Only a leaving care manager" in refused(services.correct_death, **given | {"by": world.advisor})
    assert "Write why" in refused(services.correct_death, **given | {"by": world.manager, "because": " "})
    assert "a leaving care manager corrects it" in refused(
        people.edit, care_leaver=care_leaver, in_touch="YES", died_on=None, by=world.manager, at=AT
    )
    client.force_login(world.manager)
    url = reverse("referrals:not_died", args=[care_leaver.pk])
    assert client.post(url, {"because": "A mix-up of two references"}).status_code == 302
    care_leaver.refresh_from_db()
    assert (care_leaver.has_died, care_leaver.in_touch) == (False, "")
    assert DeathCorrection.objects.values_list("because", "died_on").get() == ("A mix-up of two references", THURSDAY)
    shown = text(page(client, world.advisor, "careleavers:detail", care_leaver.pk))
    assert "A mix-up of two references" in shown
    assert "Nobody has recorded" in refused(services.correct_death, **given | {"by": world.manager})


def test_after_a_correction_the_membership_stays_ended_and_a_new_one_names_it(world):
    referral = member(world)
    die(world, referral.care_leaver)
    services.correct_death(care_leaver=referral.care_leaver, because="A mix-up", by=world.manager, at=AT)
    assert Membership.objects.values_list("state", "end_reason").get() == ("ended", "left")
    agree(world, referral.care_leaver, on=THURSDAY)
    again = member(world, CareLeaver.objects.get(pk=referral.care_leaver_id))
    assert (again.membership.previous, again.membership.blocks.get().joining_pence) == (referral.membership, 0)


def test_a_death_is_recorded_after_seeing_what_it_stops(world, client):
    referral = member(world)
    client.force_login(world.advisor)
    url = reverse("referrals:died", args=[referral.care_leaver_id])
    posted = {"died_on_day": 9, "died_on_month": 4, "died_on_year": 2026}
    assert "£91.00 goes back as credit" in client.post(url, posted).content.decode()
    assert Membership.objects.get().state == "open"
    client.post(url, posted | {"confirmed": "yes"})
    assert Membership.objects.get().end_reason == "died"
    edit = client.get(reverse("careleavers:edit", args=[referral.care_leaver_id])).content.decode()
    assert 'name="in_touch"' not in edit


def test_nothing_is_recorded_of_someone_elses_person(world, client):
    other = factories.World()
    care_leaver = member(other, person(other)).care_leaver
    for name in ("person_share", "person_withdraw", "died"):
        client.force_login(world.advisor)
        assert client.get(reverse(f"referrals:{name}", args=[care_leaver.pk])).status_code == 404
    client.force_login(world.manager)
    assert client.post(reverse("referrals:not_died", args=[care_leaver.pk]), {"because": "x"}).status_code == 404
    assert sharing.current(care_leaver, THURSDAY) is not None
