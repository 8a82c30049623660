"""Members brought in from a spreadsheet: an advisor or a manager says which young person each of them is."""

from datetime import date, datetime

import pytest
from django.db import transaction
from django.urls import reverse

from pantry.models import Membership, PrepaidBlock
from pantry.services import journal
from referrals.models import Referral
from referrals.services import cut_overs
from stockport_hubs.accounts.models import Role
from stockport_hubs.audit.models import AuditEvent
from stockport_hubs.core.errors import Refused
from tests import factories
from tests.factories import moment
from tests.test_introductions import THURSDAY, agree, person
from tests.test_opening import approve, csv, propose, read

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]  # pages: once
CUT_OVER = date(2026, 4, 6)
AT = moment(THURSDAY)


@pytest.fixture(autouse=True)
def clock(settings):
    settings.CLOCK = datetime(2026, 4, 9, 9, 0)  # noqa: DTZ001


class Scheme(factories.World):
    """Members 501 to 503, called R-1 to R-3 in the spreadsheet, 10 weeks left at £3.50 each."""

    def __init__(self, members: int = 3):
        super().__init__(hold_after_weeks_without_collection=0)
        rows = [
            [f"R-{n}", self.pantry.name, 500 + n, "05/01/2026", 10, 350, self.council.name]
            for n in range(1, members + 1)
        ]
        made = propose(self, read(csv(rows)), control=3500 * members, cut_over=CUT_OVER, at=AT)
        approve(self, made, at=AT)

    def member(self, n: int = 1) -> Membership:
        return Membership.objects.get(number=500 + n)

    def young(self, reference: str, name: str, **more):
        made = person(self, name=name, **more)
        made.reference = reference
        made.save(update_fields=["reference"])
        agree(self, made)
        return made

    def tie(self, who, n: int = 1, **more) -> Referral:
        return cut_overs.tie(**{"membership": self.member(n), "care_leaver": who, "by": self.advisor, "at": AT} | more)


@pytest.fixture
def world():
    return Scheme()


def test_a_member_who_was_cut_over_becomes_the_young_persons_and_nothing_is_bought(world):
    referral = world.tie(world.young("R-1", "Zebedee"))
    referral.refresh_from_db()
    member = world.member()
    assert (referral.state, referral.membership) == ("accepted", member)
    assert [move.state for move in referral.moves.all()] == ["draft", "sent", "accepted"]
    # the pantry knows what the agreement to share holds, and nothing else; funded until the day before 25
    assert member.preferred_name == "Zebedee"
    assert sorted(member.needs.values_list("kind", "value")) == [("allergen", "milk"), ("diet", "halal")]
    assert member.funded_until == date(2030, 5, 31)
    assert (PrepaidBlock.objects.count(), journal.check(THURSDAY)) == (3, [])
    assert list(cut_overs.untied(world.manager)) == [world.member(2), world.member(3)]


@pytest.mark.parametrize("what", ["no agreement to share", "tied before", "ended", "another council’s", "has a place"])
def test_what_cannot_be_tied_is_refused_and_nothing_is_written(world, what):
    who, given = world.young("R-1", "Zebedee"), {}
    if what == "no agreement to share":
        who = person(world, name="Yan")
        words = "Record the agreement to share first"
    elif what == "tied before":
        world.tie(world.young("R-2", "Yan"))
        words = "Somebody has said already who member 501 is."
    elif what == "ended":
        world.leave(world.member(), THURSDAY)
        words = "has ended meanwhile"
    elif what == "another council’s":
        other = factories.World()
        who = person(other, name="Yan")
        words = "another council’s"
    else:
        world.tie(who, 2)
        words = "already"
    before = Referral.objects.count()
    with pytest.raises(Refused, match=words), transaction.atomic():
        world.tie(who, **given)
    assert Referral.objects.count() == before


def test_an_advisor_ties_one_of_their_own_the_reference_chooses(world, client):
    mine, others = world.young("R-1", "Zebedee"), world.young("R-2", "Yan")
    other_advisor = factories.user(Role.PERSONAL_ADVISOR, world.council)
    others.allocations.update(advisor=other_advisor)
    client.force_login(world.advisor)
    page = client.get(reverse("referrals:list")).content.decode()
    assert "3 members brought in from a spreadsheet" in page
    page = client.get(reverse("referrals:cut_overs")).content.decode()
    assert "Number 503" in page and "R-1" in page and "R-2" not in page and "R-3" not in page
    address = reverse("referrals:cut_over_tie", args=[world.member().pk])
    page = client.get(address).content.decode()
    assert f'value="{mine.pk}" selected' in page and str(others.pk) not in page
    assert client.post(address, {"person": others.pk}).status_code == 200  # not among the choices
    answer = client.post(address, {"person": mine.pk, "why": ""}, follow=True)
    assert "Member 501 is Zebedee" in answer.content.decode()
    assert client.get(address).status_code == 404  # said already
    tied = AuditEvent.objects.get(verb="referrals.cut_over.tied")
    assert sorted(tied.subjects.values_list("subject_id", flat=True)) == sorted([world.member().pk, mine.pk])


def test_a_manager_sees_every_reference_and_searches_by_number(world, client):
    client.force_login(world.manager)
    page = client.get(reverse("referrals:cut_overs"), {"q": "502"}).content.decode()
    assert "R-2" in page and "R-1" not in page
    assert "No member without" in client.get(reverse("referrals:cut_overs"), {"q": "9"}).content.decode()


def test_whom_the_reference_names_is_offered_where_not_everybody_is(world, client, monkeypatch):
    others, named = world.young("R-7", "Abel"), world.young("R-1", "Zebedee")
    monkeypatch.setattr("referrals.views.cut_overs.CHOICES", 0)
    client.force_login(world.manager)
    page = client.get(reverse("referrals:cut_over_tie", args=[world.member().pk])).content.decode()
    assert f'value="{named.pk}" selected' in page and str(others.pk) not in page


def test_no_one_elses_members_and_no_one_elses_council(world, client):
    joined = world.join()  # introduced some other way
    other = factories.World()
    assert joined not in cut_overs.untied(world.manager)
    assert list(cut_overs.untied(other.manager)) == []
    client.force_login(other.manager)
    assert client.get(reverse("referrals:cut_over_tie", args=[world.member().pk])).status_code == 404
    for who in (world.pantry_manager, world.volunteer, world.finance):
        client.force_login(who)
        assert client.get(reverse("referrals:cut_overs")).status_code == 403


@pytest.mark.parametrize("members", [1, 3])
def test_the_list_asks_the_same_number_of_queries_however_long(members, client, django_assert_num_queries):
    world = Scheme(members)
    client.force_login(world.manager)
    client.get(reverse("referrals:cut_overs"))
    with django_assert_num_queries(QUERIES):
        assert client.get(reverse("referrals:cut_overs")).content.decode().count("Say who it is") == members


QUERIES = 10
