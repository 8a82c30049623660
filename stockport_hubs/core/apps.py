from django.apps import AppConfig
from django.db.models.signals import post_migrate


class CoreConfig(AppConfig):
    name = "stockport_hubs.core"
    label = "core"

    def ready(self):
        from stockport_hubs.core.triggers import after_migrate

        # The last app in INSTALLED_APPS of ours: its post_migrate runs once all tables exist.
        post_migrate.connect(after_migrate, sender=self, dispatch_uid="append-only-triggers")
