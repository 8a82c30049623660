"""What a tablet is told: its state before anybody has unlocked it, and a session's list once somebody has.

Built from roster.Row, which holds the volunteer whitelist of rules.md and nothing else.
"""

import hashlib
import json
from datetime import date, datetime
from uuid import UUID

from pantry import roster
from pantry.models import Collection, PantrySession, Tablet, VolunteerPin
from pantry.services import cards, envelopes, offered, running, tablets, volunteers
from stockport_hubs.accounts.models import User
from stockport_hubs.core import weeks

LOCK_AFTER_S, KEEP_H = 120, 12


def state(tablet: Tablet, *, at: datetime) -> dict:
    """No member in it: names of volunteers, the day's sessions, the pantry's limits."""
    pantry, on = tablet.pantry, weeks.london_date(at)
    users = volunteers.working_at(pantry, on)
    called = volunteers.names(users)
    has_pin = set(VolunteerPin.objects.filter(user__in=users).exclude(pin_hash="").values_list("user_id", flat=True))
    return {
        "tablet": {"id": tablet.pk, "name": tablet.name, "pantry": pantry.name},
        "volunteers": [{"id": u.pk, "called": called[u.pk], "has_pin": u.pk in has_pin} for u in users],
        "address": envelopes.address(),
        "now": at.isoformat(),
        "sessions": [
            {
                "id": each.session.pk,
                "pantry": pantry.name,
                "on": each.session.on,
                "opens": f"{each.session.opens:%H:%M}",
                "closes": f"{each.session.closes:%H:%M}",
                "when": each.when,
            }
            for each in tablets.openings(pantry, at=at)
        ],
        "settings": {
            "allowance": pantry.allowance,
            "bands": [{"id": band.pk, "name": band.name, "items": band.items} for band in pantry.bands.all()],
            "lock_after_s": LOCK_AFTER_S,
            "keep_h": KEEP_H,
        }
        | offered.settings(pantry, on),
    }


def session_of(tablet: Tablet, key: UUID, *, today: date) -> PantrySession | None:
    """A session whose list the tablet may be given: of today, or to come, to be ready for it."""
    return PantrySession.objects.filter(pantry=tablet.pantry, on__gte=today, pk=key).select_related("pantry").first()


def day(session: PantrySession, *, by: User, today: date) -> dict:
    """What whose PIN is open is told of a session: its list, the notes for volunteers, who of them is down for it."""
    return {
        "members": members(session, by=by, today=today),
        "notes": running.notes_for(session),
        "down": running.called_down_for(session),
    }


def members(session: PantrySession, *, by: User, today: date) -> list[dict]:
    """The session's list, then who may come from other pantries, by number alone; in a fixed number of queries."""
    here = [roster.Facts(*each) for each in roster.listed(session).values_list(*roster.FACTS)]
    rows = [(row, True) for row in roster.rows(session, here, by=by, today=today)]
    rows += [(row, False) for row in roster.elsewhere(session, by=by, today=today)]
    taken = [row.collected.id for row, _ in rows if row.collected]
    keys = dict(Collection.objects.filter(pk__in=taken, session=session).order_by().values_list("pk", "key"))
    known = cards.on_lists(row.id for row, _ in rows)
    return [_member(row, is_here, keys) | {"card": known.get(row.id, "")} for row, is_here in rows]


def _member(row: roster.Row, is_here: bool, keys: dict) -> dict:
    taken = row.collected
    return {
        "id": row.id,
        "number": row.number,
        "called": row.called,
        "may_shop": row.may_shop,
        "words": row.words,
        "to_pay": row.to_pay_pence,
        "left": row.left,
        "allowance": row.allowance,
        "needs": row.needs,
        "interpreter": row.interpreter,
        "no_cooking": row.no_cooking,
        "first_visit": row.is_first_visit,
        "collected": taken and {"words": taken.words, "taken": taken.taken, "key": keys.get(taken.id)},
        "here": is_here,
    }


def version(found: dict) -> str:
    """Another one for another day()."""
    return hashlib.sha256(json.dumps(found, default=str).encode()).hexdigest()[:16]
