"""Load the sample pilot: invented people, five pantries and their weeks, so that every screen has something to show."""

import random
from datetime import date, datetime, time, timedelta

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction

from stockport_hubs.accounts.models import User
from stockport_hubs.core import clock
from stockport_hubs.core.weeks import LONDON, is_monday, monday
from stockport_hubs.home.sample import plan
from stockport_hubs.home.sample.accounts import make_accounts
from stockport_hubs.home.sample.beyond import make_directory
from stockport_hubs.home.sample.copies import multiply
from stockport_hubs.home.sample.everyday import everyday
from stockport_hubs.home.sample.finish import finish
from stockport_hubs.home.sample.halls import make_tablet
from stockport_hubs.home.sample.places import make_agreement, make_pantries
from stockport_hubs.home.sample.running import run_the_halls
from stockport_hubs.home.sample.story import Story

MOST, OTHER_MEMBERS = 50_000, 40
MOST_BY_SERVICES = 500  # more people are copies of a district of so many, made inside the database:
DISTRICT = 250


class Command(BaseCommand):
    help = "Fills an empty database with the invented sample pilot."

    def add_arguments(self, parser):
        parser.add_argument("--care-leavers", type=int, default=75)
        parser.add_argument("--weeks", type=int, default=26)
        parser.add_argument("--start", type=date.fromisoformat, help="a Monday; default: that many weeks ago")
        parser.add_argument("--seed", type=int, default=1)

    def handle(self, *, care_leavers, weeks, start, seed, **options):
        now = clock.now()
        start = start or monday(clock.today()) - timedelta(weeks=weeks)
        if not settings.SAMPLE_PILOT:
            raise CommandError("The sample pilot has a published password and is refused in production settings.")
        if User.objects.exists():
            raise CommandError("The database is not empty. Load the sample pilot into a new database.")
        if not is_monday(start):
            raise CommandError(f"--start must be a Monday; the Monday of that week is {monday(start)}.")
        if start > clock.today():
            raise CommandError("--start is in the future.")
        if not 0 <= care_leavers <= MOST or not 1 <= weeks <= 104:
            raise CommandError(f"Choose 0 to {MOST} care leavers and 1 to 104 weeks.")
        copies = -(-care_leavers // DISTRICT) if care_leavers > MOST_BY_SERVICES else 1
        each = -(-care_leavers // copies)
        with transaction.atomic():
            self._load(each, weeks, start, seed, now)
        if copies > 1:
            multiply(copies, self._progress)
        self.stdout.write(
            f"Sample pilot loaded: {each * copies:,} invented young people, {5 * copies:,} pantries, "
            f"{OTHER_MEMBERS * copies:,} other members, from {start:%d %B %Y}. "
            "Accounts and their password are on the sign-in page."
        )

    def _load(self, count, weeks, start, seed, until):
        draw = random.Random(seed)
        last = min(clock.today(), start + timedelta(weeks=weeks, days=6))
        early = datetime.combine(start - timedelta(days=13), time(9), tzinfo=LONDON)
        staff = make_accounts(early)
        pantries = make_pantries(staff, start, count, early)
        agreement = make_agreement(staff, start, count, early)
        story = Story(staff, pantries, agreement, draw, random.Random(f"beyond {seed}"))
        story.entries = make_directory(staff, early)
        everyone = plan.people(draw, start, count, weeks)
        plan.unanswered(everyone, (last - start).days)
        for person in everyone:
            story.person(person, start, last)
        for neighbour in plan.neighbours(draw, OTHER_MEMBERS, weeks):
            story.neighbour(neighbour, start)
        if weeks >= 20:
            story.meeting(start + timedelta(weeks=9, days=1), start, True, start)
            story.meeting(start + timedelta(weeks=18, days=1), start + timedelta(weeks=9), True, start)
        story.run(start, until, self._progress)
        everyday(story, until)
        make_tablet(story, until)
        run_the_halls(story, until)
        finish(story, start, last, until)

    def _progress(self, per_cent):
        if per_cent % 10 == 0 and per_cent != getattr(self, "_shown", None):
            self._shown = per_cent
            self.stderr.write(f"{per_cent} %")
