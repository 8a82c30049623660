"""Volunteers who record on a tablet: added by name, a starting code once, a PIN of their own, five wrong ones."""

import re
import secrets
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction
from django.db.models import F
from django.utils.crypto import salted_hmac

from pantry import wording
from pantry.models import Pantry, PantryStaff, PinTries, Tablet, VolunteerPin
from pantry.services import places, tablets
from pantry.services.tablet_tokens import READS_FOR, Token
from stockport_hubs.accounts.models import Role, User
from stockport_hubs.audit import services as audit
from stockport_hubs.core import weeks
from stockport_hubs.core.errors import Refused

WRONG_AT_MOST = 5
CODE_FOR = timedelta(days=7)
NAME = re.compile(r"[^\W\d_](?:[^\W\d_]|[-'’](?=[^\W\d_])){0,28}[^\W\d_]?")
DIGITS = re.compile(r"[0-9]{6}")
RUNS = ("01234567890", "09876543210")


class WrongPin(Refused):
    """Not this PIN; `left` tries are left."""

    def __init__(self, what: str, left: int):
        tries = "1 try is" if left == 1 else f"{left} tries are"
        super().__init__(f"That is not the {what}. {tries} left on this tablet.")
        self.left = left


class ShutOut(Refused):
    """No tries are left on this tablet until the pantry manager gives a new code."""

    def __init__(self) -> None:
        super().__init__(
            f"{WRONG_AT_MOST} wrong ones were entered, so this name is closed on this tablet. "
            "Ask the pantry manager for a new starting code."
        )


@transaction.atomic
def add(*, pantry: Pantry, called: str, by: User, at: datetime) -> tuple[User, str]:
    """Someone who works at the pantry and signs in nowhere; (account, starting code, which is shown once)."""
    tablets.check_manager(pantry, by)
    called = wording.refuse_forbidden(called.strip())
    if not NAME.fullmatch(called):
        raise Refused("Enter one first name or nickname, without a surname: up to 30 letters.")
    today = weeks.london_date(at)
    Pantry.objects.select_for_update(no_key=True).get(pk=pantry.pk)  # of two at once the second sees the first
    if any(name.casefold() == called.casefold() for name in names(working_at(pantry, today)).values()):
        raise Refused(
            f"There is a volunteer called {called} here already. Enter a nickname, so that nobody mixes them up."
        )
    user = User(name=called, email=None, role=Role.PANTRY_VOLUNTEER, organisation_id=pantry.operator_id)
    user.invited_at = user.joined_at = at
    user.is_active = True
    user.set_unusable_password()
    user.save(force_insert=True)
    places.attach_volunteer(pantry=pantry, user=user, from_on=today, by=by, at=at)
    audit.record("pantry.volunteer.added", at=at, by=by, target=user, detail={"pantry": str(pantry.pk)})
    return user, new_code(user=user, pantry=pantry, by=by, at=at)


@transaction.atomic
def new_code(*, user: User, pantry: Pantry, by: User, at: datetime) -> str:
    """Six digits to set a PIN with, good once and for seven days. The present PIN ends, all tries are given again."""
    tablets.check_manager(pantry, by)
    check_works(user, pantry, at=at)
    code = _digits()
    given = {
        "code_hash": hash_of(user, code),
        "code_until": at + CODE_FOR,
        "pin_hash": "",
        "salt": "",
        "changed_at": at,
    }
    VolunteerPin.objects.update_or_create(user=user, defaults=given)
    PinTries.objects.filter(user=user).delete()
    audit.record("pantry.volunteer.code_given", at=at, by=by, target=user, detail={"pantry": str(pantry.pk)})
    return code


@transaction.atomic
def deactivate(*, user: User, pantry: Pantry, by: User, at: datetime) -> None:
    """Somebody without e-mail who records no more: no tablet opens to them from the next request on; rows stay."""
    tablets.check_manager(pantry, by)
    user = User.objects.select_for_update(of=("self",)).get(pk=user.pk)
    if user.organisation_id != pantry.operator_id or user.email is not None:
        raise Refused("This volunteer signs in by email. Deactivate the account on its own page.")
    if user.deactivated_at:
        raise Refused(f"{user.name} is already deactivated.")
    user.is_active, user.deactivated_at, user.access_changed_at = False, at, at
    user.save(update_fields=["is_active", "deactivated_at", "access_changed_at"])
    VolunteerPin.objects.filter(user=user).delete()
    audit.record("administration.account.deactivated", at=at, by=by, target=user)


