"""`build_pack --meeting ID --audience leaving-care|stockport-homes|corporate-parents --output FILE`: a new edition, its
PDF in a file."""

from pathlib import Path
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError

from reviews.models import Audience, ReviewMeeting
from reviews.services import packs
from stockport_hubs.core import clock
from stockport_hubs.core.errors import Refused


class Command(BaseCommand):
    help = "Make a new edition of a meeting's pack and write its PDF to a file."

    def add_arguments(self, parser):
        parser.add_argument("--meeting", required=True, help="the meeting's id, as in its address")
        parser.add_argument("--audience", required=True, choices=Audience.values)
        parser.add_argument("--output", required=True, type=Path, help="where to write the PDF")

    def handle(self, *, meeting, audience, output, **options):
        try:
            found = (
                ReviewMeeting.objects.select_related("agreement__funder", "agreement__operator")
                .filter(pk=UUID(meeting))
                .first()
            )
        except ValueError:
            found = None
        if found is None:
            raise CommandError(f"There is no review meeting with the id {meeting}.")
        try:
            pack = packs.build(meeting=found, audience=audience, by=None, now=clock.now)()
        except Refused as refusal:
            raise CommandError(str(refusal))
        output.write_bytes(pack.pdf)
        self.stdout.write(f"{pack.get_audience_display()}, edition {pack.edition}, written to {output}")
