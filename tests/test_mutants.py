"""Faults in the access rules are noticed: a sample here, every one of them in `make proof ONLY=A2`."""

import hashlib
import json
import re
import subprocess
import sys

import pytest

from tests.processes import ROOT, environment

pytestmark = [pytest.mark.crawls, pytest.mark.promise("A2")]
URL = "tests/test_url_table.py::test_a_url_for_every_role_with_own_and_other_objects"
# One of each kind, and the tests among which one notices it.
SAMPLE = [
    "careleavers/models/people.py CareLeaverQuerySet.for_user: answer 2 is everything",
    "pantry/models/memberships.py MembershipQuerySet.for_user: answer 2 is everything",
    "referrals/views/doors.py mine: forgets scope 1",
    "pantry/forms/members.py MemberForm.__init__: choice 1 among all rows",
    "careleavers/views/people.py person_edit: open to every role",
    "reviews/suppression.py shown: if True or all(is_safe(",
]
NOTICE = [
    *(
        f"{URL}[{name}]"
        for name in ("careleavers:edit", "pantry:member_end", "referrals:withdraw", "pantry:member_add")
    ),
    "tests/test_small_numbers.py::test_small_counts_and_those_they_follow_from_are_hidden",
]
# What no test can notice, because nothing else changes than that another guard does the work; with that guard.
OF_ONES_OWN = "the rows are asked for of an object that was fetched from its own scope just before"
EQUIVALENT: dict[str, str] = dict.fromkeys(
    (
        "careleavers/views/allocations.py cover_end: forgets scope 1",
        "careleavers/views/wellbeing.py _current: forgets scope 1",
        "careleavers/views/wellbeing.py history: forgets scope 1",
        "pantry/views/agreements.py agreement: forgets scope 1",
        "pantry/views/agreements.py agreement_blocks: forgets scope 1",
        "pantry/views/agreements.py agreement_journal: forgets scope 1",
        "pantry/views/agreements.py agreement_journal: forgets scope 2",
        "pantry/views/agreements.py agreement_journal: forgets scope 3",
        "pantry/views/agreements.py agreement_journal: forgets scope 4",
        "pantry/views/cards.py _valid: forgets scope 1",
        "pantry/views/cards.py card: forgets scope 1",
        "pantry/views/cards.py card: forgets scope 2",
        "pantry/views/cards.py card_pdf: forgets scope 1",
        "pantry/views/cards.py cards: forgets scope 2",
        "pantry/views/members.py member: forgets scope 1",
        "pantry/views/running.py notes: forgets scope 2",
        "pantry/views/sessions.py _just_recorded: forgets scope 1",
        "pantry/views/sheets.py _sheet: forgets scope 1",
        "pantry/views/sheets.py pantry_sheets: forgets scope 2",
        "pantry/views/statements.py statement_line: forgets scope 1",
        "pantry/views/tablets.py _volunteer: forgets scope 2",
        "pantry/views/tablets.py pantry_tablets: forgets scope 2",
        "pantry/views/tablets.py pantry_tablets: forgets scope 3",
        "pantry/views/visitors.py visitor_add: forgets scope 1",
        "referrals/templatetags/referrals_panels.py referral_panel: forgets scope 1",
        "referrals/templatetags/referrals_panels.py walk_in_panel: forgets scope 1",
        "referrals/views/agreements.py withdraw: forgets scope 1",
        "referrals/views/agreements.py withdraw: forgets scope 2",
        "referrals/views/drafts.py start: forgets scope 2",
        "referrals/views/worries.py _people: forgets scope 1",
        "referrals/views/worries.py worried: forgets scope 1",
        "referrals/templatetags/referrals_panels.py community_panel: forgets scope 1",
        "reviews/templatetags/reviews_panels.py barrier_panel: forgets scope 1",
        "reviews/printing.py together: forgets scope 1",
        "reviews/views/agenda.py rows: forgets scope 1",
        "reviews/views/agenda.py rows: forgets scope 2",
        "reviews/views/minutes.py minutes: forgets scope 1",
        "reviews/views/minutes.py minutes_pdf: forgets scope 1",
        "reviews/views/packs.py pack: forgets scope 1",
    ),
    OF_ONES_OWN,
) | {
    "careleavers/services/uploads.py receive: forgets scope 1": "only what the same person has uploaded is cancelled",
    "careleavers/views/openings.py open_record: forgets scope 1": "running: the reader's own openings alone",
    "careleavers/views/openings.py opened: forgets scope 1": "running: the reader's own openings alone",
    "pantry/services/running.py turns_of: forgets scope 1": "a volunteer's own turns alone",
    "pantry/views/members.py members: forgets scope 2": "only pantries of the members that are listed",
    "pantry/views/running.py rota: forgets scope 2": "DutyForm offers volunteers of the pantry only",
    "pantry/views/tablets.py _volunteer: forgets scope 1": "the volunteer is looked for among the reader's own",
    "referrals/digest.py _may_send: forgets scope 1": "these rows are locked; the lines have their own scope",
    "referrals/entry_kinds.py told: forgets scope 1": "services.tell refuses what is not on offer at the pantry",
    "referrals/views/helpers.py helpers: forgets scope 2": "searches among helpers of the reader's own scope",
    "pantry/views/places.py _pantry: forgets scope 2": "VolunteerForm offers volunteers of the pantry's operator only",
    "pantry/views/places.py staff_attach: forgets scope 1": "VolunteerForm and the page it falls back to are scoped",
    "pantry/views/places.py staff_attach: forgets scope 2": "VolunteerForm offers volunteers of the operator only",
    "referrals/views/catchments.py catchments: forgets scope 2": "names of people the line above found in one's scope",
    "referrals/views/directory.py edit: forgets scope 1": "kept_by: entries of the reader's own organisation",
    "referrals/views/directory.py retire: forgets scope 1": "kept_by: entries of the reader's own organisation",
    "referrals/views/hall.py tell: forgets scope 1": "services.tell refuses what is not on offer at the pantry",
    "referrals/pantries.py choices: forgets scope 1": "asked by council roles alone, who choose among all pantries",
    "reviews/forms/figures.py FiguresForm.__init__: forgets scope 2": "only operators of agreements one sees are kept",
    "reviews/models/minutes.py MinutesQuerySet.for_user: everything for everyone": "asked of a meeting one sees alone",
    "reviews/models/packs.py ReviewPackQuerySet.for_user: filter 4 without audience": (
        "services.choose gives advisors and finance officers nothing else"
    ),
    "reviews/models/packs.py PackRecipientQuerySet.for_user: filter 2 without pack__in": (
        "colleagues are given packs of their own organisation's meetings alone"
    ),
    "reviews/services/packs.py latest: forgets scope 1": "the newest are asked for in one's scope, two lines below",
    "reviews/services/packs.py latest: forgets scope 2": "their keys were found in one's scope, two lines above",
    "reviews/views/agenda.py _of_people: forgets scope 1": "the council's own barriers, and its manager sees them all",
    "stockport_hubs/home/sample/hall.py in_the_hall: forgets scope 1": "the sample pilot has one directory",
    "stockport_hubs/home/set_up.py open_invitations: forgets scope 1": "administrators look after every account",
    "stockport_hubs/home/trail.py _events: forgets scope 1": "the young people asked for are the reader's (_asked)",
    "stockport_hubs/home/trail.py _people: forgets scope 1": "_subjects holds young people of the reader's only",
    "stockport_hubs/home/trail.py _members: forgets scope 1": "_subjects holds members the reader may know of only",
    "stockport_hubs/administration/forms.py Placed.__init__: choice 1 among all rows": "administrators alone choose",
    "stockport_hubs/administration/views/accounts.py organisations: forgets scope 1": "administrators see them all",
}
# Files that look at sources, at other processes, or at none of the access rules: a fault in here is nothing to them.
ELSEWHERE = """test_walk.py story real_input compose race chaos test_jobs.py jobs_off restore guessing production zones
charts test_pdf test_weeks sample_copies seals money_vectors guards look structure mutants"""


