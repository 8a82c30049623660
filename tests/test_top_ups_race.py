"""A price agreed by two at once, or beside another deed on the same weeks: every week is topped up once."""

import contextlib
import threading
from datetime import date
from functools import partial

import pytest
from django.db import IntegrityError

from pantry.models import EarlierPrice, Tariff, TopUp
from pantry.services import journal, paid_weeks, tariffs, top_ups
from stockport_hubs.core.errors import Refused
from tests import factories
from tests.factories import World, moment
from tests.test_renewals_race import at_once
from tests.test_top_ups import AGREED, agree, proposed

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


def world() -> World:
    return World(tops_up_price_rises=True, renews_automatically=False)


@pytest.mark.parametrize("kept_by", ["locks", "the unique key alone", "nothing"])
def test_a_price_agreed_by_two_at_once_tops_up_once(kept_by, monkeypatch):
    """Both are held up between reading the weeks and paying. The last is the control: paid twice, and named."""
    w = world()
    w.join()
    tariff = proposed(w)
    together, pay = threading.Barrier(2), top_ups._check_can_pay

    def pay_together(*given):
        with contextlib.suppress(threading.BrokenBarrierError):
            together.wait(1)
        return pay(*given)

    if kept_by != "locks":
        monkeypatch.setattr(tariffs, "_waiting", lambda each: Tariff.objects.select_related("pantry").get(pk=each.pk))
        monkeypatch.setattr(paid_weeks, "lock", lambda pantry, on: [])
        # The funds have a lock of their own: both read before it.
        rises = top_ups.rises
        monkeypatch.setattr(top_ups, "rises", lambda *given: (rises(*given), pay_together([], None, None))[0])
    else:
        monkeypatch.setattr(top_ups, "_check_can_pay", pay_together)
    if kept_by == "nothing":
        insert = partial(EarlierPrice.objects.bulk_create, ignore_conflicts=True)
        monkeypatch.setattr(EarlierPrice.objects, "bulk_create", insert)
    answers = at_once([lambda: agree(w, tariff)] * 2)
    first, second = sorted(answers, key=lambda each: isinstance(each, Exception))
    assert isinstance(first, Tariff)
    if kept_by == "nothing":
        assert isinstance(second, Tariff)
        assert TopUp.objects.count() == 2
        assert any("raised weeks £0.00, £13.00 by the top-up" in problem for problem in journal.check(AGREED))
        return
    assert type(second) is {"locks": Refused}.get(kept_by, IntegrityError)
    assert TopUp.objects.get().pence == 1300
    assert journal.check(AGREED) == []


def test_two_prices_of_a_pantry_agreed_at_once_are_agreed_one_after_the_other():
    w = world()
    member = w.join()
    lower, higher = proposed(w, 400), proposed(w, 450, from_week=date(2026, 8, 3))
    assert all(isinstance(each, Tariff) for each in at_once([lambda: agree(w, lower), lambda: agree(w, higher)]))
    found = list(member.paid_weeks.order_by("week").values_list("pence", flat=True))
    assert found == 13 * [350] + 4 * [400] + 9 * [450]
    assert journal.check(AGREED) == []


def test_leaving_while_a_price_is_agreed_credits_what_was_paid():
    w = world()
    member = w.join()
    tariff = proposed(w)
    credited, _ = at_once([lambda: w.leave(member, AGREED), lambda: agree(w, tariff)])
    assert credited == 21 * 350 + sum(TopUp.objects.values_list("pence", flat=True))
    assert journal.check(AGREED) == []


def test_joining_while_a_price_is_agreed_costs_the_same_before_it_and_after_it():
    w = world()
    tariff = proposed(w)
    more = {"pantry": w.pantry, "preferred_name": "Ash", "agreement": w.agreement}
    member, _ = at_once(
        [
            lambda: factories.memberships.join(by=w.pantry_manager, at=moment(AGREED), **more),
            lambda: agree(w, tariff),
        ]
    )
    assert list(member.paid_weeks.order_by("week").values_list("pence", flat=True)) == 9 * [350] + 17 * [450]
    assert TopUp.objects.get().pence == 1700
    assert journal.check(AGREED) == []
