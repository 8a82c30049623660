"""Four eyes: what one person proposes counts once a second one has approved it, and to the penny."""

import re
from datetime import date, timedelta

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.urls import reverse

from pantry import money
from pantry.models import CreditPool, JournalEntry, JournalLine, Membership, PaidWeek, Proposal
from pantry.services import journal, memberships, proposals, renewals
from stockport_hubs.accounts.models import Role
from stockport_hubs.audit.models import AuditEvent
from stockport_hubs.core.errors import NotYours, Refused
from stockport_hubs.core.weeks import WEEK
from tests import factories
from tests.factories import World, moment
from tests.processes import ROOT
from tests.test_places import as_user, posted_day, text

pytestmark = [pytest.mark.django_db]

FIRST = date(2026, 4, 6)
JULY = date(2026, 7, 1)  # a Wednesday: 12 weeks are over, that of 29 June runs
AT = moment(JULY)
Kind = Proposal.Kind


@pytest.fixture
def world():
    w = World(hold_after_weeks_without_collection=0)
    journal.pay_in_advance(
        agreement=w.agreement, pence=757_500, on=FIRST, invoice="INV-1", by=w.finance, at=moment(FIRST)
    )
    w.member = w.join()
    return w


def propose(world, kind=Kind.GOODWILL, by=None, at=AT, member=None, **details) -> Proposal:
    of_member = kind in (Kind.GOODWILL, Kind.CREDIT, Kind.BACK_DATED)
    return proposals.propose(
        kind=kind,
        agreement=world.agreement,
        membership=(member or world.member) if of_member else None,
        details=details,
        note="The hall was shut",
        by=by or world.manager,
        at=at,
    )


def approve(world, proposal: Proposal, by=None, at=AT, seen=None) -> Proposal:
    seen = proposal.pence if seen is None else seen
    return proposals.approve(proposal=proposal, seen_pence=seen, by=by or world.finance, at=at)


def refusal(do, *args, **more) -> str:
    with pytest.raises(Refused) as why:
        do(*args, **more)
    return str(why.value)


def entry(world, way="advance_back", pence=10_000, on=JULY) -> dict:
    return {"way": way, "pence": pence, "on": on.isoformat(), "invoice": "CN-1"}


def rows() -> tuple[int, ...]:
    return tuple(model.objects.count() for model in (JournalEntry, JournalLine, PaidWeek, Membership))


def pool(world) -> int:
    return CreditPool.objects.filter(agreement=world.agreement).values_list("balance_pence", flat=True).first() or 0


# -- two people --------------------------------------------------------------------------------------------------------


def deeds(world) -> dict[str, dict]:
    return {
        Kind.GOODWILL: {"weeks": 3},
        Kind.CREDIT: {"weeks": ["2026-06-22"]},
        Kind.ENTRY: entry(world),
        Kind.REVERSAL: {"entry": str(JournalEntry.objects.get(kind="payment").pk)},
        Kind.BACK_DATED: {"what": "leave", "on": "2026-05-20", "reason": "left"},
        Kind.OPENING: {
            "cut_over": "2026-06-29",
            "control_pence": 3500,
            "rows": [
                {
                    "row": 2,
                    "reference": "R-1",
                    "pantry": world.pantry.name,
                    "number": 900,
                    "joined_on": "2026-01-05",
                    "weeks_left": 10,
                    "weekly_pence": 350,
                    "funder": world.agreement.name,
                }
            ],
        },
    }


@pytest.mark.parametrize("kind", Kind.values)
def test_nothing_changes_until_a_second_person_approves(world, kind):
    before, held = rows(), pool(world)
    made = propose(world, kind, **deeds(world)[kind])
    assert (made.state, rows(), pool(world)) == ("waiting", before, held)
    assert "yourself" in refusal(approve, world, made, by=world.manager)
    colleague = factories.user(Role.LEAVING_CARE_MANAGER, world.council)
    assert "a finance officer answers it" in refusal(approve, world, made, by=colleague)
    for stranger in (world.pantry_manager, world.advisor, factories.user(Role.FINANCE_OFFICER)):
        with pytest.raises(NotYours):
            approve(world, made, by=stranger)
    assert (Proposal.objects.get().state, rows(), pool(world)) == ("waiting", before, held)
    done = approve(world, made)
    assert (done.state, done.answered_by, rows() != before) == ("approved", world.finance, True)
    assert journal.check(JULY) == []
    assert refusal(approve, world, made).startswith("Approved by")


def test_every_kind_has_its_deed_here():
    assert set(proposals.DEEDS) == set(Kind.values)


