from django.apps import AppConfig


class PantryConfig(AppConfig):
    name = "pantry"

    def ready(self):
        from pantry import wording
        from stockport_hubs.accounts.models import PANTRY_ROLES
        from stockport_hubs.administration import services

        services.NAME_TELLS_TOO_MUCH |= dict.fromkeys(PANTRY_ROLES, wording.tells)  # both are named to volunteers
