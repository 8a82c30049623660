"""Who signs in: one account has one role and one organisation (rules.md, Roles)."""

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.utils.crypto import salted_hmac

from stockport_hubs.core.models import UuidModel, choices_constraint


class OrganisationKind(models.TextChoices):
    COUNCIL = "council", "Council"
    OPERATOR = "operator", "Pantry operator"


class OrganisationQuerySet(models.QuerySet):
    def for_user(self, user: "User") -> "OrganisationQuerySet":
        """Administrators every organisation, others their own."""
        return self if user.role == Role.ADMINISTRATOR else self.filter(pk=user.organisation_id)


class Organisation(UuidModel):
    """The council that pays, or the operator that runs pantries."""

    Kind = OrganisationKind

    name = models.CharField(max_length=120, unique=True)
    kind = models.CharField(max_length=10, choices=Kind)
    is_sample = models.BooleanField(default=False, help_text="Made with the sample pilot; production refuses it.")

    objects = OrganisationQuerySet.as_manager()

    class Meta:
        constraints = [choices_constraint("kind", OrganisationKind, "organisation_kind_valid")]

    def __str__(self):
        return self.name


class Role(models.TextChoices):
    PERSONAL_ADVISOR = "personal_advisor", "Personal advisor"
    LEAVING_CARE_MANAGER = "leaving_care_manager", "Leaving care manager"
    FINANCE_OFFICER = "finance_officer", "Finance officer"
    PANTRY_VOLUNTEER = "pantry_volunteer", "Pantry volunteer"
    PANTRY_MANAGER = "pantry_manager", "Pantry manager"
    ADMINISTRATOR = "administrator", "Administrator"


PANTRY_ROLES = (Role.PANTRY_VOLUNTEER, Role.PANTRY_MANAGER)
COUNCIL_ROLES = tuple(role for role in Role if role not in PANTRY_ROLES)


def organisation_kind(role: str) -> str:
    """The kind of organisation a role belongs to."""
    return Organisation.Kind.OPERATOR if role in PANTRY_ROLES else Organisation.Kind.COUNCIL


class UserQuerySet(models.QuerySet):
    def for_user(self, user: "User") -> "UserQuerySet":
        """Accounts this person administers: administrators everyone, pantry managers their own volunteers."""
        if user.role == Role.ADMINISTRATOR:
            return self
        if user.role == Role.PANTRY_MANAGER:
            return self.filter(organisation_id=user.organisation_id, role=Role.PANTRY_VOLUNTEER)
        return self.none()

    def search(self, words: str) -> "UserQuerySet":
        """Every word must be in the name or the e-mail address."""
        found = self
        for word in words.split():
            found = found.filter(Q(name__icontains=word) | Q(email__icontains=word))
        return found

    def advisors_of(self, organisation_id) -> "UserQuerySet":
        """Personal advisors of a council whose accounts are not deactivated, by name."""
        return self.filter(
            organisation_id=organisation_id, role=Role.PERSONAL_ADVISOR, deactivated_at__isnull=True
        ).order_by("name")


class UserManager(BaseUserManager.from_queryset(UserQuerySet)):  # type: ignore[misc]
    def get_by_natural_key(self, username):
        return self.get(email__iexact=username)


class User(UuidModel, AbstractBaseUser):
    """Someone who signs in with an e-mail address; inactive until the invitation is taken up. A volunteer may have no
    address: they record on their pantry's tablet with a PIN, and sign in nowhere."""

    email = models.EmailField(unique=True, null=True, help_text="In small letters.")
    name = models.CharField(max_length=120)
    work_phone = models.CharField(max_length=30, blank=True)
    role = models.CharField(max_length=25, choices=Role)
    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="+")
    is_active = models.BooleanField(default=False)
    invited_at = models.DateTimeField()
    joined_at = models.DateTimeField(null=True)
    deactivated_at = models.DateTimeField(null=True)
    access_changed_at = models.DateTimeField(
        null=True, help_text="Sessions and links for a new password from before this moment do not count any more."
    )

    objects = UserManager()
    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: list[str] = []  # type: ignore[misc]

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(email=Lower("email")), name="user_email_in_small_letters"),
            models.CheckConstraint(
                condition=Q(email__isnull=False) | Q(role="pantry_volunteer"), name="user_without_email_is_a_volunteer"
            ),
            choices_constraint("role", Role, "user_role_valid"),
            models.CheckConstraint(
                condition=Q(is_active=False) | Q(joined_at__isnull=False, deactivated_at__isnull=True),
                name="user_active_only_when_joined",
            ),
        ]

    def __str__(self):
        return self.name

    def get_short_name(self):
        return self.name.split(" ")[0]

    @property
    def state(self) -> str:
        """How the account stands, in a word or two."""
        if self.deactivated_at:
            return "Deactivated"
        return "Active" if self.joined_at else "Invited"

    @property
    def is_council(self) -> bool:
        return self.role in COUNCIL_ROLES

    def _get_session_auth_hash(self, secret=None) -> str:
        """What Django compares on every request: a session ends when the password or `access_changed_at` changes."""
        of = f"{self.password}|{self.access_changed_at.isoformat() if self.access_changed_at else ''}"
        return salted_hmac("accounts.session", of, secret=secret, algorithm="sha256").hexdigest()


class Invitation(UuidModel):
    """One link to take up an account; only its hash is kept."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="invitations")
    token_hash = models.CharField(max_length=64, unique=True)
    invited_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(expires_at__gt=models.F("created_at")), name="invitation_expires_after_creation"
            ),
            models.UniqueConstraint(
                fields=["user"],
                condition=Q(used_at__isnull=True, withdrawn_at__isnull=True),
                name="invitation_one_open",
            ),
        ]


class Guess(models.Model):
    """How often one secret of one account was tried since the window began; see guesses.py."""

    key = models.CharField(primary_key=True, max_length=64)
    since = models.DateTimeField(db_index=True)
    tries = models.PositiveSmallIntegerField()


class Draft(models.Model):
    """What somebody had entered when their session ended; see drafts.py. One for each account, the newest."""

    user = models.OneToOneField(User, on_delete=models.CASCADE, related_name="+", primary_key=True)
    action = models.CharField(max_length=300, help_text="Where the form was sent.")
    page = models.CharField(max_length=300, help_text="The page on which it stood.")
    fields = models.TextField(help_text="Names and values, encrypted.")
    kept_at = models.DateTimeField()
