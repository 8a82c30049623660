"""Two councils and two operators side by side: what one writes never reaches, or changes, what is the other's."""

from datetime import date, timedelta

import pytest
from django.urls import reverse

from careleavers.models import AdvisorAllocation, CareLeaver
from pantry.models import FundingAgreement, Tariff
from reviews.models import Barrier
from reviews.services import barriers
from stockport_hubs.accounts.models import Role
from stockport_hubs.core import clock, weeks
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def two():
    return factories.World(), factories.World()


def proposed(world) -> Tariff:
    return Tariff.objects.create(
        pantry=world.pantry,
        from_week=weeks.monday(clock.today()) + timedelta(weeks=4),
        weekly_pence=450,
        joining_pence=1000,
        proposed_by=world.pantry_manager,
        proposed_at=clock.now(),
    )


def test_a_price_is_agreed_by_a_council_that_pays_it(client, two):
    ours, others = two
    tariff = proposed(others)
    url = reverse("pantry:tariff_agree", args=[tariff.pk])
    client.force_login(ours.finance)
    assert client.get(url).status_code == 404
    assert client.post(url, {"answer": "agree"}).status_code == 404
    assert tariff not in client.get(reverse("pantry:tariffs")).context["waiting"].object_list
    client.force_login(others.finance)
    assert client.post(url, {"answer": "agree"}).status_code == 302
    tariff.refresh_from_db()
    assert tariff.agreed_by == others.finance


def test_the_first_price_of_an_operator_without_an_agreement_can_be_agreed(client, two):
    ours, others = two
    tariff = proposed(others)
    FundingAgreement.objects.filter(pk=others.agreement.pk).delete()
    client.force_login(ours.finance)
    assert client.get(reverse("pantry:tariff_agree", args=[tariff.pk])).status_code == 200


def test_a_barrier_is_about_a_pantry_of_an_operator_the_council_pays(client, two):
    ours, others = two
    client.force_login(ours.manager)
    url, today = reverse("reviews:barrier_add"), clock.today()
    given = {"council": ours.council.pk, "category": "hours", "note": "Words", "owner": ours.manager.pk}
    given |= {"raised_on_day": today.day, "raised_on_month": today.month, "raised_on_year": today.year}
    refused = client.post(url, given | {"pantry": others.pantry.pk})
    assert refused.status_code == 200 and "pantry" in refused.context["form"].errors
    assert others.pantry_manager.name not in client.get(url).content.decode()
    assert not Barrier.objects.exists()
    assert client.post(url, given | {"pantry": ours.pantry.pk}).status_code == 302


def test_whoever_recorded_a_barrier_sees_it_no_more_once_the_person_is_another_advisors(client, two):
    world, _ = two
    person = CareLeaver.objects.create(
        council=world.council,
        reference="R1",
        preferred_name="Kim",
        born_on=date(2004, 1, 1),
        eligibility="former_relevant",
        created_at=clock.now(),
    )
    given = AdvisorAllocation.objects.create(care_leaver=person, advisor=world.advisor, from_on=date(2024, 1, 1))
    barrier = barriers.raise_barrier(
        council=world.council,
        care_leaver=person,
        pantry=None,
        category="health",
        note="Private",
        owner=world.manager,
        due_on=None,
        raised_on=clock.today(),
        by=world.advisor,
        at=clock.now(),
    )
    client.force_login(world.advisor)
    url = reverse("reviews:barrier", args=[barrier.pk])
    assert client.get(url).status_code == 200
    AdvisorAllocation.objects.filter(pk=given.pk).update(advisor=factories.user(Role.PERSONAL_ADVISOR, world.council))
    assert client.get(url).status_code == 404
    assert "Kim" not in client.get(reverse("reviews:barriers")).content.decode()
