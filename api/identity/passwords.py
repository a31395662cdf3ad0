"""Passwords: hashing, checking, and what a new one must look like."""

import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from functools import cache
from typing import Any, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from vantage6.api.http.request_slots import without_slot_or_connection
from vantage6.common.errors import Invalid

T = TypeVar("T")

#: What OWASP recommends where one thread hashes: 19 MiB, two passes.
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
#: How far hashing steps back behind the other threads of the machine.
_NICENESS = 10


def _step_back() -> None:
    # On Linux a thread has a priority of its own.
    if sys.platform == "linux":
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)


@cache
def _lane() -> ThreadPoolExecutor:
    """Return the one lane of this process: many logins at once delay each other, and nothing else.

    It is made when it is first used: after the processes of a server were forked. Two who use it
    first at the same moment may get one each, for that once.
    """
    return ThreadPoolExecutor(1, "passwords", initializer=_step_back)


@cache
def _nobody(hasher: PasswordHasher) -> str:
    """Return the hash of no password, which is checked for unknown users."""
    return hasher.hash("\0")


def _verify(kept: str | None, password: str) -> bool:
    # SECURITY: made for whoever logs in first, so that an unknown user never costs more.
    nobody = _nobody(_hasher)
    return _hasher.verify(nobody if kept is None else kept, password)


def _alone(work: Callable[..., T], *args: str | None, environ: dict[str, Any] | None = None) -> T:
    done = _lane().submit(work, *args)
    if environ is not None:
        # SECURITY: many that wait for the lane would otherwise take all slots of the process.
        with without_slot_or_connection(environ):
            wait([done])
    return done.result()


def hash_password(password: str, environ: dict[str, Any] | None = None) -> str:
    """Return the form in which a password is kept.

    Parameters
    ----------
    password
        The password.
    environ
        The request, if it is for one, which gives its slot back meanwhile. It is in no transaction.
    """
    return _alone(_hasher.hash, password, environ=environ)


def matches(kept: str | None, password: str, environ: dict[str, Any] | None = None) -> bool:
    """Tell whether a password is the one that was kept; None matches nothing, at the same cost.

    The request is as for `hash_password`.
    """
    try:
        return _alone(_verify, kept, password, environ=environ)
    except (VerificationError, InvalidHashError):
        return False


def is_outdated(kept: str) -> bool:
    """Tell whether a password was hashed with other parameters than today's."""
    return _hasher.check_needs_rehash(kept)


def check_policy(password: str) -> None:
    """Raise `Invalid` with all demands that a new password does not meet."""
    demands = (
        (len(password) >= 8, "at least 8 characters"),
        (len(password) <= 128, "at most 128 characters"),
        (any("0" <= c <= "9" for c in password), "a digit"),
        (any("A" <= c <= "Z" for c in password), "an upper-case letter"),
        (any("a" <= c <= "z" for c in password), "a lower-case letter"),
        (any(not c.isalnum() for c in password), "a character that is no letter and no digit"),
    )
    if missing := [demand for met, demand in demands if not met]:
        *others, last = missing
        listed = f"{', '.join(others)} and {last}" if others else last
        raise Invalid(f"The password needs {listed}.", code="weak_password")
