from django.urls import path

from referrals.views import (
    agreements,
    answers,
    community,
    directory,
    drafts,
    helpers,
    lists,
    members,
    waiting,
    walk_ins,
    worries,
)

app_name = "referrals"
urlpatterns = [
    path("", lists.index, name="list"),
    path("start/", lists.find, name="find"),
    path("start/<uuid:person_id>/", drafts.start, name="start"),
    path("waiting/", waiting.waiting_lists, name="waiting"),
    path("<uuid:referral_id>/", answers.detail, name="detail"),
    path("<uuid:referral_id>/agreement/", drafts.agreement, name="agreement"),
    path("<uuid:referral_id>/edit/", drafts.edit, name="edit"),
    path("<uuid:referral_id>/check/", drafts.check, name="check"),
    path("<uuid:referral_id>/answer/", answers.answer, name="answer"),
    path("<uuid:referral_id>/reply/", answers.reply, name="reply"),
    path("<uuid:referral_id>/withdraw/", answers.withdraw, name="withdraw"),
    # a member the council introduced
    path("<uuid:referral_id>/pause/", members.pause, name="pause"),
    path("<uuid:referral_id>/resume/", members.resume, name="resume"),
    path("<uuid:referral_id>/end/", members.leave, name="leave"),
    path("<uuid:referral_id>/move/", members.move, name="move"),
    path("<uuid:referral_id>/move/undo/", members.move_take_back, name="move_take_back"),
    path("<uuid:referral_id>/next-block/", members.renewal, name="renewal"),
    path("<uuid:referral_id>/follow-up/", members.follow_up, name="follow_up"),
    # the agreement to share afterwards, and a death
    path("people/<uuid:person_id>/agreement/", agreements.share, name="person_share"),
    path("people/<uuid:person_id>/agreement/withdraw/", agreements.withdraw, name="person_withdraw"),
    path("people/<uuid:person_id>/died/", agreements.died, name="died"),
    path("people/<uuid:person_id>/died/correct/", agreements.not_died, name="not_died"),
    path("printed/", agreements.printed, name="printed"),
    path("printed/<uuid:printed_id>/destroyed/", agreements.destroyed, name="destroyed"),
    # someone who came by themselves
    path("walk-ins/", walk_ins.index, name="walk_ins"),
    path("walk-ins/show/<uuid:membership_id>/", walk_ins.show, name="walk_in_show"),
    path("walk-ins/<uuid:walk_in_id>/take-back/", walk_ins.take_back, name="walk_in_take_back"),
    path("walk-ins/<uuid:walk_in_id>/not-ours/", walk_ins.not_ours, name="walk_in_not_ours"),
    path("walk-ins/<uuid:walk_in_id>/confirm/", walk_ins.confirm, name="walk_in_confirm"),
    # beyond the pantry
    path("links/", community.link_list, name="links"),
    path("links/<uuid:link_id>/", community.link, name="link"),
    path("links/<uuid:link_id>/undo/", community.link_undo, name="link_undo"),
    path("people/<uuid:person_id>/links/offer/", community.link_offer, name="link_offer"),
    path("volunteering/", community.volunteering_list, name="volunteering"),
    path("people/<uuid:person_id>/volunteering/", community.volunteer, name="volunteer"),
    path("people/<uuid:person_id>/volunteering/undo/", community.volunteer_undo, name="volunteer_undo"),
    path("directory/", directory.index, name="directory"),
    path("directory/add/", directory.add, name="entry_add"),
    path("directory/<uuid:entry_id>/", directory.edit, name="entry_edit"),
    path("directory/<uuid:entry_id>/retire/", directory.retire, name="entry_retire"),
    # what was said in a hall
    path("helpers/", helpers.helpers, name="helpers"),
    path("helpers/<uuid:helper_id>/", helpers.helper, name="helper"),
    path("helpers/<uuid:helper_id>/take-back/", helpers.helper_take_back, name="helper_take_back"),
    path("worries/", worries.worries, name="worries"),
    path("worries/<uuid:worry_id>/", worries.answer, name="worry_answer"),
]
