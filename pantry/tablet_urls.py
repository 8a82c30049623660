"""A hall's tablet: the page on which it is set up, and what it asks and sends from then on."""

from django.urls import path

from pantry.views import tablet_api, tablet_shell, tablets

app_name = "tablet"
urlpatterns = [
    path("", tablet_shell.shell, name="shell"),
    path("sw.js", tablet_shell.worker, name="worker"),
    path("manifest.webmanifest", tablet_shell.manifest, name="manifest"),
    path("enrol/", tablets.enrol, name="enrol"),
    path("state/", tablet_api.state, name="state"),
    path("pin/", tablet_api.pin, name="pin"),
    path("unlock/", tablet_api.unlock, name="unlock"),
    path("list/", tablet_api.members, name="list"),
    path("entries/", tablet_api.entries, name="entries"),
]
