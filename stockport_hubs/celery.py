"""Celery: the wake-up and the sweep for the job table (stockport_hubs/jobs); messages carry job ids only."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "stockport_hubs.settings.local")
app = Celery("stockport_hubs")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.conf.beat_schedule = {"tick": {"task": "jobs.tick", "schedule": 60.0}}


@app.task(name="jobs.pump")
def pump(job_id: str | None = None) -> None:
    """Run the named job, then whatever else is due."""
    from stockport_hubs.jobs import services

    services.pump(job_id)


@app.task(name="jobs.tick")
def tick() -> None:
    """Write the periodic jobs of this minute and run what is due: the sweep that needs no other message."""
    from stockport_hubs.jobs import services

    services.tick()
    services.pump()
