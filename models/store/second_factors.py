"""Second factors: the secrets that authenticator apps hold, and what stands in for a lost one."""

import base64
import secrets

from vantage6.common.clock import now
from vantage6.common.errors import Unauthenticated
from vantage6.common.secret_files import hash_secret
from vantage6.models import seals
from vantage6.models.database import transaction
from vantage6.models.store import recovery, sessions, users
from vantage6.models.store.recovery import Purpose
from vantage6.models.tables import RecoveryCode, User

_CODES = 10
#: 80 bits are 16 letters and digits; nobody guesses them, not even with the hash.
_CODE_BYTES = 10


def secret_of(user: User) -> str | None:
    """Return the secret of a user, or None.

    Raises
    ------
    NotConfigured
        If it was sealed with another key than the server has.
    """
    return user.otp_secret and seals.unseal(user.otp_secret)


def any_user() -> User | None:
    """Return one user who has a secret, or None."""
    row: User | None = User.select().where(User.otp_secret.is_null(False)).first()
    return row


def is_confirmed(user: User) -> bool:
    """Tell whether a code was right once, so that the user has the secret for certain."""
    return user.otp_secret is not None and user.otp_last_step is not None


def propose(user: User, secret: str) -> str:
    """Give a user a secret; who has one keeps it. Returns the one that counts."""
    missing = (User.id == user.id) & User.otp_secret.is_null()
    User.update(otp_secret=seals.seal(secret), otp_last_step=None).where(missing).execute()
    return secret_of(users.get(user.id)) or ""


@transaction
def use_step(user: User, step: int) -> bool:
    """Note that the code of a time step was used; tell whether it had not been, nor a later one.

    The first one confirms the secret; sessions from before, which knew none, end then.
    """
    fresh = (
        (User.id == user.id)
        & (User.otp_secret == user.otp_secret)
        & (User.otp_last_step.is_null() | (User.otp_last_step < step))
    )
    if not User.update(otp_last_step=step).where(fresh).execute():
        return False
    if user.otp_last_step is None:
        sessions.end_all(user)
    return True


@transaction
def new_codes(user: User) -> list[str]:
    """Give a user new recovery codes instead of the old ones; only their hashes are kept."""
    codes = [_random_code() for _ in range(_CODES)]
    RecoveryCode.delete().where(RecoveryCode.user == user.id).execute()
    RecoveryCode.insert_many(
        [{"user": user.id, "code": hash_secret(_plain(code))} for code in codes]
    ).execute()
    return codes


def use_code(user: User, code: str) -> bool:
    """Use a recovery code up; tell whether it was one."""
    kept = (RecoveryCode.user == user.id) & (RecoveryCode.code == hash_secret(_plain(code)))
    # Of two who use it at once, one finds nothing left to remove.
    return bool(RecoveryCode.delete().where(kept).execute())


def _random_code() -> str:
    text = base64.b32encode(secrets.token_bytes(_CODE_BYTES)).decode()
    return "-".join(text[start : start + 4] for start in range(0, len(text), 4))


def _plain(code: str) -> str:
    return "".join(code.split()).replace("-", "").upper()


@transaction
def reset(token: str, code: str | None, secret: str) -> User:
    """Use a mailed token and a recovery code to store a new secret.

    The first right code of it confirms it.

    SECURITY: a mailbox sets a new password too. Without the code, it alone would open an account
    that has a second factor.

    Raises
    ------
    Invalid, Unauthenticated
        If the token is not good for that (any more), or the code is missing or wrong.
    """
    user = recovery.spend(token, Purpose.TWO_FACTOR)
    if is_confirmed(user) and not (code and use_code(user, code)):
        # The transaction ends with this, so that the token stays good.
        raise Unauthenticated(
            "The token is not enough: send one of your recovery codes after it. Without one, "
            "an administrator of the accounts of your organization can remove your second "
            "factor.",
            code="recovery_code_needed",
        )
    _replace(user, seals.seal(secret))
    return user


@transaction
def remove(user: User) -> None:
    """Take a user's second factor away; the next login makes a new one where one is asked for."""
    _replace(user, None)


def _replace(user: User, sealed: str | None) -> None:
    fields = {"otp_secret": sealed, "otp_last_step": None, "tokens_valid_from": now()}
    User.update(**fields).where(User.id == user.id).execute()
    RecoveryCode.delete().where(RecoveryCode.user == user.id).execute()
    recovery.forget_all(user)
    sessions.end_all(user)
