"""Passwords: hashing, checking, locking accounts."""

import threading

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from vantage6.common.config.server import PasswordPolicy
from vantage6.common.errors import Invalid, Unauthenticated
from vantage6.models.store import users
from vantage6.models.tables import User

_hasher = PasswordHasher()
# Each check needs 64 MiB, so their number is bounded.
_slots = threading.BoundedSemaphore(4)
#: The hash of no password; checked for unknown users so that they cost the same time.
_NOBODY = _hasher.hash("\0")


def hashed(password: str) -> str:
    """Return the form in which a password is kept."""
    with _slots:
        return _hasher.hash(password)


def matches(kept: str, password: str) -> bool:
    """Tell whether a password is the one that was kept."""
    with _slots:
        try:
            return _hasher.verify(kept, password)
        except (VerificationError, InvalidHashError):
            return False


def check_policy(password: str) -> None:
    """Raise `Invalid` with the first demand that a new password does not meet."""
    demands = (
        (len(password) >= 8, "at least 8 characters"),
        (len(password) <= 128, "at most 128 characters"),
        (any("0" <= c <= "9" for c in password), "a digit"),
        (any("A" <= c <= "Z" for c in password), "an upper-case letter"),
        (any("a" <= c <= "z" for c in password), "a lower-case letter"),
        (any(not c.isalnum() for c in password), "a character that is no letter and no digit"),
    )
    for met, demand in demands:
        if not met:
            raise Invalid(f"The password needs {demand}.", code="weak_password")


def log_in(username: str, password: str, policy: PasswordPolicy) -> User:
    """Return the user with this name and password.

    SECURITY: unknown name, wrong password and locked account answer the same, after the same work.

    Raises
    ------
    Unauthenticated
        If they do not belong together, or the account is locked.
    """
    user = users.find_by_name(username)
    locked = user is not None and users.locked_until(
        user, policy.max_failed_attempts, policy.inactivation_minutes
    )
    right = matches(user.password if user and not locked else _NOBODY, password)
    if user is not None and not locked:
        if right:
            users.login_succeeded(user)
            if _hasher.check_needs_rehash(user.password):
                users.set_password(user, hashed(password))
            return user
        users.login_failed(user, policy.max_failed_attempts, policy.inactivation_minutes)
    raise Unauthenticated("Wrong username or password.", code="wrong_password")
