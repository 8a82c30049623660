"""The weekly e-mail to advisors: who needs something, by initials alone; on Mondays, once, and only when there is
something to say."""

from datetime import date, datetime, time, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.urls import reverse

from careleavers.models import CareLeaver
from referrals import caseload
from referrals.models import DigestOff
from stockport_hubs.accounts.models import Role, User
from stockport_hubs.audit import services as audit
from stockport_hubs.core import clock
from stockport_hubs.core.weeks import LONDON, monday, spoken
from stockport_hubs.notifications import services as notifications

KIND = "referrals.digest"
FROM, UNTIL = time(7), timedelta(days=4)  # London time on Mondays; when nothing ran by then, until Friday
AT_MOST = 200  # people looked at; nobody looks after more


def due_at(week: date) -> datetime:
    """When the e-mail of a week is written, in London."""
    return datetime.combine(week, FROM, LONDON)


@transaction.atomic
def sweep(*, at: datetime) -> int:
    """Write the week's messages once its time has come. Whether there is something to say is asked when they go."""
    week = monday(at.astimezone(LONDON).date())
    if not due_at(week) <= at < due_at(week) + UNTIL:
        return 0
    off = DigestOff.objects.filter(user=OuterRef("pk"))
    advisors = User.objects.filter(~Exists(off), role=Role.PERSONAL_ADVISOR, is_active=True, joined_at__lt=due_at(week))
    written = 0
    for user in advisors.order_by("pk"):
        message = notifications.send(
            KIND, to=user, key=f"{KIND}:{week}:{user.pk}", ids={"week": week.isoformat()}, at=at
        )
        written += message.created_at == at
    return written


def lines(user: User, on: date) -> list[str]:
    """A line for each young person who needs something: initials and what, the most urgent first."""
    found = [
        row
        for row in caseload.rows(caseload.people(user, on)[:AT_MOST], on)
        if any(flag.code not in caseload.QUIET for flag in row.flags)
    ]
    found.sort(key=lambda row: row.urgency)
    return [f"{initials(row.person)}: {_needs(row)}" for row in found]


def _needs(row: caseload.Row) -> str:
    """Beside initials a birthday would be a date of birth: the e-mail does not say the day."""
    said = [(flag.code, flag.text) for flag in row.flags if flag.code not in caseload.QUIET]
    return "; ".join("Turns 25 soon" if code == "turns_25" else text for code, text in said)


def initials(person: CareLeaver) -> str:
    """ "A. Q."; of somebody without a name yet nothing but that."""
    parts = [name[0].upper() for name in (person.preferred_name, person.surname) if name]
    return " ".join(f"{part}." for part in parts) or "Somebody without a name yet"


def text(found: list[str]) -> str:
    """The whole e-mail."""
    many = "1 young person needs" if len(found) == 1 else f"{len(found)} young people need"
    said = "\n".join(f"- {line}" for line in found)
    home, switch = (f"{settings.SITE_URL}{reverse(name)}" for name in ("home", "referrals:digest"))
    return (
        f"{many} something from you this week.\n\n{said}\n\n"
        f"Sign in to see who they are, and what to do next:\n{home}\n\n"
        f"This comes on Mondays, when there is something to say. Switch it off here:\n{switch}\n"
    )


@transaction.atomic
def switch(*, on: bool, by: User, at: datetime) -> None:
    """Whether this person gets it from now on."""
    if on:
        DigestOff.objects.filter(user=by).delete()
    else:
        DigestOff.objects.get_or_create(user=by, defaults={"off_at": at})
    audit.record("referrals.digest.switched", at=at, by=by, detail={"on": on})


def is_on(user: User) -> bool:
    return not DigestOff.objects.filter(user=user).exists()


def _render(ids: dict, to: User) -> tuple[str, str]:
    return f"Your young people, week of {spoken(date.fromisoformat(ids['week']))}", text(lines(to, clock.today()))


def _may_send(ids: dict, to: User) -> str | None:
    on = clock.today()
    if to.role != Role.PERSONAL_ADVISOR:
        return "They are not a personal advisor any more."
    if not is_on(to):
        return "They have switched it off."
    if monday(on).isoformat() != ids["week"]:
        return "The week is over."
    mine = CareLeaver.objects.for_user(to, on).order_by()
    list(mine.select_for_update(of=("self",)).values_list("pk", flat=True))  # a death recorded meanwhile is waited for
    return None if lines(to, on) else "There was nothing to say."


def register() -> None:
    """Make the kind known; called once at start."""
    notifications.kind(KIND, render=_render, may_send=_may_send, label="The week’s summary for an advisor")