def tried(record, *arguments: str, **more: str) -> dict[str, str]:
    """What became of each mutant: the test that caught it, or "survived". On SQLite, whatever this run is about."""
    env = environment(f"sqlite:///{record.parent / 'unused.sqlite3'}", **more)
    command = [sys.executable, "-m", "pytest", "-p", "tests.mutants", f"--mutants={record}", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert record.exists() and not re.search("INTERNALERROR|^ERROR", done.stdout), done.stdout[-3000:] + done.stderr
    return json.loads(record.read_text())["mutants"]


@pytest.mark.sqlite
def test_a_mutant_of_each_kind_is_caught(tmp_path, databases):
    env = {"MIGRATED": databases.fresh()}
    outcome = tried(tmp_path / "mutants.json", f"--mutants-named={'|'.join(SAMPLE)}", *NOTICE, **env)
    assert sorted(outcome) == sorted(SAMPLE)
    assert [name for name, by in outcome.items() if by == "survived"] == []


@pytest.mark.slow
def test_95_of_100_mutants_of_the_access_rules_are_caught(figures):
    """All of them on all tests without browser, kept in build/ as long as no source or test changes: it can go on."""
    files = sorted((ROOT / "tests").glob("test_*.py"))
    code = b"".join(path.read_bytes() for path in sorted(ROOT.glob("[a-z]*/**/*.py")) if ".venv" not in path.parts)
    record = ROOT / "build" / f"mutants-{hashlib.sha256(code).hexdigest()[:12]}.json"
    record.parent.mkdir(exist_ok=True)
    asked = [str(path.relative_to(ROOT)) for path in files if not any(word in path.name for word in ELSEWHERE.split())]
    outcome = tried(record, "-m", "not browser and not slow", *asked)
    survived = sorted(name for name, by in outcome.items() if by == "survived")
    unexplained = [name for name in survived if name not in EQUIVALENT]
    caught, noticeable = len(outcome) - len(survived), len(outcome) - len(set(survived) & set(EQUIVALENT))
    for name in survived:
        print(f"survived: {name}: {EQUIVALENT.get(name, 'NOT EXPLAINED')}", flush=True)
    figures(
        f"{len(outcome)} mutants, {caught} caught, {len(survived)} survived, {len(unexplained)} of them unexplained: "
        f"{caught / noticeable:.1%} of what changes anything"
    )
    assert len(outcome) >= 50
    assert [name for name in EQUIVALENT if outcome.get(name) != "survived"] == []  # an explanation of nothing
    assert unexplained == []
    assert caught >= noticeable * 0.95
