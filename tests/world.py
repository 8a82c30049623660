"""Two complete schemes side by side, made through the services: whatever a URL can name exists once as own, once as
another's. Used by the URL table and by whoever needs "someone else's"."""

import functools
import uuid
from datetime import date, datetime, time, timedelta

from careleavers.questions import PREFER_NOT, QUESTIONS
from careleavers.services import (
    allocations,
    caseloads,
    cohort,
    letters,
    openings,
    people,
    sharing,
    uploads,
    wellbeing,
)
from pantry import opening as pantry_opening
from pantry.models import Membership, PrintedSheet, RenewalDecision, SheetRow, Statement, TabletEntry
from pantry.services import (
    away,
    calls,
    cards,
    collections,
    funding,
    journal,
    memberships,
    places,
    proposals,
    running,
    sessions,
    tablets,
    tariffs,
    visitors,
    volunteers,
)
from pantry.services import (
    entries as tablet_entries,
)
from referrals import services as referrals
from referrals.models import PrintedName
from referrals.services import directory, helpers, links, told, volunteering, walk_ins, worries
from reviews.models import PackRecipient, ReviewPack
from reviews.services import agenda, barriers, disagreements, meetings, taps, yearly
from reviews.services import packs as review_packs
from stockport_hubs import pdf
from stockport_hubs.accounts.models import Organisation, Role, User
from stockport_hubs.core import clock
from stockport_hubs.core.weeks import monday
from stockport_hubs.jobs import services as jobs
from stockport_hubs.notifications import services as notifications

PASSWORD = "correct-horse-battery"


@functools.cache
def small_pdf() -> bytes:
    """A document of a heading, printed as packs are."""
    return pdf.from_html(
        "<!DOCTYPE html><html lang='en-GB'><head><title>A pack</title></head><body><h1>A pack</h1></body></html>"
    )


def make_user(role: str, organisation: Organisation, nick: str, at: datetime) -> User:
    """A joined account `role.nick@example.org`."""
    user = User(
        email=f"{role}.{nick}@example.org".lower(),
        name=f"{Role(role).label} {nick}",
        role=role,
        organisation=organisation,
        is_active=True,
        invited_at=at,
        joined_at=at,
    )
    user.set_password(PASSWORD)
    user.save()
    return user


