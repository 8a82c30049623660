from django.urls import path

from stockport_hubs.home import components, health, information, trail_views, views

urlpatterns = [
    path("", views.home, name="home"),
    path("health/", health.health, name="health"),
    path("health/ready/", health.ready, name="ready"),
    path("audit/", trail_views.read, name="trail"),
    path("audit/people/<uuid:person_id>/", trail_views.read_one, name="record_trail"),
    path("audit/csv/", trail_views.download, name="trail_csv"),
    path("accessibility/", information.accessibility, name="accessibility"),
    path("cookies/", information.cookies, name="cookies"),
    path("privacy/", information.privacy, name="privacy"),
    path("components/", components.components, name="components"),
]
