from django.urls import path

from careleavers.views import allocations, caseloads, cohort, imports, keeping, people, wellbeing

app_name = "careleavers"
urlpatterns = [
    path("", people.people_list, name="list"),
    path("add/", people.person_add, name="add"),
    path("cohort/", cohort.overview, name="cohort"),
    path("cohort/tick/", cohort.tick, name="cohort_tick"),
    path("cohort/keeping/", keeping.keeping, name="keeping"),
    path("import/", imports.upload, name="import"),
    path("import/template/", imports.template, name="import_template"),
    path("import/<uuid:pk>/", imports.preview, name="import_preview"),
    path("import/<uuid:pk>/check/", imports.check, name="import_check"),
    path("import/<uuid:pk>/cancel/", imports.cancel, name="import_cancel"),
    path("caseloads/", caseloads.overview, name="caseloads"),
    path("caseloads/<uuid:pk>/transfer/", caseloads.transfer, name="caseload_transfer"),
    path("caseloads/<uuid:pk>/cover/", caseloads.cover, name="caseload_cover"),
    path("caseloads/moves/<uuid:pk>/undo/", caseloads.undo, name="caseload_undo"),
    path("<uuid:pk>/", people.person_detail, name="detail"),
    path("<uuid:pk>/edit/", people.person_edit, name="edit"),
    path("<uuid:pk>/allocate/", allocations.allocate, name="allocate"),
    path("<uuid:pk>/cover/", allocations.cover, name="cover"),
    path("<uuid:pk>/cover/<uuid:cover_pk>/end/", allocations.cover_end, name="cover_end"),
    path("<uuid:pk>/offer/", cohort.offer, name="offer"),
    path("<uuid:pk>/untick/", cohort.untick, name="untick"),
    path("<uuid:pk>/wellbeing/", wellbeing.history, name="wellbeing"),
    path("<uuid:pk>/wellbeing/<slug:point>/", wellbeing.ask, name="wellbeing_ask"),
    path("<uuid:pk>/wellbeing/<slug:point>/take-back/", wellbeing.take_back, name="wellbeing_take_back"),
    path("wellbeing/paper/", wellbeing.paper, name="wellbeing_paper"),
]
