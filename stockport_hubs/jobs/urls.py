from django.urls import path

from stockport_hubs.jobs import views

app_name = "jobs"
urlpatterns = [
    path("", views.overview, name="list"),
    path("<uuid:job_id>/", views.progress, name="progress"),
    path("<uuid:job_id>/cancel/", views.cancel, name="cancel"),
    path("<uuid:job_id>/retry/", views.retry, name="retry"),
]
