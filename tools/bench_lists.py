"""Every list page at tens of thousands of people against the same list at 75, for `make bench ONLY="lists"`.

`PEOPLE=5000` looks quicker. A list is asked for on its first page, on its last, and with a search. Jobs and e-mails of
the sample pilot are of its last day, so three of each for every person are written here.
"""

import http.client
import os
import time
from collections.abc import Iterator
from typing import NamedTuple
from urllib.parse import urlsplit

import psycopg

PEOPLE, FEW = int(os.environ.get("PEOPLE", "50000")), 75
TURNS, WARM_UP = 15, 3
FIRST, DEEP = "", "page=-1"  # the last page, whatever its number
BY_NAME, BY_OTHER_NAME, BY_NUMBER, BY_REFERENCE = "q=Robin", "q=Ember", "q=12", "q=SAMPLE-0012"
BY_PART = "q=ar"

PAGED = [FIRST, DEEP]
LISTS = [  # account, address, what is asked of it
    ("manager", "/people/", [*PAGED, BY_NAME, BY_REFERENCE, BY_PART]),
    ("advisor", "/people/", [*PAGED, BY_NAME]),
    ("manager", "/people/cohort/", [*PAGED, BY_NAME]),
    ("manager", "/people/cohort/tick/", [FIRST, BY_NAME]),
    ("manager", "/people/caseloads/", [*PAGED, "q=advisor"]),
    ("manager", "/introductions/", [*PAGED, BY_NAME]),
    ("pantry.manager", "/introductions/", [*PAGED, BY_NAME]),
    ("manager", "/introductions/links/", [*PAGED, BY_OTHER_NAME]),
    ("manager", "/introductions/volunteering/", [*PAGED, BY_OTHER_NAME]),
    ("manager", "/people/", ["show=wellbeing"]),
    ("advisor", "/introductions/start/", [*PAGED, BY_NAME]),
    ("pantry.manager", "/pantry/members/", [*PAGED, BY_NAME, BY_NUMBER, "state="]),
    ("finance", "/pantry/members/", [*PAGED, BY_NUMBER]),
    ("manager", "/pantry/pauses/", PAGED),
    ("pantry.manager", "/pantry/visitors/", PAGED),
    ("pantry.manager", "/pantry/pantries/", [*PAGED, "q=samp"]),
    ("finance", "/pantry/tariffs/", PAGED),
    ("manager", "/pantry/renewals/", [*PAGED, BY_NUMBER, "show=all", f"show=all&{DEEP}"]),
    ("manager", "/pantry/agreements/{agreement}/blocks/", [*PAGED, BY_NUMBER]),
    ("manager", "/pantry/agreements/{agreement}/journal/", [*PAGED, "kind=credit"]),
    ("manager", "/reviews/", PAGED),
    ("manager", "/reviews/barriers/", [*PAGED, "show=closed"]),
    ("manager", "/reviews/figures/joined/", PAGED),
    ("admin", "/users/", [*PAGED, "q=advisor"]),
    ("manager", "/audit/", [FIRST, "q=SAMPLE-0012", "who=advisor"]),
    ("admin", "/jobs/", ["state=done", f"state=done&{DEEP}"]),
    ("admin", "/messages/", ["state=sent", f"state=sent&{DEEP}"]),
]
# The home of one advisor with so many young people, against one with few.
CASELOAD, CASELOAD_FEW = 4_000, 40
CASELOADS = [("advisor", "/", [*PAGED, "q=Inventon"])]  # a surname that some of forty have
HAND_OVER = """UPDATE careleavers_advisorallocation SET advisor_id = (SELECT id FROM accounts_user WHERE
    email = 'advisor@example.org') WHERE until_on IS NULL AND care_leaver_id IN
    (SELECT id FROM careleavers_careleaver ORDER BY reference LIMIT %s)"""
GIVE_AWAY = """UPDATE careleavers_advisorallocation SET advisor_id = (SELECT id FROM accounts_user WHERE
    email = 'advisor2@example.org') WHERE until_on IS NULL AND care_leaver_id NOT IN
    (SELECT id FROM careleavers_careleaver ORDER BY reference LIMIT %s)"""
