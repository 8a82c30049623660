"""What meetings and barriers ask someone to do."""

from uuid import UUID

from django.db import models
from django.db.models import Count, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce

from reviews import rules
from reviews.models.barriers import Barrier
from reviews.models.meetings import ReviewMeeting
from stockport_hubs.accounts.models import Role, User
from stockport_hubs.core.models import UuidModel
from stockport_hubs.core.weeks import london_date, spoken


def of_organisation(key: UUID) -> Q:
    """Of a meeting or barrier of this council or operator: whoever moves to another one leaves it behind."""
    of_meetings = Q(meeting__agreement__funder=key) | Q(meeting__agreement__operator=key)
    return of_meetings | Q(barrier__council=key) | Q(barrier__pantry__operator=key)


class ActionQuerySet(models.QuerySet):
    def for_user(self, user: User) -> "ActionQuerySet":
        """Managers of both organisations: those of their meetings and barriers; advisors: of barriers they work on,
        and their own in their council."""
        seen = Q(barrier__in=Barrier.objects.for_user(user))
        if user.role in (Role.LEAVING_CARE_MANAGER, Role.PANTRY_MANAGER):
            return self.filter(seen | Q(meeting__in=ReviewMeeting.objects.for_user(user)))
        if user.role == Role.PERSONAL_ADVISOR:
            return self.filter(seen | Q(of_organisation(user.organisation_id), owner=user))
        return self.none()

    def waiting(self) -> "ActionQuerySet":
        return self.filter(done_on__isnull=True)

    def with_carrying(self) -> "ActionQuerySet":
        """`times_carried`: on how many agendas it has stood since the meeting it was made at."""
        from reviews.models.agenda import AgendaItem, AgendaKind

        stood = AgendaItem.objects.filter(kind=AgendaKind.ACTION, source=OuterRef("pk")).order_by()
        counted = stood.values("source").annotate(times=Count("pk")).values("times")
        return self.annotate(times_carried=Coalesce(Subquery(counted), 0))


class Action(UuidModel):
    """Something a meeting or a barrier asks someone to do."""

    meeting = models.ForeignKey(ReviewMeeting, on_delete=models.CASCADE, null=True, related_name="actions")
    barrier = models.ForeignKey(Barrier, on_delete=models.CASCADE, null=True, related_name="actions")
    what = models.CharField(max_length=300)
    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    due_on = models.DateField()
    done_on = models.DateField(null=True)
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    # The day it was due when its owner was reminded: another day, and they are reminded of that one.
    reminded_soon_of = models.DateField(null=True)
    reminded_late_of = models.DateField(null=True)

    objects = ActionQuerySet.as_manager()

    class Meta:
        ordering = ["due_on"]
        indexes = [
            models.Index(fields=["owner", "due_on"], condition=Q(done_on__isnull=True), name="action_waiting_by_owner"),
            models.Index(fields=["due_on"], condition=Q(done_on__isnull=True), name="action_waiting_by_day"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(meeting__isnull=False) | Q(barrier__isnull=False), name="action_of_a_meeting_or_a_barrier"
            ),
        ]

    @property
    def carried(self) -> str:
        """ "Carried twice, from the meeting of 4 May 2026", of `with_carrying`; nothing for what is new."""
        times = getattr(self, "times_carried", 0)
        since = f", from the meeting of {spoken(london_date(self.meeting.starts_at))}" if self.meeting else ""
        return f"Carried {rules.times(times)}{since}" if times else ""
