from django.apps import AppConfig


class HomeConfig(AppConfig):
    name = "stockport_hubs.home"
    label = "home"
