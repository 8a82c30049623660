from django.apps import AppConfig


class ReferralsConfig(AppConfig):
    name = "referrals"

    def ready(self):
        from pantry.services import entries, offered
        from referrals import entry_kinds
        from referrals.services import told

        entries.HANDLERS |= {"told": entry_kinds.told, "wish": entry_kinds.wish, "worry": entry_kinds.worry}
        entries.NEVER_WAITS.add("worry")  # somebody may be in danger
        offered.SETTINGS["topics"] = told.listed
