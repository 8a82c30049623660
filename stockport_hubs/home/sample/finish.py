"""The last touches of the sample pilot: what waits for someone today."""

from datetime import date, datetime, timedelta

from pantry.services import places, statements, tariffs
from referrals.services import closures
from reviews.models import Rung
from reviews.services import agenda, barriers, disagreements, meetings, yearly
from stockport_hubs.core.weeks import monday
from stockport_hubs.jobs.models import Job
from stockport_hubs.notifications.models import Message

WENT_WELL = "Introductions were answered within the week, and both sides had the pack before each meeting."
TO_CHANGE = "A session after college hours, and a shorter wait between agreeing and the first collection."


def finish(story, start: date, last: date, until: datetime) -> None:
    """A price to agree, a closure ahead, a barrier of a pantry and a disagreement about it, the next meeting with its
    agenda, the months' statements, and the last financial year looked back on if the pilot ran in it.
    No old mail goes out."""
    staff, first = story.staff, story.places[0]
    pantry_manager, manager = staff["pantry.manager"], staff["manager"]
    tariffs.propose_tariff(
        pantry=story.places[1],
        from_week=monday(last) + timedelta(weeks=5),
        weekly_pence=450,
        joining_pence=1000,
        by=pantry_manager,
        at=until,
    )
    places.announce_closure(
        pantry=story.places[2],
        from_on=last + timedelta(days=14),
        until_on=last + timedelta(days=20),
        reason="The hall is being painted",
        by=pantry_manager,
        at=until,
    )
    hours = barriers.raise_barrier(
        council=manager.organisation,
        care_leaver=None,
        pantry=first,
        category="hours",
        note="College days end after the session does.",
        owner=manager,
        due_on=last + timedelta(days=21),
        raised_on=last,
        by=manager,
        at=until,
    )
    day = monday(last) + timedelta(days=15)
    meeting = meetings.plan(
        agreement=story.agreement,
        starts_at=story.moment(day, 14),
        where="Meeting room (sample)",
        period_from=max(start, monday(last) - timedelta(weeks=26)),
        period_to=monday(last) - timedelta(days=1),
        by=manager,
        at=until,
    )
    for user in (manager, staff["advisor"], pantry_manager):
        meetings.invite(meeting=meeting, name=user.name, organisation=user.organisation, by=manager, at=until)
    meetings.set_rhythm(agreement=story.agreement, weeks=9, from_on=day, by=manager, at=until)
    disagreement = disagreements.open_one(
        agreement=story.agreement,
        about="Opening after college days end",
        council_position="Young people at college cannot come before five o’clock.",
        operator_position="There are not enough volunteers for an evening.",
        who=["advisor", "pantry_manager"],
        on=last,
        barrier=hours,
        by=manager,
        at=until,
    )
    disagreements.take_up(
        disagreement=disagreement,
        rung=Rung.TEAM_LEADERS,
        on=last,
        who=["team_leader", "options_leader"],
        outcome="One evening a month is tried first.",
        by=pantry_manager,
        at=until,
    )
    agenda.add(meeting=meeting, title="A second freezer", note="Who pays for it?", by=pantry_manager, at=until)
    agenda.fill(meeting=meeting, by=manager, at=until)
    statements.make(on=last, at=until)
    year_from = yearly.last_year(last)
    if start < date(year_from.year + 1, 4, 1):
        review = yearly.build(agreement=story.agreement, year_from=year_from, by=manager, at=until)()
        yearly.write(review=review, went_well=WENT_WELL, to_change=TO_CHANGE, by=manager, at=until)
    closures.sweep(at=until, job="referrals.closures")
    # What the story told people at the time is history: nobody gets it as mail today.
    Message.objects.filter(sent_at__isnull=True).update(claimed_at=until, sent_at=until)
    Job.objects.filter(kind="notifications.deliver").update(done_at=until, progress=100)