# What counts everybody: the home, the figures, who is behind a number that Python works out week by week.
FIGURES = ["/", "/reviews/figures/", "/reviews/figures/lapsed/", "/reviews/figures/regular/"]
OF_THE_DAY = [
    """INSERT INTO jobs_job (id, kind, key, ids, created_at, due_at, attempts, progress, progress_note, done_at, error)
    SELECT gen_random_uuid(), 'pantry.renewals', 'bench ' || n, '{}', now() - n * interval '1 minute', now(), 1, 100,
    '', now(), '' FROM generate_series(1, %s) AS n""",
    """INSERT INTO notifications_message (id, kind, key, to_id, ids, created_at, claimed_at, sent_at, refused_because)
    SELECT gen_random_uuid(), (SELECT min(kind) FROM notifications_message), 'bench ' || n,
    (SELECT id FROM accounts_user WHERE email = 'manager@example.org'), '{}', now() - n * interval '1 minute', now(),
    now(), '' FROM generate_series(1, %s) AS n""",
    "VACUUM ANALYZE",  # as the server does by itself within minutes
]


class Asked(NamedTuple):
    """One answer: milliseconds, queries, rows of its list."""

    took: float
    queries: int
    rows: int


class Compared(NamedTuple):
    """A list at many people and at few: the quickest answers, queries, rows; `alike`: with as many rows on both."""

    name: str
    many: Asked
    few: Asked
    alike: Asked


class Site:
    """A sample pilot being served, entered as any of its accounts."""

    def __init__(self, url: str, database_url: str, people: int) -> None:
        self.connection = http.client.HTTPConnection(urlsplit(url).netloc)
        self.cookies: dict[str, str] = {}
        with psycopg.connect(database_url.replace("postgres://", "postgresql://"), autocommit=True) as line:
            for statement in OF_THE_DAY:
                line.execute(statement.encode(), [3 * people] if "%s" in statement else None)
            row = line.execute("SELECT id FROM pantry_fundingagreement").fetchone()
            assert row
            self.agreement = row[0]

    def ask(self, account: str, path: str, most_rows: int = 0) -> Asked:
        """One page; of at most so many rows, if it is said how many."""
        if account not in self.cookies:
            self.connection.request("POST", f"/floor/enter/{account}/")
            response = self.connection.getresponse()
            response.read()
            given = response.headers.get_all("Set-Cookie") or []
            self.cookies[account] = "; ".join(cookie.partition(";")[0] for cookie in given)
        headers = {"Cookie": self.cookies[account], "X-Most-Rows": str(most_rows)}
        began = time.perf_counter()
        self.connection.request("GET", path.format(agreement=self.agreement), headers=headers)
        response = self.connection.getresponse()
        response.read()
        took = (time.perf_counter() - began) * 1000
        assert response.status == 200, (path, response.status, response.headers.get("Location"))
        return Asked(took, int(response.headers["X-Queries"]), int(response.headers["X-Rows"]))


def hold(database_url: str, people: int) -> None:
    """Let advisor@ have exactly so many young people."""
    with psycopg.connect(database_url.replace("postgres://", "postgresql://"), autocommit=True) as line:
        for statement in (HAND_OVER, GIVE_AWAY):
            line.execute(statement.encode(), [people])


def compare(many: Site, few: Site, only: str = "", lists: list = LISTS) -> Iterator[Compared]:
    """Every list asked of both in turns: the quickest of each, for whatever else the machine does only adds to it."""
    for account, path, wanted in lists:
        for query in wanted:
            name = f"{account} {path.replace('{agreement}', '*')}{query and '?'}{query}"
            if only and only not in name:
                continue
            address = f"{path}?{query}"
            rows = few.ask(account, address).rows
            turns = [
                (many.ask(account, address), few.ask(account, address), many.ask(account, address, rows))
                for _ in range(WARM_UP + TURNS)
            ][WARM_UP:]
            yield Compared(name, *(min(answers) for answers in zip(*turns, strict=True)))
