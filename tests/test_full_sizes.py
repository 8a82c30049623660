"""100,000 memberships of one agreement: a month's statement, the forecast, closing the month, and the renewal run."""

import resource
import time
from datetime import date, datetime

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from pantry.models import PrepaidBlock, Statement, StatementLine
from pantry.services import renewals, statements
from tests.due import DUE, make_due
from tests.factories import World, moment

pytestmark = [pytest.mark.postgres, pytest.mark.slow]
FEW, MANY = 1_000, 100_000
MAY = date(2026, 5, 1)
APART = 2  # times: the last tenth of a run may take against the first; other work on the machine is in it
FLAT = 64 * 2**20  # bytes a run may grow by after its first tenth


def pages(client, world, statement) -> dict[str, tuple[int, float]]:
    """Queries and seconds of each page about the agreement's money, asked once before."""
    addresses = {
        "statement": reverse("pantry:statement", args=[statement.pk]),
        "agreeing": reverse("pantry:statement_agree", args=[statement.pk]),
        "forecast": reverse("pantry:forecast", args=[world.agreement.pk]),
        "year-end": reverse("pantry:year_end", args=[world.agreement.pk]),
    }
    found = {}
    for name, address in addresses.items():
        assert client.get(address, follow=True).status_code == 200
        began = time.perf_counter()
        with CaptureQueriesContext(connection) as asked:
            client.get(address, follow=True)
        found[name] = (len(asked), time.perf_counter() - began)
    return found


@pytest.mark.promise("FS")
@pytest.mark.django_db(transaction=True)
def test_100_000_memberships_ask_no_more_than_1_000_and_are_renewed_in_even_time(client, settings, figures):
    settings.CLOCK = datetime(2026, 5, 1, 9, 0)  # noqa: DTZ001
    world, said = World(hold_after_weeks_without_collection=0), []
    client.force_login(world.finance)
    make_due(world, FEW)
    statements.make(on=MAY, at=moment(MAY))
    statement = Statement.objects.get()
    few = pages(client, world, statement)
    make_due(world, MANY - FEW)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    many = pages(client, world, statement)
    assert {name: asked for name, (asked, _) in many.items()} == {name: asked for name, (asked, _) in few.items()}
    said += [f"{name} {asked} queries, {few[name][1]:.2f} and {took:.2f} s" for name, (asked, took) in many.items()]
    # the month is closed: a line for each member, to the penny
    began = time.perf_counter()
    statements.agree(statement=statement, by=world.pantry_manager, at=moment(MAY))
    assert statements.agree(statement=statement, by=world.finance, at=moment(MAY))
    said.append(f"closed in {time.perf_counter() - began:.0f} s")
    assert StatementLine.objects.filter(statement=statement).count() == MANY
    statement.refresh_from_db()
    assert (statement.closing.bought_pence, statement.closing.joining_pence) == (9100 * MANY, 1000 * MANY)
    # and the next blocks: as fast at the end as at the beginning, and no more memory
    times, sizes = [time.perf_counter()], []

    def report(some) -> None:
        nonlocal done
        done += len(some)
        if done >= (len(sizes) + 1) * MANY // 10:
            times.append(time.perf_counter())
            sizes.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)

    done = 0
    assert renewals.sweep(on=DUE, at=moment(DUE), job="proof", report=report).renewed == MANY
    assert PrepaidBlock.objects.filter(block_no=2).count() == MANY
    tenths = [later - earlier for earlier, later in zip(times, times[1:], strict=False)]
    assert tenths[-1] <= APART * tenths[0], tenths
    assert sizes[-1] - sizes[0] <= FLAT, sizes
    said.append(
        f"renewed in {times[-1] - times[0]:.0f} s, tenths of {tenths[0]:.1f} to {tenths[-1]:.1f} s, "
        f"{(sizes[-1] - sizes[0]) / 2**20:.0f} MB more"
    )
    figures(f"{MANY:,} memberships: {'; '.join(said)}")