@pytest.mark.parametrize("first", ["approved", "refused", "taken_back"])
def test_an_answer_stands(world, first):
    made = propose(world, weeks=2)
    if first == "approved":
        approve(world, made)
    elif first == "refused":
        proposals.refuse(proposal=made, reason="No need", by=world.finance, at=AT)
    else:
        assert "can take it back" in refusal(proposals.take_back, proposal=made, by=world.finance, at=AT)
        proposals.take_back(proposal=made, by=world.manager, at=AT)
    said = {"approved": "Approved by", "refused": "Refused by", "taken_back": "Taken back by"}[first]
    assert refusal(approve, world, made).startswith(said)
    assert refusal(proposals.refuse, proposal=made, reason="x", by=world.finance, at=AT).startswith(said)
    assert refusal(proposals.take_back, proposal=made, by=world.manager, at=AT).startswith(said)
    verbs = AuditEvent.objects.filter(target_id=made.pk).order_by("id").values_list("verb", "by")
    people = {"taken_back": world.manager.pk}
    assert list(verbs) == [
        ("pantry.proposal.made", world.manager.pk),
        (f"pantry.proposal.{first}", people.get(first, world.finance.pk)),
    ]


def test_a_refusal_needs_a_reason_and_a_proposal_a_why(world):
    made = propose(world, weeks=2)
    assert refusal(proposals.refuse, proposal=made, reason=" ", by=world.finance, at=AT).startswith("Say why")
    given = {"kind": Kind.GOODWILL, "agreement": world.agreement, "membership": world.member, "details": {"weeks": 1}}
    assert refusal(proposals.propose, **given, note=" ", by=world.manager, at=AT).startswith("Say why")
    assert "A leaving care manager or" in refusal(proposals.propose, **given, note="x", by=world.pantry_manager, at=AT)
    with pytest.raises(NotYours):
        proposals.propose(**given, note="x", by=factories.user(Role.FINANCE_OFFICER), at=AT)


def test_the_same_is_not_proposed_twice_while_it_waits(world):
    made = propose(world, weeks=2)
    assert "has proposed the same" in refusal(propose, world, weeks=2, by=world.finance)
    propose(world, weeks=3)
    proposals.take_back(proposal=made, by=world.manager, at=AT)
    propose(world, weeks=2)


