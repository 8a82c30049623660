"""What a volunteer records beside a collection; addresses that say no more than the pages do."""

from django.urls import path

from referrals.views import hall, worries

app_name = "hall"
urlpatterns = [
    path("<uuid:session_id>/members/<uuid:membership_id>/", hall.member, name="member"),
    path("<uuid:session_id>/members/<uuid:membership_id>/told/", hall.tell, name="tell"),
    path("<uuid:session_id>/members/<uuid:membership_id>/helps/", hall.wish, name="wish"),
    path("<uuid:session_id>/members/<uuid:membership_id>/helps/take-back/", hall.wish_take_back, name="wish_take_back"),
    path("told/<uuid:told_id>/take-back/", hall.told_take_back, name="told_take_back"),
    path("<uuid:session_id>/worried/", worries.worried, name="worry"),
]
