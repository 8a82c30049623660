"""Processes that share a list of tests run each of them once, whoever comes first."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.sharing import Stretches

pytestmark = pytest.mark.sqlite


def listed(*names: str) -> list:
    """Tests by name, such as "b2": the second of module b."""
    return [SimpleNamespace(path=name[0], nodeid=name) for name in names]


NAMES = ["a1", "a2", "b1", "c1", "c2", "a3"]


def test_each_test_is_run_by_one_of_them_and_a_modules_stretch_by_the_same(tmp_path: Path):
    lists = [listed(*NAMES), listed(*NAMES)]
    both = [Stretches(str(tmp_path), "sqlite", items) for items in lists]
    ran: list[list[str]] = [[], []]
    for n in range(len(NAMES)):
        for who in (0, 1) if n % 2 else (1, 0):
            if both[who].here(lists[who][n]):
                ran[who].append(NAMES[n])
    assert sorted(ran[0] + ran[1]) == sorted(NAMES)
    assert ran == [["c1", "c2", "a3"], ["a1", "a2", "b1"]] or ran == [["c1", "c2"], ["a1", "a2", "b1", "a3"]]


def test_another_list_in_the_same_folder_is_not_taken(tmp_path: Path):
    for among in ("sqlite", "postgres"):
        [test] = listed("a1")
        assert Stretches(str(tmp_path), among, [test]).here(test)
