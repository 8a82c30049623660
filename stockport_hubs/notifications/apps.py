from django.apps import AppConfig


class NotificationsConfig(AppConfig):
    name = "stockport_hubs.notifications"
    label = "notifications"
