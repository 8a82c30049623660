"""Pantries, tariffs, agreements and renewals; included by pantry/urls.py in the same namespace."""

from django.urls import path

from pantry.views import agreements, calls, cards, places, renewals, running, sheets, tablets, tariffs

urlpatterns = [
    path("pantries/", places.pantries, name="pantries"),
    path("pantries/add/", places.pantry_add, name="pantry_add"),
    path("pantries/<uuid:pantry_id>/", places.pantry, name="pantry"),
    path("pantries/<uuid:pantry_id>/edit/", places.pantry_edit, name="pantry_edit"),
    path("pantries/<uuid:pantry_id>/hours/", places.hours, name="hours"),
    path("pantries/<uuid:pantry_id>/hours/<uuid:hours_id>/end/", places.hours_end, name="hours_end"),
    path("pantries/<uuid:pantry_id>/closures/", places.closures, name="closures"),
    path(
        "pantries/<uuid:pantry_id>/closures/<uuid:closure_id>/withdraw/",
        places.closure_withdraw,
        name="closure_withdraw",
    ),
    path("pantries/<uuid:pantry_id>/calls/", calls.calls, name="calls"),
    path("pantries/<uuid:pantry_id>/calls/<uuid:call_id>/take-back/", calls.call_take_back, name="call_take_back"),
    path("pantries/<uuid:pantry_id>/volunteers/", places.staff_attach, name="staff_attach"),
    path("pantries/<uuid:pantry_id>/volunteers/<uuid:staff_id>/end/", places.staff_detach, name="staff_detach"),
    path("pantries/<uuid:pantry_id>/cards/", cards.cards, name="cards"),
    path("pantries/<uuid:pantry_id>/cards/pdf/", cards.cards_pdf, name="cards_pdf"),
    path("pantries/<uuid:pantry_id>/rota/", running.rota, name="rota"),
    path("pantries/<uuid:pantry_id>/notes/", running.notes, name="notes"),
    path("pantries/<uuid:pantry_id>/sheets/", sheets.pantry_sheets, name="sheets"),
    path("pantries/<uuid:pantry_id>/tariffs/propose/", tariffs.tariff_propose, name="tariff_propose"),
    path("pantries/<uuid:pantry_id>/tablets/", tablets.pantry_tablets, name="tablets"),
    path("pantries/<uuid:pantry_id>/tablets/<uuid:user_id>/code/", tablets.volunteer_code, name="volunteer_code"),
    path("pantries/<uuid:pantry_id>/tablets/<uuid:user_id>/end/", tablets.volunteer_end, name="volunteer_end"),
    path("tablets/<uuid:tablet_id>/out-of-use/", tablets.tablet_revoke, name="tablet_revoke"),
    path("to-sort-out/", tablets.entries, name="entries"),
    path("to-sort-out/<uuid:entry_id>/", tablets.entry, name="entry"),
    path("tariffs/", tariffs.tariffs, name="tariffs"),
    path("tariffs/<uuid:tariff_id>/", tariffs.tariff_agree, name="tariff_agree"),
    path("tariffs/<uuid:tariff_id>/take-back/", tariffs.tariff_take_back, name="tariff_take_back"),
    path("agreements/", agreements.agreements, name="agreements"),
    path("agreements/add/", agreements.agreement_add, name="agreement_add"),
    path("agreements/<uuid:agreement_id>/", agreements.agreement, name="agreement"),
    path("agreements/<uuid:agreement_id>/edit/", agreements.agreement_edit, name="agreement_edit"),
    path("agreements/<uuid:agreement_id>/blocks/", agreements.agreement_blocks, name="agreement_blocks"),
    path("agreements/<uuid:agreement_id>/journal/", agreements.agreement_journal, name="agreement_journal"),
    path("agreements/<uuid:agreement_id>/payments/add/", agreements.payment_add, name="payment_add"),
    path("renewals/", renewals.renewals, name="renewals"),
    path("renewals/<uuid:decision_id>/", renewals.renewal, name="renewal"),
    path("renewals/<uuid:decision_id>/take-back/", renewals.take_back, name="renewal_take_back"),
]
