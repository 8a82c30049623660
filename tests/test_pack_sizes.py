"""Packs of many members with the longest names: printed, or refused in words."""

import resource

import pytest

from reviews.models import Audience
from reviews.services import packs
from stockport_hubs.core.errors import Refused
from tests.review_scene import Scene

pytestmark = [pytest.mark.django_db, pytest.mark.prints, pytest.mark.sqlite]


def seconds() -> float:
    """Of the processor, used by this process and the printing ones that have ended: a busy machine changes nothing."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


def grown(frozen: dict, members: int) -> dict:
    """The same pack with so many members of the longest names, and a barrier for every fifth."""
    long = "Wolfeschlegelsteinhausenbergerdorff " * 9
    grid = [frozen["grid"][0] | {"number": n, "name": long[:121]} for n in range(members)]
    row = frozen["barriers"]["rows"][0] | {"about": long[:121], "owner": long[:120], "actions": [long[:300]]}
    return frozen | {"grid": grid, "barriers": frozen["barriers"] | {"rows": [row] * (members // 5)}}


@pytest.mark.promise("PK")
def test_a_pack_of_many_members_with_the_longest_names_is_printed_or_refused_in_words(sized, figures):
    """All the lists that grow, at once; the grid beyond 200 members is left to the files."""
    scene, many = Scene(12), sized(205, 2000)
    scene.trouble()
    frozen = grown(packs.freeze(scene.meeting, Audience.LEAVING_CARE, made_by="M" * 120, at=scene.at), many)
    before = seconds()
    try:
        said = f"{len(packs.to_pdf(frozen)) // 1024} KiB"
    except Refused as refusal:
        said = str(refusal)
        assert "too big to print" in said or "took too long" in said
    figures(f"{many} members, {many // 5} barriers: {said}, {seconds() - before:.0f} s")
