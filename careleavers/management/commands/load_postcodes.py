"""`manage.py load_postcodes [FILE] [--authority E08000007]`: where postcodes are, for the nearest pantry."""

import time
from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from careleavers.postcode_files import File, Packed
from careleavers.services import postcodes
from stockport_hubs.core import clock
from stockport_hubs.core.errors import Refused


class Command(BaseCommand):
    help = (
        "Load the ONS Postcode Directory: the one packed with this software, or a current file (ONSPD as CSV or zip). "
        "Contains OS data, Royal Mail data and National Statistics data, © Crown copyright and database right."
    )

    def add_arguments(self, parser):
        parser.add_argument("file", type=Path, nargs="?", help="A current ONSPD file; without it the packed one.")
        parser.add_argument("--authority", default=postcodes.STOCKPORT, help="Code of the scheme's local authority.")

    def handle(self, *, file, authority, **options):
        began = time.monotonic()
        try:
            directory = File(file) if file else Packed()
            loaded = postcodes.load(directory=directory, authority=authority, job="load_postcodes", at=clock.now())
        except Refused as why:
            raise CommandError(str(why))
        self.stdout.write(loaded.source)
        self.stdout.write(
            "Contains OS data © Crown copyright and database right, Royal Mail data © Royal Mail copyright and "
            "database right, and National Statistics data © Crown copyright and database right."
        )
        took = time.monotonic() - began
        self.stdout.write(f"{loaded.postcodes:,} postcodes of {authority} and around it, in {took:.1f} s")