def test_the_database_holds_that_there_are_two(world):
    made = propose(world, weeks=2)
    for change in (
        {"state": "approved", "answered_by": world.manager, "answered_at": AT},
        {"state": "approved"},
        {"state": "refused", "answered_by": world.finance, "answered_at": AT},
        {"state": "taken_back", "answered_by": world.finance, "answered_at": AT},
        {"state": "other"},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            Proposal.objects.filter(pk=made.pk).update(**change)


def test_what_comes_to_something_else_by_now_is_looked_at_again(world):
    made = propose(world, Kind.CREDIT, weeks=["2026-06-22"])
    assert refusal(approve, world, made, seen=700).startswith("Meanwhile it comes to £3.50 and not to £7.00")
    assert Proposal.objects.get().state == "waiting" and pool(world) == 0


def test_what_cannot_be_done_any_more_is_not_approved(world):
    made = propose(world, weeks=2)
    world.leave(world.member, JULY)
    assert "left on 1 July 2026" in refusal(approve, world, made)
    proposals.refuse(proposal=made, reason="They have left", by=world.finance, at=AT)


FOR_TWO = (
    r"by_hand\.give\(|corrections\.(credit_weeks|enter|reverse)\(|opening\.post\(|two_agreed=True|\"two_agreed\": True"
)


@pytest.mark.sqlite
def test_what_needs_two_people_is_done_through_proposals_alone():
    apps = ("pantry", "careleavers", "referrals", "reviews", "stockport_hubs")
    sources = [path for app in apps for path in (ROOT / app).rglob("*.py")]
    assert [str(p.relative_to(ROOT)) for p in sources if re.search(FOR_TWO, p.read_text())] == [
        "pantry/services/proposals.py"
    ]


# -- what each does, to the penny --------------------------------------------------------------------------------------


def test_credited_weeks_go_to_the_pool_and_the_next_block_stays_where_it_was(world):
    world.collect(world.member, FIRST + timedelta(days=2))
    due = Membership.objects.get().next_due_on
    made = propose(world, Kind.CREDIT, weeks=["2026-06-15", "2026-06-22"])
    assert made.pence == 700
    assert ("Goes to the credit", "£7.00") in [tuple(fact) for fact in made.facts]
    approve(world, made)
    assert (pool(world), Membership.objects.get().next_due_on) == (700, due)
    now, before = (money.position(world.agreement, day) for day in (JULY, JULY - timedelta(days=1)))
    # 26 weeks: 1 collected, 12 over of which 2 credited, 14 to come (29 June runs).
    assert (now.collected_pence, now.missed_pence, now.to_come_pence, now.credited_pence) == (
        350,
        9 * 350,
        14 * 350,
        700,
    )
    assert (before.missed_pence, before.credited_pence, before.in_pool_pence) == (11 * 350, 0, 0)
    assert now.bought_pence == 9100 and journal.check(JULY) == []
    # again, another week of the same block; then the last weeks when they leave
    approve(world, propose(world, Kind.CREDIT, weeks=["2026-06-08"]))
    assert world.leave(world.member, JULY) == 13 * 350
    assert pool(world) == 3 * 350 + 13 * 350 and journal.check(JULY) == []


def test_no_week_is_credited_that_was_collected_runs_is_to_come_or_was_credited(world):
    world.collect(world.member, FIRST + timedelta(days=2))
    approve(world, propose(world, Kind.CREDIT, weeks=["2026-06-22"]))
    for week in ("2026-04-06", "2026-06-29", "2026-07-06", "2026-06-22", "2026-03-30"):
        assert "cannot be credited" in refusal(propose, world, Kind.CREDIT, weeks=[week])
    assert "at least one week" in refusal(propose, world, Kind.CREDIT, weeks=[])


def test_a_block_whose_last_week_is_credited_is_followed_as_before(world):
    late = FIRST + 26 * WEEK + timedelta(days=1)  # the Tuesday after its last week
    Membership.objects.update(stop_renewal=True)
    approve(world, propose(world, Kind.CREDIT, at=moment(late), weeks=["2026-09-28"]), at=moment(late))
    assert Membership.objects.get().next_due_on == date(2026, 9, 7)  # of the block from 5 October
    Membership.objects.update(stop_renewal=False)
    assert renewals.sweep(on=late, at=moment(late), job="test").renewed == 1
    assert world.member.blocks.get(block_no=2).starts_on == date(2026, 10, 5)
    assert journal.check(late) == []


def test_money_paid_back_leaves_less_paid_in_advance_and_nothing_drawn(world):
    approve(world, propose(world, Kind.ENTRY, **entry(world, pence=100_000)))
    found = money.position(world.agreement, JULY)
    # 7,575.00 − 1,000.00 paid; 101.00 drawn
    assert (found.paid_in_advance_pence, found.drawn_pence, found.left_pence) == (657_500, 10_100, 647_400)
    assert "£6,474.00 is left" in refusal(propose, world, Kind.ENTRY, **entry(world, pence=647_401))
    assert "has not come yet" in refusal(propose, world, Kind.ENTRY, **entry(world, on=JULY + timedelta(days=1)))
    assert "starts on 1 January 2020" in refusal(propose, world, Kind.ENTRY, **entry(world, on=date(2019, 12, 31)))
    assert journal.check(JULY) == []


def test_credit_becomes_money_paid_in_advance_as_far_as_there_is_credit(world):
    world.leave(world.member, date(2026, 6, 10))  # 16 × £3.50 = £56.00
    given = entry(world, "credit_to_advance", 5600)
    approve(world, propose(world, Kind.ENTRY, **given))
    found = money.position(world.agreement, JULY)
    assert (found.in_pool_pence, found.left_pence, found.drawn_pence) == (0, 757_500 - 10_100 + 5600, 10_100)
    assert "There is £0.00 of credit" in refusal(propose, world, Kind.ENTRY, **(given | {"pence": 1}))
    assert journal.check(JULY) == []


def test_a_wrong_payment_is_reversed_once_and_recorded_again(world):
    wrong = JournalEntry.objects.get(kind="payment")
    made = propose(world, Kind.REVERSAL, entry=str(wrong.pk))
    approve(world, made)
    assert money.position(world.agreement, JULY).paid_in_advance_pence == 0
    assert "reversed on 1 July 2026 already" in refusal(propose, world, Kind.REVERSAL, entry=str(wrong.pk))
    journal.pay_in_advance(agreement=world.agreement, pence=75_750, on=FIRST, invoice="INV-1", by=world.finance, at=AT)
    found = money.position(world.agreement, JULY)
    assert (found.paid_in_advance_pence, found.left_pence) == (75_750, 65_650)
    bought = JournalEntry.objects.get(kind="purchase")
    assert "credited instead" in refusal(propose, world, Kind.REVERSAL, entry=str(bought.pk))
    assert journal.check(JULY) == []


def test_an_entry_by_hand_is_reversed_unless_its_credit_has_been_spent(world):
    world.leave(world.member, date(2026, 6, 10))
    made = approve(world, propose(world, Kind.ENTRY, **entry(world, "credit_back", 5600)))
    by_hand = JournalEntry.objects.get(kind="by_hand")
    assert pool(world) == 0
    approve(world, propose(world, Kind.REVERSAL, entry=str(by_hand.pk)))
    assert (pool(world), made.pence) == (5600, 5600)
    assert journal.check(JULY) == []


def test_leaving_long_ago_credits_from_that_day_on(world):
    leave = {"what": "leave", "on": "2026-05-20", "reason": "left"}
    with pytest.raises(Refused, match="up to 28 days back. .* a second person agrees"):
        world_leave(world, date(2026, 5, 20))
    made = propose(world, Kind.BACK_DATED, **leave)
    assert made.pence == 19 * 350  # 7 of 26 weeks had begun by Wed 20 May
    approve(world, made)
    member = Membership.objects.get()
    assert (member.state, member.ended_on, pool(world)) == ("ended", date(2026, 5, 20), 6650)
    assert money.position(world.agreement, date(2026, 5, 20)).credited_pence == 6650
    assert journal.check(JULY) == []


def world_leave(world, on: date) -> int:
    return memberships.leave(membership=world.member, on=on, reason="left", by=world.pantry_manager, at=AT)


def test_a_pause_and_its_end_long_ago_move_the_weeks_at_their_price(world):
    approve(world, propose(world, Kind.BACK_DATED, what="pause", on="2026-05-20", reason="left"))
    parked = PaidWeek.objects.filter(state="parked")
    assert (Membership.objects.get().state, parked.count(), pool(world)) == ("paused", 19, 0)
    approve(world, propose(world, Kind.BACK_DATED, what="resume", on="2026-06-01", reason="left"))
    weeks = sorted(PaidWeek.objects.dated().filter(week__gt=date(2026, 5, 20)).values_list("week", flat=True))
    assert (weeks[0], weeks[-1], len(weeks)) == (date(2026, 6, 1), date(2026, 10, 5), 19)
    assert journal.check(JULY) == []


def test_no_day_is_entered_before_a_collection_or_the_joining_day_by_two_people_either(world):
    world.collect(world.member, date(2026, 5, 27))
    leave = {"what": "leave", "reason": "left"}
    assert "collected on 27 May 2026" in refusal(propose, world, Kind.BACK_DATED, on="2026-05-20", **leave)
    assert "joined on 2 April 2026" in refusal(propose, world, Kind.BACK_DATED, on="2026-04-01", **leave)


# -- pages -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def july():
    with time_machine.travel(AT, tick=False):
        yield


def pages(world) -> dict[str, tuple[str, dict, str]]:
    """Each page on which something is proposed: its address, an answer, and what the check page says in pence."""
    member, agreement = world.member.pk, world.agreement.pk
    paid = JournalEntry.objects.get(kind="payment").pk
    return {
        "goodwill": (reverse("pantry:member_goodwill", args=[member]), {"weeks": "2"}, "2 × £0.00 = £0.00"),
        "credit": (reverse("pantry:member_credit", args=[member]), {"weeks": ["2026-06-22"]}, "£3.50"),
        "back date": (
            reverse("pantry:member_back_date", args=[member]),
            {"what": "leave"} | posted_day("on", date(2026, 5, 20)),
            "£66.50",
        ),
        "entry": (
            reverse("pantry:entry_add", args=[agreement]),
            {"way": "advance_back", "pence": "100.00", "invoice": "CN-1"} | posted_day("on", JULY),
            "£100.00",
        ),
        "reversal": (reverse("pantry:entry_reverse", args=[paid]), {}, "£7,575.00"),
    }


@pytest.mark.sqlite
@pytest.mark.parametrize("page", ["goodwill", "credit", "back date", "entry", "reversal"])
def test_a_page_asks_shows_the_pence_and_proposes_and_the_second_person_approves(world, client, july, page):
    url, answer, pence = pages(world)[page]
    as_user(client, world.manager)
    assert client.get(url).status_code == 200
    assert "There is a problem" in text(client.post(url, answer | {"note": ""}))
    answer |= {"note": "The hall was shut"}
    before = rows()
    checked = text(client.post(url, answer))
    assert pence in checked and "until a second person has approved it" in checked
    assert (Proposal.objects.count(), rows()) == (0, before)
    assert client.post(url, answer | {"step": "change"}).status_code == 200
    done = client.post(url, answer | {"step": "confirm"})
    proposal = Proposal.objects.get()
    assert done.url == reverse("pantry:proposal", args=[proposal.pk]) and rows() == before
    assert "You can take it back" in text(client.get(done.url))
    as_user(client, world.finance)
    home = client.get("/").content.decode()
    assert f'href="{done.url}"' in home and "Waits for a second person" in home
    shown = client.get(done.url)
    assert pence in text(shown) and "The hall was shut" in text(shown)
    seen = shown.context["form"].initial["seen_pence"]
    assert "Enter why it is refused" in text(client.post(done.url, {"answer": "refuse"}))
    assert client.post(done.url, {"answer": "approve", "seen_pence": seen}).url == reverse("pantry:proposals")
    assert Proposal.objects.get().state == "approved" and rows() != before
    assert f"Approved by {world.finance.name}" in text(client.get(done.url))
    assert "Approved" in text(client.get(reverse("pantry:proposals"), {"show": "all"}))
    assert journal.check(JULY) == []


@pytest.mark.sqlite
def test_a_proposal_is_refused_with_a_reason_or_taken_back_on_its_page(world, client, july):
    first, second = propose(world, weeks=2), propose(world, weeks=3)
    page = reverse("pantry:proposal", args=[first.pk])
    as_user(client, world.finance)
    client.post(page, {"answer": "refuse", "reason": "They had 26 weeks"})
    assert "They had 26 weeks" in text(client.get(page))
    back = reverse("pantry:proposal_take_back", args=[second.pk])
    client.post(back)
    assert Proposal.objects.get(pk=second.pk).state == "waiting"
    as_user(client, world.manager)
    assert "Nothing has been done" in text(client.get(back))
    client.post(back)
    assert Proposal.objects.get(pk=second.pk).state == "taken_back"
    assert "Nothing waits" in text(client.get(reverse("pantry:proposals")))


@pytest.mark.sqlite
def test_what_cannot_be_approved_any_more_says_why_and_can_be_refused(world, client, july):
    made = propose(world, weeks=2)
    world.leave(world.member, JULY)
    as_user(client, world.finance)
    page = reverse("pantry:proposal", args=[made.pk])
    shown = client.get(page)
    assert "This cannot be approved as things stand" in text(shown) and 'value="approve"' not in shown.content.decode()
    client.post(page, {"answer": "refuse", "reason": "They have left"})
    assert Proposal.objects.get().state == "refused"


@pytest.mark.sqlite
def test_a_member_without_a_missed_week_has_none_to_credit(world, client):
    with time_machine.travel(moment(FIRST), tick=False):
        as_user(client, world.manager)
        done = client.get(reverse("pantry:member_credit", args=[world.member.pk]), follow=True)
    assert "no week that could be credited" in text(done)


@pytest.mark.sqlite
def test_the_lists_take_the_same_queries_at_1_and_3_rows(world, client, july, django_assert_num_queries):
    as_user(client, world.finance)
    propose(world, weeks=1)
    for more in (0, 2):
        for n in range(more):
            propose(world, weeks=5 + n)
        with django_assert_num_queries(8):
            client.get(reverse("pantry:proposals"))


@pytest.mark.sqlite
def test_every_move_has_its_sentence_on_the_members_page(world, client, july):
    approve(world, propose(world, weeks=2))
    approve(world, propose(world, Kind.CREDIT, weeks=["2026-06-22"]))
    approve(world, propose(world, Kind.BACK_DATED, what="pause", on="2026-05-20", reason="left"))
    approve(world, propose(world, Kind.BACK_DATED, what="resume", on="2026-06-01", reason="left"))
    world.leave(world.member, JULY)
    page = reverse("pantry:member", args=[world.member.pk])
    for user, reads in ((world.finance, True), (world.pantry_manager, False)):
        said = text(as_user(client, user).get(page))
        for sentence in (
            "Block 1 bought: £10.00 joining fee and 26 × £3.50 = £101.00, from the week of 6 April 2026.",
            "2 weeks given as goodwill for £0.00, from the week of 5 October 2026.",
            "£3.50 of block 1 went back as credit.",
            "Paused: weeks not yet begun wait, at their price. £0.00.",
            "Started again: the weeks that waited are dated, at their price. £0.00.",
        ):
            assert sentence in said, (user.role, sentence)
        agreed = f"Goodwill weeks, £0.00: proposed by {world.manager}, approved by {world.finance}."
        assert (agreed in said) is reads
