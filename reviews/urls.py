"""Barriers, meetings, figures and packs."""

from django.urls import path

from reviews.views import actions, barriers, figures, meetings, packs

app_name = "reviews"
urlpatterns = [
    path("", meetings.meetings, name="meetings"),
    path("meetings/add/", meetings.meeting_add, name="meeting_add"),
    path("meetings/<uuid:meeting_id>/", meetings.meeting, name="meeting"),
    path("meetings/<uuid:meeting_id>/edit/", meetings.meeting_edit, name="meeting_edit"),
    path("meetings/<uuid:meeting_id>/move/", meetings.meeting_move, name="meeting_move"),
    path("meetings/<uuid:meeting_id>/invite/", meetings.meeting_invite, name="meeting_invite"),
    path("meetings/<uuid:meeting_id>/attendance/", meetings.meeting_attendance, name="meeting_attendance"),
    path("meetings/<uuid:meeting_id>/action/", meetings.meeting_action, name="meeting_action"),
    path("meetings/<uuid:meeting_id>/packs/", packs.pack_build, name="pack_build"),
    path("packs/<uuid:pack_id>/", packs.pack, name="pack"),
    path("packs/<uuid:pack_id>/pdf/", packs.pack_pdf, name="pack_pdf"),
    path("packs/<uuid:pack_id>/csv/", packs.pack_csv, name="pack_csv"),
    path("actions/<uuid:action_id>/", actions.action_mark, name="action_mark"),
    path("barriers/", barriers.barriers, name="barriers"),
    path("barriers/add/", barriers.barrier_add, name="barrier_add"),
    path("barriers/<uuid:barrier_id>/", barriers.barrier, name="barrier"),
    path("barriers/<uuid:barrier_id>/move/", barriers.barrier_move, name="barrier_move"),
    path("barriers/<uuid:barrier_id>/action/", barriers.barrier_action, name="barrier_action"),
    path("figures/", figures.figures, name="figures"),
    path("figures/csv/", figures.figures_csv, name="figures_csv"),
    path("figures/<slug:key>/", figures.figure_people, name="figure_people"),
]
