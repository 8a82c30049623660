from django.apps import AppConfig


class AdministrationConfig(AppConfig):
    name = "stockport_hubs.administration"
    label = "administration"
