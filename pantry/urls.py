"""Sessions, collections and members here; pantries, prices, agreements and renewals in places_urls."""

from django.urls import include, path

from pantry.views import members, sessions

app_name = "pantry"
urlpatterns = [
    path("today/", sessions.today, name="today"),
    path("sessions/<uuid:session_id>/", sessions.session, name="session"),
    path("sessions/<uuid:session_id>/members/<uuid:membership_id>/", sessions.record, name="record"),
    path("collections/<uuid:collection_id>/void/", sessions.void, name="void"),
    path("members/", members.members, name="members"),
    path("members/add/", members.member_add, name="member_add"),
    path("members/<uuid:membership_id>/", members.member, name="member"),
    path("members/<uuid:membership_id>/end/", members.member_end, name="member_end"),
    path("", include("pantry.places_urls")),
]
