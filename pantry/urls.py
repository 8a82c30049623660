"""Sessions, collections and members here; pantries, prices, agreements and renewals in places_urls."""

from django.urls import include, path

from pantry.views import away, cards, changes, members, missed, proposals, running, sessions, sheets, visitors

app_name = "pantry"
urlpatterns = [
    path("today/", sessions.today, name="today"),
    path("sessions/<uuid:session_id>/", sessions.session, name="session"),
    path("sessions/<uuid:session_id>/members/<uuid:membership_id>/", sessions.record, name="record"),
    path("sessions/<uuid:session_id>/whole/", sheets.session_bulk, name="session_bulk"),
    path("sessions/<uuid:session_id>/summary/", running.session_summary, name="session_summary"),
    path("rota/", running.my_rota, name="my_rota"),
    path("rota/<uuid:duty_id>/remove/", running.rota_remove, name="rota_remove"),
    path("notes/<uuid:note_id>/remove/", running.note_remove, name="note_remove"),
    path("sessions/<uuid:session_id>/visitors/", visitors.visitor_add, name="visitor_add"),
    path("visitors/", visitors.visitors, name="visitors"),
    path("visitors/<uuid:visitor_id>/", visitors.visitor_sort, name="visitor_sort"),
    path("visitors/<uuid:visitor_id>/take-back/", visitors.visitor_take_back, name="visitor_take_back"),
    path("sheets/<uuid:sheet_id>/destroyed/", sheets.sheet_destroyed, name="sheet_destroyed"),
    path("collections/<uuid:collection_id>/void/", sessions.void, name="void"),
    path("members/", members.members, name="members"),
    path("members/add/", members.member_add, name="member_add"),
    path("members/<uuid:membership_id>/", members.member, name="member"),
    path("members/<uuid:membership_id>/end/", members.member_end, name="member_end"),
    path("members/<uuid:membership_id>/rejoin/", members.member_rejoin, name="member_rejoin"),
    path("members/<uuid:membership_id>/answer/", changes.member_answer, name="member_answer"),
    path("members/<uuid:membership_id>/move/", changes.member_move, name="member_move"),
    path("members/<uuid:membership_id>/move/take-back/", changes.member_move_back, name="member_move_back"),
    path("members/<uuid:membership_id>/missed/", missed.member_missed, name="member_missed"),
    path("members/<uuid:membership_id>/away/", away.member_away, name="member_away"),
    path("sessions/<uuid:session_id>/members/<uuid:membership_id>/away/", away.away, name="away"),
    path("away/<uuid:away_id>/take-back/", away.away_take_back, name="away_take_back"),
    path("members/<uuid:membership_id>/pause/", changes.member_pause, name="member_pause"),
    path("members/<uuid:membership_id>/long-pause/", changes.member_long_pause, name="member_long_pause"),
    path("members/<uuid:membership_id>/buy/", changes.member_buy, name="member_buy"),
    path("members/<uuid:membership_id>/goodwill/", proposals.member_goodwill, name="member_goodwill"),
    path("members/<uuid:membership_id>/credit/", proposals.member_credit, name="member_credit"),
    path("members/<uuid:membership_id>/back-date/", proposals.member_back_date, name="member_back_date"),
    path("members/<uuid:membership_id>/card/", cards.card, name="card"),
    path("members/<uuid:membership_id>/card/pdf/", cards.card_pdf, name="card_pdf"),
    path("pauses/", changes.pauses, name="pauses"),
    path("", include("pantry.places_urls")),
]
