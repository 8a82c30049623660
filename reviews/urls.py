"""Barriers, meetings, figures and packs."""

from django.urls import path

from reviews.views import actions, agenda, barriers, disagreements, figures, meetings, minutes, packs, yearly

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
    path("meetings/<uuid:meeting_id>/work/", agenda.meeting_work, name="meeting_work"),
    path("meetings/<uuid:meeting_id>/agenda/", agenda.agenda_fill, name="agenda_fill"),
    path("meetings/<uuid:meeting_id>/agenda/add/", agenda.agenda_add, name="agenda_add"),
    path("meetings/<uuid:meeting_id>/minutes/", minutes.minutes, name="minutes"),
    path("meetings/<uuid:meeting_id>/minutes/pdf/", minutes.minutes_pdf, name="minutes_pdf"),
    path("meetings/<uuid:meeting_id>/calendar/", minutes.meeting_ics, name="meeting_ics"),
    path("agenda/<uuid:item_id>/", agenda.agenda_item, name="agenda_item"),
    path("agenda/<uuid:item_id>/remove/", agenda.agenda_remove, name="agenda_remove"),
    path("rhythm/<uuid:agreement_id>/", meetings.rhythm, name="rhythm"),
    path("meetings/<uuid:meeting_id>/packs/", packs.pack_build, name="pack_build"),
    path("packs/<uuid:pack_id>/", packs.pack, name="pack"),
    path("packs/<uuid:pack_id>/pdf/", packs.pack_pdf, name="pack_pdf"),
    path("packs/<uuid:pack_id>/csv/", packs.pack_csv, name="pack_csv"),
    path("actions/", actions.actions, name="actions"),
    path("actions/<uuid:action_id>/", actions.action_mark, name="action_mark"),
    path("disagreements/", disagreements.disagreements, name="disagreements"),
    path("disagreements/add/", disagreements.disagreement_add, name="disagreement_add"),
    path("disagreements/<uuid:disagreement_id>/", disagreements.disagreement, name="disagreement"),
    path(
        "disagreements/<uuid:disagreement_id>/position/",
        disagreements.disagreement_position,
        name="disagreement_position",
    ),
    path(
        "disagreements/<uuid:disagreement_id>/take-up/", disagreements.disagreement_take_up, name="disagreement_take_up"
    ),
    path("disagreements/<uuid:disagreement_id>/settle/", disagreements.disagreement_settle, name="disagreement_settle"),
    path("years/<uuid:agreement_id>/count/", yearly.yearly_ask, name="yearly_ask"),
    path("years/<uuid:review_id>/", yearly.yearly, name="yearly"),
    path("years/<uuid:review_id>/write/", yearly.yearly_write, name="yearly_write"),
    path("years/<uuid:review_id>/approve/", yearly.yearly_approve, name="yearly_approve"),
    path("years/<uuid:review_id>/pdf/", yearly.yearly_pdf, name="yearly_pdf"),
    path("barriers/", barriers.barriers, name="barriers"),
    path("barriers/add/", barriers.barrier_add, name="barrier_add"),
    path("barriers/<uuid:barrier_id>/", barriers.barrier, name="barrier"),
    path("barriers/<uuid:barrier_id>/move/", barriers.barrier_move, name="barrier_move"),
    path("barriers/<uuid:barrier_id>/action/", barriers.barrier_action, name="barrier_action"),
    path("figures/", figures.figures, name="figures"),
    path("figures/csv/", figures.figures_csv, name="figures_csv"),
    path("figures/<slug:key>/", figures.figure_people, name="figure_people"),
]
