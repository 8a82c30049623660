from django.urls import path

from stockport_hubs.home import health, views

urlpatterns = [
    path("", views.home, name="home"),
    path("health/", health.health, name="health"),
]