def working_at(pantry: Pantry, on) -> list[User]:
    """Volunteers who may record at the pantry that day, by name."""
    staff = PantryStaff.objects.in_force_on(on).filter(pantry=pantry)
    active = User.objects.filter(role=Role.PANTRY_VOLUNTEER, organisation_id=pantry.operator_id, is_active=True)
    return list(active.filter(pk__in=staff.values("user")).order_by("name", "pk"))


def works_at(user: User, pantry: Pantry, *, at: datetime) -> bool:
    """Whether the volunteer may record at this pantry now: still active, still a volunteer of it."""
    if not user.is_active or user.role != Role.PANTRY_VOLUNTEER or user.organisation_id != pantry.operator_id:
        return False
    return PantryStaff.objects.in_force_on(weeks.london_date(at)).filter(pantry=pantry, user=user).exists()


def check_works(user: User, pantry: Pantry, *, at: datetime) -> None:
    """Refused where works_at says no."""
    if not works_at(user, pantry, at=at):
        raise Refused(f"{user.get_short_name()} does not record at {pantry}. Add them to its volunteers first.")


@dataclass(frozen=True)
class Standing:
    """A volunteer as the pantry manager's page shows them."""

    user: User
    called: str
    pin: str  # set, code, run_out, none
    code_until: datetime | None
    shut_out: tuple[str, ...]  # names of tablets on which no tries are left


def overview(pantry: Pantry, *, at: datetime) -> list[Standing]:
    """Who records at the pantry today and how their PINs stand; three queries for any number."""
    users = working_at(pantry, weeks.london_date(at))
    called, kept = names(users), VolunteerPin.objects.in_bulk([user.pk for user in users])
    shut: dict = defaultdict(list)
    tries = PinTries.objects.filter(user__in=users, tablet__pantry=pantry, tries__gte=WRONG_AT_MOST)
    for user_id, name in (
        tries.filter(tablet__revoked_at=None).order_by("tablet__name").values_list("user", "tablet__name")
    ):
        shut[user_id].append(name)
    return [
        Standing(user, called[user.pk], _pin(kept.get(user.pk), at), _until(kept.get(user.pk)), tuple(shut[user.pk]))
        for user in users
    ]


def _until(kept: VolunteerPin | None) -> datetime | None:
    return kept.code_until if kept else None


def _pin(kept: VolunteerPin | None, at: datetime) -> str:
    if kept is None:
        return "none"
    if kept.code_until:
        return "code" if kept.code_until > at else "run_out"
    return "set" if kept.pin_hash else "none"


def names(users: list[User]) -> dict:
    """What each is called on a tablet, by id: the first name, with the first letter of the next where two share it."""
    first = [user.get_short_name() for user in users]
    found = {}
    for user, short in zip(users, first, strict=True):
        more = user.name.split(" ")[1:]
        found[user.pk] = f"{short} {more[-1][0]}" if more and first.count(short) > 1 else short
    return found


# -- codes and PINs ----------------------------------------------------------------------------------------------------


def _digits() -> str:
    while is_plain(code := f"{secrets.randbelow(1_000_000):06d}"):
        pass
    return code


def is_plain(digits: str) -> bool:
    """One digit six times, or six in a row: what is tried first."""
    return len(set(digits)) == 1 or any(digits in run for run in RUNS)


def _peppered(user: User, digits: str) -> str:
    """A copy of the database alone finds no PIN: six digits are tried through in no time."""
    return salted_hmac("pantry.pin", f"{user.pk}|{digits}", algorithm="sha256").hexdigest()


def hash_of(user: User, digits: str) -> str:
    """As a code or PIN is kept."""
    return make_password(_peppered(user, digits))


def _take(tablet: Tablet, user: User, on) -> None:
    """Count one try before it is looked at: of any number at once, five pass."""
    left = PinTries.objects.filter(tablet=tablet, user=user, tries__lt=WRONG_AT_MOST)
    if left.update(tries=F("tries") + 1):
        return
    PinTries.objects.bulk_create([PinTries(tablet=tablet, user=user, since=on)], ignore_conflicts=True)
    if not left.update(tries=F("tries") + 1):
        raise ShutOut


