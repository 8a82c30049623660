"""Pump the job table: the embedded runner, and the way to catch up by hand."""

import signal
import threading
import time

from django.core.management.base import BaseCommand
from django.db import close_old_connections

from stockport_hubs.jobs import services

TICK_SECONDS, IDLE_SECONDS = 60, 0.5


class Command(BaseCommand):
    help = "Runs due jobs until it is told to stop (--once: until nothing is due)."

    def add_arguments(self, parser):
        parser.add_argument("--once", action="store_true", help="stop when nothing is due")

    def handle(self, *, once, **options):
        if once:
            services.tick()
            self.stdout.write(f"{services.pump()} jobs done")
            return
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, lambda *_: stop.set())
        last_tick = 0.0
        while not stop.is_set():
            close_old_connections()
            if time.monotonic() - last_tick >= TICK_SECONDS or not last_tick:
                services.tick()
                last_tick = time.monotonic()
            if not services.pump(limit=1):
                stop.wait(IDLE_SECONDS)
