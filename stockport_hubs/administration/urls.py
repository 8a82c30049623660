from django.urls import path

from stockport_hubs.administration.views import accounts, own

app_name = "accounts"
urlpatterns = [
    path("users/", accounts.accounts, name="list"),
    path("users/invite/", accounts.invite, name="invite"),
    path("users/organisations/", accounts.organisations, name="organisations"),
    path("users/organisations/add/", accounts.organisation_add, name="organisation_add"),
    path("users/<uuid:pk>/", accounts.account, name="detail"),
    path("users/<uuid:pk>/edit/", accounts.account_edit, name="edit"),
    path("users/<uuid:pk>/role/", accounts.move, name="move"),
    path("users/<uuid:pk>/invite-again/", accounts.invite_again, name="invite_again"),
    path("users/<uuid:pk>/withdraw-invitation/", accounts.invitation_withdraw, name="invitation_withdraw"),
    path("users/<uuid:pk>/second-step/", accounts.second_step_reset, name="second_step_reset"),
    path("users/<uuid:pk>/deactivate/", accounts.deactivate, name="deactivate"),
    path("users/<uuid:pk>/reactivate/", accounts.reactivate, name="reactivate"),
    path("join/<str:token>/", own.join, name="join"),
    path("your-account/second-step/", own.second_step, name="second_step"),
    path("your-account/empty-form/", own.draft_drop, name="draft_drop"),
]
