from django.apps import AppConfig


class ReviewsConfig(AppConfig):
    name = "reviews"

    def ready(self):
        from pantry.services import entries, offered
        from reviews import entry_kinds
        from reviews.services import taps

        entries.HANDLERS["barrier"] = entry_kinds.barrier
        offered.SETTINGS["barriers"] = taps.listed
