from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "stockport_hubs.accounts"
    label = "accounts"
