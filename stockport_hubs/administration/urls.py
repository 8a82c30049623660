from django.urls import path

from stockport_hubs.administration import views

app_name = "accounts"
urlpatterns = [
    path("users/", views.accounts, name="list"),
    path("users/invite/", views.invite, name="invite"),
    path("users/organisations/", views.organisations, name="organisations"),
    path("users/organisations/add/", views.organisation_add, name="organisation_add"),
    path("users/<uuid:pk>/", views.account, name="detail"),
    path("users/<uuid:pk>/edit/", views.account_edit, name="edit"),
    path("users/<uuid:pk>/invite-again/", views.invite_again, name="invite_again"),
    path("users/<uuid:pk>/deactivate/", views.deactivate, name="deactivate"),
    path("users/<uuid:pk>/reactivate/", views.reactivate, name="reactivate"),
    path("join/<str:token>/", views.join, name="join"),
]
