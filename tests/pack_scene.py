"""Editions for tests of packs: without printing where the paper is not what a test is about."""

from django.test import Client
from django.urls import reverse

from reviews.models import Audience, ReviewPack
from reviews.services import packs
from tests.review_scene import Scene

BOTH = [Audience.LEAVING_CARE, Audience.STOCKPORT_HOMES]
ALL = [*BOTH, Audience.CORPORATE_PARENTS]


def as_html(html: str, **limits) -> bytes:
    """Stands in for the printing process, which takes seconds: the file is what would be printed, so that two editions
    that say something else still differ."""
    return b"%PDF-" + html.encode()


def make(scene: Scene, audience: str) -> ReviewPack:
    """The next edition, by the manager."""
    return packs.build(meeting=scene.meeting, audience=audience, by=scene.manager, now=lambda: scene.at)()


def unprinted(scene: Scene, audience: str) -> ReviewPack:
    """The same with a stand-in for the file, which nobody looks at."""
    frozen = packs.freeze(scene.meeting, audience, made_by="Someone", at=scene.at)
    more = {"edition": frozen["edition"], "as_at": scene.at, "made_by": scene.manager, "pdf": b"%PDF-", "sha256": "0"}
    return ReviewPack.objects.create(meeting=scene.meeting, audience=audience, figures=frozen, **more)


def signed_in(user) -> Client:
    """A visitor's client."""
    client = Client()
    client.force_login(user)
    return client


def get(user, name: str, pack: ReviewPack):
    """What that page or file of a pack answers them."""
    return signed_in(user).get(reverse(f"reviews:{name}", args=[pack.pk]))
