"""The sample pilot's tablet: who records on it, and one thing it could not record."""

import secrets
from datetime import datetime

from pantry.models import VolunteerPin
from pantry.services import entries, tablets, volunteers
from stockport_hubs.home.context import SAMPLE_PIN


def make_tablet(story, at: datetime) -> None:
    """A tablet of the first pantry that nobody has the cookie of: whoever tries the sample sets up their own. The
    sample's PIN works for everybody who records there."""
    pantry, manager = story.places[0], story.staff["pantry.manager"]
    given = {"pantry": pantry, "by": manager, "at": at}
    tablet, _ = tablets.enrol(name="Blue tablet", **given)
    users = [story.staff["volunteer"], *(volunteers.add(called=called, **given)[0] for called in ("Kim", "Ola"))]
    for user in users:
        made = {"pin_hash": volunteers.hash_of(user, SAMPLE_PIN), "salt": secrets.token_hex(16)}
        VolunteerPin.objects.update_or_create(
            user=user, defaults=made | {"code_hash": "", "code_until": None, "changed_at": at}
        )
    token = volunteers.token_for(users[1], tablet, at=at)
    if not token.sessions:
        return
    sent = {
        "key": str(story.key()),
        "token": token.sign(),
        "kind": "collection",
        "session": str(token.sessions[0]),
        "at": at.isoformat(),
        "number": 99_999,
        "quantities": None,
    }
    entries.receive(tablet=tablet, entries=[sent], sent_by=users[2], at=at)
