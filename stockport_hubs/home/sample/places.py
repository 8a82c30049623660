"""Pantries, hours, prices and the agreement of the sample pilot. All invented."""

from datetime import date, datetime, time, timedelta

from pantry.models import FundingAgreement, Pantry
from pantry.services import funding, journal, places, tariffs
from stockport_hubs.home.sample.hall import numbers

PILOT = 75  # young people for whom the places below are enough
# Name, address, allowance, bands, capacity, [(weekday, opens, closes)]. The first one opens every day.
PANTRIES = [
    ("Penny Lane (sample)", "1 Invented Row, Stockport", 10, [], 60, [(day, time(10), time(16)) for day in range(7)]),
    ("Brinnington (sample)", "2 Invented Row, Stockport", 10, [], 40, [(2, time(10), time(13))]),
    ("Bridgehall (sample)", "3 Invented Row, Stockport", 10, [("Red", 2), ("Blue", 8)], 40, [(3, time(10), time(12))]),
    ("Mottram Street (sample)", "4 Invented Row, Stockport", 10, [], 35, [(0, time(13), time(15))]),
    ("Woodley (sample)", "5 Invented Row, Stockport", 10, [], None, [(4, time(9, 30), time(11, 30))]),
]
WEEKLY_PENCE, JOINING_PENCE = 350, 1000


def make_pantries(staff: dict, start: date, count: int, at: datetime) -> list[Pantry]:
    """The five pantries with room for so many young people, hours, agreed prices and their volunteers."""
    manager, finance = staff["pantry.manager"], staff["finance"]
    volunteers = ["volunteer", "volunteer2", "volunteer3", "volunteer4", "volunteer5"]
    since = start - timedelta(weeks=52)
    made: list[Pantry] = []
    for (name, address, allowance, bands, capacity, hours), volunteer in zip(PANTRIES, volunteers, strict=True):
        pantry = places.create_pantry(
            operator=manager.organisation,
            name=name,
            address=address,
            postcode="ZZ99 3WZ",  # a postcode that exists nowhere
            how_to_find="Through the main door and along to the hall.",
            catchment="Within walking distance (sample)",
            allowance=allowance,
            capacity=capacity and capacity * max(1, -(-count // PILOT)),
            bands=bands,
            by=manager,
            at=at,
        )
        for weekday, opens, closes in hours:
            places.set_hours(
                pantry=pantry, weekday=weekday, opens=opens, closes=closes, from_on=since, by=manager, at=at
            )
        tariff = tariffs.propose_tariff(
            pantry=pantry,
            from_week=since - timedelta(days=since.weekday()),
            weekly_pence=WEEKLY_PENCE,
            joining_pence=JOINING_PENCE,
            by=manager,
            at=at,
        )
        tariffs.agree_tariff(tariff=tariff, by=finance, at=at)
        numbers(pantry, len(made), manager, at)
        places.attach_volunteer(pantry=pantry, user=staff[volunteer], from_on=since, by=manager, at=at)
        made.append(pantry)
    return made


def make_agreement(staff: dict, start: date, count: int, at: datetime) -> FundingAgreement:
    """The pilot's agreement, with places for everyone paid in advance: £101.00 each."""
    agreement = funding.create_agreement(
        funder=staff["manager"].organisation,
        operator=staff["pantry.manager"].organisation,
        name="Pantry places pilot (sample)",
        starts_on=start - timedelta(days=14),
        hold_after_weeks_without_collection=6,
        renews_automatically=True,
        budget_pence=2 * 10_100 * count,
        by=staff["manager"],
        at=at,
    )
    if count:
        journal.pay_in_advance(
            agreement=agreement,
            pence=10_100 * count,
            on=start - timedelta(days=13),
            purchase_order="PO-SAMPLE-1",
            invoice="INV-SAMPLE-1",
            cost_code="SAMPLE-CC",
            by=staff["finance"],
            at=at,
        )
    return agreement
