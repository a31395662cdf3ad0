"""Second factors: the secrets that authenticator apps hold."""

from vantage6.common.clock import now
from vantage6.models import seals
from vantage6.models.database import transaction
from vantage6.models.store import recovery, sessions, users
from vantage6.models.store.recovery import Purpose
from vantage6.models.tables import User


def secret_of(user: User) -> str | None:
    """Return the secret of a user, or None.

    Raises
    ------
    NotConfigured
        If it was sealed with another key than the server has.
    """
    return user.otp_secret and seals.opened(user.otp_secret)


def any_user() -> User | None:
    """Return somebody who has a secret, or None."""
    row: User | None = User.select().where(User.otp_secret.is_null(False)).first()
    return row


def is_confirmed(user: User) -> bool:
    """Tell whether a code was right once, so that the user has the secret for certain."""
    return user.otp_secret is not None and user.otp_last_step is not None


def propose(user: User, secret: str) -> str:
    """Give a user a secret; who has one keeps it. Returns the one that counts."""
    missing = (User.id == user.id) & User.otp_secret.is_null()
    User.update(otp_secret=seals.sealed(secret), otp_last_step=None).where(missing).execute()
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
def reset(token: str, secret: str) -> User:
    """Use a mailed token to store a new secret, which the first right code confirms.

    Raises
    ------
    Invalid, Unauthenticated
        If the token is not good for that (any more).
    """
    user = recovery.spend(token, Purpose.TWO_FACTOR)
    _replace(user, seals.sealed(secret))
    return user


@transaction
def remove(user: User) -> None:
    """Take a user's second factor away; the next login makes a new one where one is asked for."""
    _replace(user, None)


def _replace(user: User, sealed: str | None) -> None:
    fields = {"otp_secret": sealed, "otp_last_step": None, "tokens_valid_from": now()}
    User.update(**fields).where(User.id == user.id).execute()
    recovery.forget_all(user)
    sessions.end_all(user)
