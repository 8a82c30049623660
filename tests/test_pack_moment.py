"""What is recorded while a pack is being counted is in the next edition and told there as entered since, once."""

import contextlib
from datetime import timedelta

import pytest

from pantry.models import Collection
from reviews.models import Audience
from reviews.services import packs
from stockport_hubs import pdf
from tests.pack_scene import as_html
from tests.review_scene import FIRST_WEEK, WEEK, Scene
from tests.test_renewals_race import at_once

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("is_one_moment", [True, False])
def test_what_is_recorded_while_a_pack_is_counted_is_entered_since_it(is_one_moment, monkeypatch):
    """Without the view of one moment, the control, the pack holds what the next one tells as entered since."""
    monkeypatch.setattr(pdf, "from_html", as_html)
    if not is_one_moment:
        monkeypatch.setattr(packs, "one_moment", contextlib.nullcontext)
    scene = Scene(6)

    def build(now):
        made = packs.build(meeting=scene.meeting, audience=Audience.LEAVING_CARE, by=scene.manager, now=now)()
        return made.figures

    def record() -> None:
        row = scene.collect(scene.members[5], FIRST_WEEK + 2 * WEEK + timedelta(days=2))
        Collection.objects.filter(pk=row.pk).update(recorded_at=scene.at + timedelta(seconds=1))

    def meanwhile():
        """The rows are fixed; somebody records one, on a connection of their own, and is not kept waiting."""
        assert at_once([record]) == [None]
        return scene.at

    first, second = build(meanwhile), build(lambda: scene.at + timedelta(days=1))
    came = [sum(week["came"] for week in each["weeks"]) for each in (first, second)]
    assert [each["kind"] for each in second["entered"]["entries"]] == ["collected"]
    assert (second["entered"]["came"] == came) == is_one_moment
    assert came[1] - came[0] == is_one_moment
