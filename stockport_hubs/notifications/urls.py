from django.urls import path

from stockport_hubs.notifications import views

app_name = "messages"
urlpatterns = [
    path("", views.overview, name="list"),
    path("<uuid:message_id>/settle/", views.settle, name="settle"),
    path("<uuid:message_id>/again/", views.send_again, name="again"),
]
