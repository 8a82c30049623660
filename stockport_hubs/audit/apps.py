from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "stockport_hubs.audit"
    label = "audit"
