from django.apps import AppConfig


class ChartsConfig(AppConfig):
    name = "stockport_hubs.charts"
    label = "charts"
