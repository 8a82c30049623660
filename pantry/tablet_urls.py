"""The enrolled tablet: what it asks and sends."""

from django.urls import path

from pantry.views import tablet_api

app_name = "tablet"
urlpatterns = [
    path("state/", tablet_api.state, name="state"),
    path("pin/", tablet_api.pin, name="pin"),
    path("unlock/", tablet_api.unlock, name="unlock"),
    path("list/", tablet_api.members, name="list"),
    path("entries/", tablet_api.entries, name="entries"),
]