def _right(tablet: Tablet, user: User, on) -> None:
    """It was no wrong one; those of earlier days are forgotten with it, those of today are not."""
    mine = PinTries.objects.filter(tablet=tablet, user=user, tries__gt=0)
    if not mine.filter(since=on).update(tries=F("tries") - 1):
        mine.exclude(since=on).update(tries=0, since=on)


def _wrong(tablet: Tablet, user: User, what: str) -> Refused:
    tries = PinTries.objects.filter(tablet=tablet, user=user).values_list("tries", flat=True).first() or 0
    left = WRONG_AT_MOST - tries
    return WrongPin(what, left) if left > 0 else ShutOut()


def unlock(*, tablet: Tablet, user: User, pin: str, at: datetime) -> tuple[Token, str]:
    """(token, salt) for a right PIN. Refused: WrongPin, ShutOut, or in words. Not atomic: a try stays counted."""
    check_works(user, tablet.pantry, at=at)
    kept = VolunteerPin.objects.filter(user=user).first()
    if kept is None or not kept.pin_hash:
        raise Refused("No PIN is set yet. Ask the pantry manager for a starting code.")
    on = weeks.london_date(at)
    _take(tablet, user, on)
    if not DIGITS.fullmatch(pin) or not check_password(_peppered(user, pin), kept.pin_hash):
        raise _wrong(tablet, user, "PIN")
    _right(tablet, user, on)
    audit.record("pantry.tablet.unlocked", at=at, by=user, target=tablet)
    return token_for(user, tablet, at=at), kept.salt


def set_pin(*, tablet: Tablet, user: User, code: str, pin: str, at: datetime) -> tuple[Token, str]:
    """Set the PIN with the starting code, which is used up; (token, salt) as unlock."""
    check_works(user, tablet.pantry, at=at)
    if not DIGITS.fullmatch(pin):
        raise Refused("A PIN has six digits.")
    if is_plain(pin) or pin == code:
        raise Refused("Choose a PIN that nobody guesses: not one digit six times, not digits in a row, not the code.")
    on = weeks.london_date(at)
    kept = VolunteerPin.objects.filter(user=user).first()
    if kept is None or not kept.code_hash:
        raise Refused("No starting code is open for this name. Ask the pantry manager for one.")
    _take(tablet, user, on)
    if not DIGITS.fullmatch(code) or not check_password(_peppered(user, code), kept.code_hash):
        raise _wrong(tablet, user, "starting code")
    _right(tablet, user, on)
    if kept.code_until and kept.code_until <= at:
        raise Refused(
            "This starting code has run out: it was good for seven days. Ask the pantry manager for a new one."
        )
    made = {"code_hash": "", "code_until": None, "pin_hash": hash_of(user, pin), "salt": secrets.token_hex(16)}
    with transaction.atomic():
        # Claim, then act: a code that was used, or replaced, meanwhile sets nothing.
        if not VolunteerPin.objects.filter(user=user, code_hash=kept.code_hash).update(**made, changed_at=at):
            raise Refused("This starting code has just been used. Enter your PIN.")
        audit.record("pantry.volunteer.pin_set", at=at, by=user, target=user, detail={"tablet": str(tablet.pk)})
    return token_for(user, tablet, at=at), made["salt"]  # type: ignore[return-value]


def token_for(user: User, tablet: Tablet, *, at: datetime) -> Token:
    """For the sessions of the day, and of the next opening where the day has none left."""
    today = weeks.london_date(at)
    ahead = [each.session.pk for each in tablets.openings(tablet.pantry, at=at) if each.session.on >= today]
    return Token(user.pk, tablet.pk, tuple(ahead), at)


def may_read(token: Token | None, tablet: Tablet, *, at: datetime) -> User | None:
    """The volunteer whose token still shows lists on this tablet; None where the PIN has to be entered again."""
    if token is None or token.tablet != tablet.pk or not token.at <= at < token.at + READS_FOR:
        return None
    user = User.objects.filter(pk=token.volunteer).first()
    if user is None or not works_at(user, tablet.pantry, at=at):
        return None
    if user.access_changed_at and user.access_changed_at > token.at:
        return None
    is_same_pin = VolunteerPin.objects.filter(user=user, changed_at__lte=token.at).exclude(pin_hash="").exists()
    return user if is_same_pin else None
