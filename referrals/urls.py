from django.urls import path

from referrals.views import answers, drafts, lists

app_name = "referrals"
urlpatterns = [
    path("", lists.index, name="list"),
    path("start/", lists.find, name="find"),
    path("start/<uuid:person_id>/", drafts.start, name="start"),
    path("<uuid:referral_id>/", answers.detail, name="detail"),
    path("<uuid:referral_id>/agreement/", drafts.agreement, name="agreement"),
    path("<uuid:referral_id>/edit/", drafts.edit, name="edit"),
    path("<uuid:referral_id>/check/", drafts.check, name="check"),
    path("<uuid:referral_id>/answer/", answers.answer, name="answer"),
    path("<uuid:referral_id>/reply/", answers.reply, name="reply"),
    path("<uuid:referral_id>/withdraw/", answers.withdraw, name="withdraw"),
]