def make_scheme(nick: str, at: datetime | None = None) -> dict:
    """Everything of one council and one operator, by the kind of object."""
    at = at or clock.now()
    today = at.astimezone().date()
    week = monday(today)
    then = at - timedelta(weeks=3)
    council = Organisation.objects.create(name=f"Council {nick}", kind=Organisation.Kind.COUNCIL)
    operator = Organisation.objects.create(name=f"Operator {nick}", kind=Organisation.Kind.OPERATOR)
    users = {
        role: make_user(
            role,
            operator if role in (Role.PANTRY_VOLUNTEER, Role.PANTRY_MANAGER) else council,
            nick,
            then,
        )
        for role in Role
    }
    advisor, manager = users[Role.PERSONAL_ADVISOR], users[Role.LEAVING_CARE_MANAGER]
    pantry_manager, finance = users[Role.PANTRY_MANAGER], users[Role.FINANCE_OFFICER]
    volunteer = users[Role.PANTRY_VOLUNTEER]

    pantry = places.create_pantry(
        operator=operator, name=f"Pantry {nick}", address="1 Hall Lane", by=pantry_manager, at=then
    )
    for weekday in range(7):
        hours = places.set_hours(
            pantry=pantry,
            weekday=weekday,
            opens=time(0, 1),
            closes=time(23, 59),
            from_on=week - timedelta(weeks=60),
            by=pantry_manager,
            at=then,
        )
    pantry = places.edit_pantry(pantry=pantry, closes_on_bank_holidays=False, by=pantry_manager, at=then)
    tariff = tariffs.propose_tariff(
        pantry=pantry,
        from_week=week - timedelta(weeks=60),
        weekly_pence=350,
        joining_pence=1000,
        by=pantry_manager,
        at=then,
    )
    tariffs.agree_tariff(tariff=tariff, by=finance, at=then)
    proposed = tariffs.propose_tariff(
        pantry=pantry,
        from_week=week + timedelta(weeks=4),
        weekly_pence=450,
        joining_pence=1000,
        by=pantry_manager,
        at=at,
    )
    staff = places.attach_volunteer(
        pantry=pantry, user=volunteer, from_on=today - timedelta(weeks=3), by=pantry_manager, at=then
    )
    closure = places.announce_closure(
        pantry=pantry,
        from_on=today + timedelta(days=30),
        until_on=today + timedelta(days=31),
        reason="Hall in use",
        by=pantry_manager,
        at=at,
    )
    agreement = funding.create_agreement(
        funder=council,
        operator=operator,
        name=f"Places {nick}",
        starts_on=week - timedelta(weeks=10),
        by=manager,
        at=then,
    )
    payment = journal.pay_in_advance(
        agreement=agreement, pence=100_000, on=today, purchase_order="1", invoice="2", cost_code="3", by=finance, at=at
    )

    colleague = make_user(Role.PERSONAL_ADVISOR, council, f"{nick}-colleague", then)

    def person(reference: str, name: str, advisor=advisor):
        care_leaver = people.add(
            council=council,
            by=manager,
            at=then,
            reference=reference,
            preferred_name=name,
            surname=f"Surname{nick}",
            born_on=date(today.year - 20, 1, 15),
            eligibility="former_relevant",
            address=f"9 Secret Way {nick}",
            postcode="ZZ99 3WZ",
        )
        allocations.allocate(
            care_leaver=care_leaver, advisor=advisor, on=today - timedelta(weeks=3), by=manager, at=then
        )
        cohort.tick(care_leavers=[care_leaver], on=today - timedelta(weeks=3), by=manager, at=then)
        return care_leaver

    def introduction(care_leaver, moment, advisor=advisor):
        share = sharing.record_agreement(
            care_leaver=care_leaver,
            wording_version="1",
            privacy_notice_on=moment.date(),
            given_on=moment.date(),
            how_given="in_person",
            share_name=True,
            items=[("allergen", "milk")],
            taken_by=advisor,
            at=moment,
        )
        return referrals.draft(
            care_leaver=care_leaver,
            by=advisor,
            at=moment,
            sharing=share,
            pantry=pantry,
            agreement=agreement,
            why=f"Private reason {nick}",
        )

    fresh = person(f"{nick}-1", "Ash")
    drafting, waiting, member = person(f"{nick}-2", "Bay"), person(f"{nick}-3", "Coral"), person(f"{nick}-4", "Dale")
    draft = introduction(drafting, then)
    sent = introduction(waiting, then)
    referrals.send(referral=sent, by=advisor, at=then)
    accepted = introduction(member, then)
    referrals.send(referral=accepted, by=advisor, at=then)
    membership = referrals.accept(referral=accepted, by=pantry_manager, at=then)
    accepted.refresh_from_db()
    neighbour = memberships.join(
        pantry=pantry,
        preferred_name="Nell",
        needs=[],
        agreement=None,
        first_week=None,
        funded_until=None,
        previous=None,
        by=pantry_manager,
        at=then,
    )
    session = sessions.for_day(pantry=pantry, on=today)[0]
    collection = collections.record(
        session=session,
        membership=membership,
        key=uuid.uuid4(),
        quantities=None,
        fruit_and_veg=True,
        by=volunteer,
        collected_at=at,
        at=at,
    )
    visitor = visitors.record(session=session, key=uuid.uuid4(), called="Vi", by=volunteer, at=at)
    month = Statement.objects.create(agreement=agreement, pantry=pantry, month=today.replace(day=1), made_at=at)
    tablet, _ = tablets.enrol(pantry=pantry, name="Tablet", by=pantry_manager, at=at)
    saved = {"key": str(uuid.uuid4()), "kind": "visitor", "session": str(session.pk), "called": "x" * 61}
    saved["token"] = volunteers.token_for(volunteer, tablet, at=at).sign()
    tablet_entries.receive(tablet=tablet, entries=[saved], sent_by=None, at=at)
    card = cards.make(membership=membership, by=pantry_manager, at=at)
    note = running.write_note(
        pantry=pantry, text="Freezer is full", from_on=today, until_on=None, by=pantry_manager, at=at
    )
    duty = running.put_down(pantry=pantry, on=today, opens=time(0, 1), user=volunteer, by=pantry_manager, at=at)
    sheet = PrintedSheet.objects.create(session=session, printed_at=at, printed_by=pantry_manager)
    SheetRow.objects.create(sheet=sheet, position=1, membership=membership)
    proposal = proposals.propose(
        kind="goodwill",
        agreement=agreement,
        membership=membership,
        details={"weeks": 1},
        note="The hall was shut",
        by=manager,
        at=at,
    )
    decision = RenewalDecision.objects.create(
        membership=membership,
        member_number=membership.number,
        block_no=2,
        due_on=today,
        starts_on=week + timedelta(weeks=26),
        outcome="held",
        reasons=["flagged"],
        decided_at=at,
    )
    names = ((5, "Ember"), (6, "Fern"), (7, "Gale"), (8, "Heath"))
    theirs = [person(f"{nick}-{n}", name, colleague) for n, name in names]
    their_draft, their_sent, their_accepted = (introduction(each, then, colleague) for each in theirs[1:])
    for each in (their_sent, their_accepted):
        referrals.send(referral=each, by=colleague, at=then)
    theirs_in = referrals.accept(referral=their_accepted, by=pantry_manager, at=then)
    printed = PrintedName.objects.create(membership=theirs_in, hidden_at=at)
    turned_up = memberships.add_pending(pantry=pantry, preferred_name="Wren", by=pantry_manager, at=then)
    walk_in = walk_ins.show(membership=turned_up, council=council, they_agree=True, by=pantry_manager, at=at)
    [line] = pantry_opening.read(
        f"Reference,Pantry,Number,Joined on,Weeks left,Pence per week,Funder\n"
        f"R-9,{pantry.name},900,{week:%d/%m/%Y},2,350,{council.name}".encode()
    )
    opened = {"cut_over": week.isoformat(), "control_pence": 700, "rows": [line.kept()]}
    proposed_opening = proposals.propose(
        kind="opening", agreement=agreement, details=opened, note="Cut-over", by=manager, at=at
    )
    proposals.approve(proposal=proposed_opening, seen_pence=700, by=finance, at=at)
    brought = Membership.objects.get(operator=operator, number=900)
    cover = allocations.give_cover(
        care_leaver=fresh,
        advisor=make_user(Role.PERSONAL_ADVISOR, council, f"{nick}-cover", then),
        from_on=today,
        until_on=today + timedelta(days=7),
        by=manager,
        at=at,
    )
    letter, their_letter = (
        letters.queue(
            "referrals.how_are_you",
            care_leaver=whose,
            key=f"table:{by.pk}",
            ids={"referral": str(each.pk)},
            at=at,
            by=by,
        )
        for whose, each, by in ((member, accepted, advisor), (theirs[3], their_accepted, colleague))
    )
    opening = openings.open_record(  # everything else of a colleague's stays 404 all the same
        reference=theirs[3].reference, reason="on_duty", words="They rang.", by=advisor, at=at
    )
    caseload_move = caseloads.cover(
        of=colleague,
        to=advisor,
        people=[theirs[0]],
        from_on=today + timedelta(days=20),
        until_on=today + timedelta(days=21),
        by=manager,
        at=at,
    )
    entries = {
        by: directory.add(name=f"Place {nick} {by.role}", kind="home", where="The hall", by=by, at=then)
        for by in (manager, pantry_manager)
    }

    def beyond(care_leaver, by):
        answers = dict.fromkeys(QUESTIONS, PREFER_NOT)
        wellbeing.record(
            care_leaver=care_leaver, point="start", asked_on=today, how="in_person", answers=answers, by=by, at=at
        )
        volunteering.move(care_leaver=care_leaver, state="asked", on=today, by=by, at=at)
        return links.offer(care_leaver=care_leaver, entry=entries[manager], on=today, by=by, at=at)

    said = {"session": session, "by": volunteer, "at": at}
    ours = entries[pantry_manager]
    told_row = told.tell(membership=membership, entry=ours, key=uuid.uuid4(), **said)
    helper = helpers.wish(membership=membership, key=uuid.uuid4(), **said)
    worry, their_worry = (
        worries.raise_worry(membership=each, key=uuid.uuid4(), **said) for each in (membership, theirs_in)
    )
    taps.tap(membership=membership, category="hours", key=uuid.uuid4(), **said)
    gone = away.tell(membership=membership, until_on=today + timedelta(days=10), key=uuid.uuid4(), by=volunteer, at=at)
    call = calls.set_call(
        pantry=pantry,
        role="manager",
        phone="0161 496 0000",
        from_on=today + timedelta(days=5),
        by=pantry_manager,
        at=at,
    )

    link, their_link = beyond(fresh, advisor), beyond(theirs[0], colleague)
    barrier = barriers.raise_barrier(
        council=council,
        care_leaver=member,
        pantry=None,
        category="stigma",
        note=f"Worry {nick}",
        owner=advisor,
        due_on=None,
        raised_on=today,
        by=advisor,
        at=at,
    )
    their_barrier = barriers.raise_barrier(
        council=council,
        care_leaver=theirs[0],
        pantry=None,
        category="stigma",
        note="",
        owner=colleague,
        due_on=None,
        raised_on=today,
        by=colleague,
        at=at,
    )
    pantry_barrier = barriers.raise_barrier(
        council=council,
        care_leaver=None,
        pantry=pantry,
        category="hours",
        note="",
        owner=manager,
        due_on=None,
        raised_on=today,
        by=manager,
        at=at,
    )
    meeting = meetings.plan(
        agreement=agreement,
        starts_at=at,
        where="Room",
        period_from=today - timedelta(weeks=10),
        period_to=today,
        by=manager,
        at=at,
    )
    packs = {
        audience: ReviewPack.objects.create(
            meeting=meeting,
            audience=audience,
            edition=1,
            as_at=at,
            made_by=manager,
            figures=review_packs.freeze(meeting, audience, made_by=manager.name, at=at),
            pdf=small_pdf(),
            sha256="0",
        )
        for audience in ("leaving-care", "stockport-homes", "corporate-parents")
    }
    summary, theirs_too = packs["corporate-parents"], packs["stockport-homes"]
    recipients = {
        role: PackRecipient.objects.create(pack=pack, user=users[role], chosen_by=manager, chosen_at=at)
        for role, pack in (
            (Role.PERSONAL_ADVISOR, summary),
            (Role.FINANCE_OFFICER, summary),
            (Role.PANTRY_MANAGER, theirs_too),
        )
    }
    action = meetings.add_action(
        meeting=meeting, what="Ask the hall", owner=advisor, due_on=today + timedelta(days=7), by=manager, at=at
    )
    held_meeting = meetings.plan(
        agreement=agreement,
        starts_at=then,
        where="Room",
        period_from=today - timedelta(weeks=20),
        period_to=today - timedelta(weeks=10),
        by=manager,
        at=then,
    )
    for state in ("held", "minutes_agreed"):
        meetings.move(meeting=held_meeting, state=state, by=manager, at=then)
    item = agenda.add(meeting=meeting, title=f"Freezer {nick}", note="", by=advisor, at=at)
    disagreement = disagreements.open_one(
        agreement=agreement,
        about=f"Hours {nick}",
        council_position="Open later",
        operator_position="Not enough volunteers",
        who=["pantry_manager"],
        on=today,
        barrier=pantry_barrier,
        by=manager,
        at=at,
    )
    listed = f"CHILD,DOB,IN_TOUCH,ACTIV,ACCOM\n{nick}-1,15/01/{today.year - 20},,,\n".encode()
    upload, _ = uploads.receive(content=listed, name="oc3.csv", by=manager, at=at)
    year_from = yearly.last_year(today)
    yearly_review = yearly.build(agreement=agreement, year_from=year_from, by=manager, at=at)()
    with_job = {
        role: jobs.enqueue("notifications.deliver", key=f"table:{nick}:{role}", ids={}, asked_by=user)
        for role, user in users.items()
    }
    written = {
        role: notifications.send(
            "administration.invitation", to=user, key=f"table:{user.pk}", ids={"invitation": str(user.pk)}, at=at
        )
        for role, user in users.items()
    }
    return {
        "messages": written,
        "council": council,
        "operator": operator,
        "users": users,
        "pantry": pantry,
        "hours": hours,
        "tariff": proposed,
        "staff": staff,
        "closure": closure,
        "agreement": agreement,
        "person": fresh,
        "upload": upload,
        "member_person": member,
        "draft": draft,
        "sent": sent,
        "accepted": accepted,
        "membership": membership,
        "neighbour": neighbour,
        "printed": printed,
        "walk_in": walk_in,
        "brought": brought,
        "block": membership.blocks.get(),
        "payment": payment,
        "session": session,
        "collection": collection,
        "visitor": visitor,
        "tablet": tablet,
        "held": TabletEntry.objects.get(tablet=tablet),
        "card": card,
        "sheet": sheet,
        "note": note,
        "duty": duty,
        "decision": decision,
        "statement": month,
        "proposal": proposal,
        "barrier": barrier,
        "pantry_barrier": pantry_barrier,
        "link": link,
        "point": "start",
        "entry": {user.role: entries[user if user in entries else manager] for user in users.values()},
        "council_entry": entries[manager],
        "told": told_row,
        "helper": helper,
        "worry": worry,
        "away": gone,
        "call": call,
        "meeting": meeting,
        "packs": packs,
        "packs_of": {
            role: summary if role in recipients and role != Role.PANTRY_MANAGER else theirs_too for role in Role
        },
        "recipients": {role: recipients.get(role, recipients[Role.PERSONAL_ADVISOR]) for role in Role},
        "summary": summary,
        "pack": packs["stockport-homes"],
        "council_pack": packs["leaving-care"],
        "action": action,
        "held_meeting": held_meeting,
        "item": item,
        "disagreement": disagreement,
        "yearly": yearly_review,
        "figure": "offered",
        "jobs": with_job,
        "cover": cover,
        "opening": opening,
        "letter": letter,
        "advisor": advisor,
        "caseload_move": caseload_move,
        "volunteer": volunteer,
        "token": "not-a-token",
        "colleague": {
            "person": theirs[0],
            "letter": their_letter,
            "draft": their_draft,
            "sent": their_sent,
            "accepted": their_accepted,
            "barrier": their_barrier,
            "link": their_link,
            "worry": their_worry,
        },
    }
