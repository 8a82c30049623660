from importlib import import_module

from django.apps import AppConfig
from django.conf import settings
from django.utils.module_loading import autodiscover_modules


class JobsConfig(AppConfig):
    name = "stockport_hubs.jobs"
    label = "jobs"

    def ready(self):
        autodiscover_modules("tasks")  # each app registers its handlers there
        if settings.REDIS_URL:
            # What a nudge needs is loaded at the start, not within the first request that nudges.
            for module in ("celery.app.amqp", "kombu.messaging", "kombu.transport.redis"):
                import_module(module)
