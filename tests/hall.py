"""A hall with an enrolled tablet and volunteers with PINs on Wednesday 8 April 2026, 10:42, and its own requests."""

import json
import uuid
from datetime import datetime

from django.test import Client

from pantry.models import Membership, Pantry, PantrySession, Tablet
from pantry.services import tablets, volunteers
from stockport_hubs.accounts.models import User
from tests.counter_scene import NOW, Counter

PIN = "202620"


class Device:
    """A tablet's browser: its cookie, and what its app sends."""

    def __init__(self, secret: str):
        self.client = Client(raise_request_exception=True)
        self.client.cookies["tablet"] = secret
        self.token = ""

    def get(self, path: str, **more):
        return self.client.get(f"/tablet/{path}", headers={"X-Tablet-Token": self.token, **more})

    def post(self, path: str, body: object):
        given = {"content_type": "application/json", "headers": {"X-Tablet-Token": self.token}}
        return self.client.post(f"/tablet/{path}", json.dumps(body), **given)

    def unlock(self, user: User, pin: str = PIN):
        response = self.post("unlock/", {"volunteer": str(user.pk), "pin": pin})
        if response.status_code == 200:
            self.token = response.json()["token"]
        return response

    def send(self, *entries: dict) -> list[dict]:
        response = self.post("entries/", {"entries": list(entries)})
        assert response.status_code == 200, response.content
        return response.json()["outcomes"]


class Hall(Counter):
    """Counter with one tablet and two volunteers called Kit and Lou who have no e-mail address and a PIN."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.tablet, self.device = self.enrol("Blue tablet")
        self.kit, self.lou = self.add("Kit"), self.add("Lou")

    def enrol(self, name: str, pantry: Pantry | None = None) -> tuple[Tablet, Device]:
        given = {"pantry": pantry or self.pantry, "by": self.pantry_manager, "at": NOW}
        tablet, secret = tablets.enrol(name=name, **given)
        return tablet, Device(secret)

    def add(self, called: str, pantry: Pantry | None = None, pin: str = PIN) -> User:
        """A volunteer whose PIN is set."""
        pantry = pantry or self.pantry
        user, code = volunteers.add(pantry=pantry, called=called, by=self.pantry_manager, at=NOW)
        tablet = Tablet.objects.filter(pantry=pantry).first() or self.enrol("A tablet", pantry)[0]
        volunteers.set_pin(tablet=tablet, user=user, code=code, pin=pin, at=NOW)
        return user

    def entry(self, kind: str = "collection", *, at: datetime = NOW, session: PantrySession | None = None, **body):
        """As the device saves it: with the token of whoever has unlocked it."""
        if isinstance(member := body.get("member"), Membership):
            body["member"] = str(member.pk)
        usual = {"number": None, "quantities": None, "fruit": True, "override": "", "paid": True}
        return {
            "key": str(uuid.uuid4()),
            "token": self.device.token,
            "kind": kind,
            "session": str((session or self.session).pk),
            "at": at.isoformat(),
            **(usual if kind == "collection" else {}),
            **body,
        }
