"""From the manager's home to a finished pack, counted; and packs of many members, of the longest names, of nothing."""

import resource

import pytest
from django.test import Client
from django.urls import reverse

from reviews.models import Audience, ReviewPack
from reviews.services import packs
from stockport_hubs.core.errors import Refused
from stockport_hubs.jobs import services as jobs
from tests.review_scene import TODAY, Scene

pytestmark = [pytest.mark.django_db, pytest.mark.sqlite]


def seconds() -> float:
    """Of the processor, used by this process and the printing ones that have ended: a busy machine changes nothing."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


@pytest.mark.promise("PK")
def test_three_clicks_and_ten_seconds_lead_from_the_managers_home_to_a_pack(sized, figures, time_machine):
    scene = Scene(sized(12, 75))
    scene.trouble()
    time_machine.move_to(scene.at)
    client, clicks = Client(), 0
    client.force_login(scene.manager)
    meeting = reverse("reviews:meeting", args=[scene.meeting.pk])
    assert f'href="{meeting}"' in client.get(reverse("home")).content.decode()
    clicks += 1
    button = reverse("reviews:pack_build", args=[scene.meeting.pk])
    assert f'action="{button}"' in client.get(meeting).content.decode()
    clicks += 1
    before = seconds()
    progress = client.post(button).url  # it refreshes by itself, and leads back when the packs are there
    jobs.pump()
    page = client.get(progress, follow=True)
    assert page.redirect_chain[-1][0] == f"{meeting}#packs"
    used = seconds() - before
    pack = ReviewPack.objects.get(audience=Audience.LEAVING_CARE)
    file = reverse("reviews:pack_pdf", args=[pack.pk])
    assert f'href="{file}"' in page.content.decode()
    clicks += 1
    assert client.get(file).content.startswith(b"%PDF-")
    figures(f"{clicks} clicks; {used:.1f} s of the processor for all three packs of {len(scene.people)} people")
    assert (clicks, used <= 10) == (3, True)
    assert scene.at.date() == TODAY


@pytest.mark.promise("PK")
def test_a_pack_of_many_members_with_the_longest_names_is_printed_or_refused_in_words(sized, figures):
    """All the lists that grow, at once; the grid beyond 200 members is left to the files."""
    scene, many = Scene(12), sized(205, 2000)
    scene.trouble()
    frozen = packs.freeze(scene.meeting, Audience.LEAVING_CARE, made_by="M" * 120, at=scene.at)
    long = "Wolfeschlegelsteinhausenbergerdorff " * 9
    frozen["grid"] = [frozen["grid"][0] | {"number": n, "name": long[:121]} for n in range(many)]
    row = frozen["barriers"]["rows"][0] | {"about": long[:121], "owner": long[:120], "actions": [long[:300]]}
    frozen["barriers"]["rows"] = [row] * (many // 5)
    before = seconds()
    try:
        said = f"{len(packs.to_pdf(frozen)) // 1024} KiB"
    except Refused as refusal:
        said = str(refusal)
        assert "too big to print" in said or "took too long" in said
    figures(f"{many} members, {many // 5} barriers: {said}, {seconds() - before:.0f} s")
