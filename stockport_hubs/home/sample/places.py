"""Pantries, hours, prices and the agreement of the sample pilot. All invented."""

from datetime import date, datetime, time, timedelta

from pantry.models import FundingAgreement, Pantry
from pantry.services import funding, journal, places, tariffs
from stockport_hubs.home.sample.hall import numbers

PILOT = 75  # young people for whom the places below are enough
DAILY = [(day, time(10), time(16)) for day in range(7)]
# Name, address, postcode, allowance, bands, capacity, [(weekday, opens, closes)]. The first one opens every day.
PANTRIES = [
    ("Penny Lane (sample)", "1 Invented Row, Stockport", "SK4 1HZ", 10, [], 60, DAILY),
    ("Brinnington (sample)", "2 Invented Row, Stockport", "SK5 8LS", 10, [], 40, [(2, time(10), time(13))]),
    (
        "Bridgehall (sample)",
        "3 Invented Row, Stockport",
        "SK3 8HJ",
        10,
        [("Red", 2), ("Blue", 8)],
        40,
        [(3, time(10), time(12))],
    ),
    ("Mottram Street (sample)", "4 Invented Row, Stockport", "SK1 3PB", 10, [], 35, [(0, time(13), time(15))]),
    ("Woodley (sample)", "5 Invented Row, Stockport", "SK6 1BH", 10, [], None, [(4, time(9, 30), time(11, 30))]),
]
# Postcodes of the invented young people, by the pantry they go to: the town’s own, so that distances mean something.
HOMES = [
    ("SK4 1LD", "SK4 2HY", "SK4 2JP", "SK5 7BD"),
    ("SK5 8BE", "SK5 7LS", "SK5 8LQ", "SK5 6UE"),
    ("SK3 8HH", "SK3 9LT", "SK3 8ND", "SK2 6LZ"),
    ("SK1 3PD", "SK1 2HF", "SK1 3HT", "SK2 5RP"),
    ("SK6 1BD", "SK6 2BR", "SK6 1HN", "SK6 2PJ"),
]
OVER_THE_BORDER = "M19 2PE"
WEEKLY_PENCE, JOINING_PENCE = 350, 1000


def home_of(index: int, pantry: int) -> str:
    """The postcode of the young person with that number: a few have none, a few live over the border."""
    if index % 19 == 7:
        return ""
    return OVER_THE_BORDER if index % 23 == 11 else HOMES[pantry][index % len(HOMES[pantry])]


def make_pantries(staff: dict, start: date, count: int, at: datetime) -> list[Pantry]:
    """The five pantries with room for so many young people, hours, agreed prices and their volunteers."""
    manager, finance = staff["pantry.manager"], staff["finance"]
    volunteers = ["volunteer", "volunteer2", "volunteer3", "volunteer4", "volunteer5"]
    since = start - timedelta(weeks=52)
    made: list[Pantry] = []
    for (name, address, postcode, allowance, bands, capacity, hours), volunteer in zip(
        PANTRIES, volunteers, strict=True
    ):
        pantry = places.create_pantry(
            operator=manager.organisation,
            name=name,
            address=address,
            postcode=postcode,
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
