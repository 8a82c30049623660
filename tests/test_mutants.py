"""Faults in the access rules are noticed: a sample here, every one of them in `make proof ONLY=A2`."""

import hashlib
import json
import re
import subprocess
import sys

import pytest

from tests.processes import ROOT, environment

pytestmark = [pytest.mark.promise("A2")]
URL = "tests/test_url_table.py::test_a_url_for_every_role_with_own_and_other_objects"
# One of each kind, and the tests among which one notices it.
SAMPLE = [
    "careleavers/models/people.py CareLeaverQuerySet.for_user: answer 2 is everything",
    "pantry/models/memberships.py MembershipQuerySet.for_user: answer 2 is everything",
    "referrals/views/doors.py mine: forgets scope 1",
    "pantry/forms/members.py MemberForm.__init__: choice 1 among all rows",
    "careleavers/views/people.py person_edit: open to every role",
    "reviews/audience.py suppress: if count < 0}",
]
NOTICE = [
    *(
        f"{URL}[{name}]"
        for name in ("careleavers:edit", "pantry:member_end", "referrals:withdraw", "pantry:member_add")
    ),
    "tests/test_figures.py::test_small_counts_and_those_they_follow_from_are_hidden",
]
# What no test can notice, because nothing else changes than that another guard does the work; with the guard.
EQUIVALENT: dict[str, str] = {}
ELSEWHERE = "walk story real_input compose race jobs.py pdf charts weeks money_vectors guards look structure mutants"


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
    outcome = tried(record, "-m", "not browser and not postgres and not slow", *asked)
    survived = sorted(name for name, by in outcome.items() if by == "survived")
    unexplained = [name for name in survived if name not in EQUIVALENT]
    caught = len(outcome) - len(survived)
    for name in survived:
        print(f"survived: {name}: {EQUIVALENT.get(name, 'NOT EXPLAINED')}", flush=True)
    figures(f"{len(outcome)} mutants, {caught} caught ({caught / len(outcome):.1%}), {len(unexplained)} unexplained")
    assert len(outcome) >= 50
    assert len(unexplained) <= len(outcome) * 0.05, unexplained
