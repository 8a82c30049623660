"""Every URL of the site; apps are included by string, and there is no Django admin: it would be a second door."""

from django.urls import include, path

from stockport_hubs.administration.views.own import passkey_remove
from stockport_hubs.home.errors import no_such_page

urlpatterns = [
    path("", include("stockport_hubs.home.urls")),
    path("accounts/email/", no_such_page, name="account_email_closed"),  # the invited address stays
    path("accounts/2fa/webauthn/keys/<int:pk>/remove/", passkey_remove, name="mfa_remove_webauthn"),
    path("accounts/", include("allauth.urls")),
    path("", include("stockport_hubs.administration.urls")),
    path("jobs/", include("stockport_hubs.jobs.urls")),
    path("messages/", include("stockport_hubs.notifications.urls")),
    path("people/", include("careleavers.urls")),
    path("introductions/", include("referrals.urls")),
    path("hall/", include("referrals.hall_urls")),
    path("pantry/", include("pantry.urls")),
    path("tablet/", include("pantry.tablet_urls")),
    path("reviews/", include("reviews.urls")),
]

handler400 = "stockport_hubs.home.errors.bad_request"
handler403 = "stockport_hubs.home.errors.forbidden"
handler404 = "stockport_hubs.home.errors.not_found"
handler500 = "stockport_hubs.home.errors.server_error"
