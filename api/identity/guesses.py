"""Guesses at passwords and codes: reserved before they are checked, counted by network.

No account is locked: who guesses makes the own network wait, and who was logged in from somewhere
else still is, and can log in there.
"""

import threading
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import Any

from vantage6.api.http.limits import Attempt, Limits
from vantage6.api.http.request_slots import without_slot_or_connection
from vantage6.common.errors import TooMany

#: How often, and after how long, a guess asks again whether others have made room.
_WAITS = 10
_WAIT_SECONDS = 0.1
#: Guesses that wait so at once; more are refused without.
_MOST_WAITING = 32

#: By what the guesses of each kind count: from one network, and from all that are unknown.
_COUNTERS = {
    Attempt.PASSWORD: Attempt.PASSWORD_ANYWHERE,
    Attempt.CODE: Attempt.CODE_ANYWHERE,
}


@dataclass(frozen=True)
class Guess:
    """An attempt to log in to an account."""

    #: ``PASSWORD`` or ``CODE``.
    kind: Attempt
    #: What is guessed, as an opaque text; what replaces it is counted anew.
    secret: str
    #: Whose it is; None for a name that nobody has.
    user_id: int | None
    network: str


class Guesses:
    """Checks guesses, one at a time in each process.

    Parameters
    ----------
    limits
        What counts.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._turn = threading.Lock()
        self._waiting = threading.BoundedSemaphore(_MOST_WAITING)

    def is_right(self, guess: Guess, environ: dict[str, Any], check: Callable[[], bool]) -> bool:
        """Tell whether a guess is right, unless there were too many.

        SECURITY: it counts before it is checked, so that those side by side are no more than those
        one after the other. A right one takes back what counts for its network. So many of these
        at once wait for each other for a moment.

        Parameters
        ----------
        guess
            About what, and from where.
        environ
            The request, which gives its slot back while it waits.
        check
            Tells whether it is right.

        Raises
        ------
        TooMany
            If there were; then nothing is checked.
        """
        try:
            return self._in_turn(guess, environ, check)
        except TooMany:
            if not self._waiting.acquire(blocking=False):
                raise
        try:
            for _ in range(_WAITS - 1):
                with without_slot_or_connection(environ):
                    time.sleep(_WAIT_SECONDS)
                with suppress(TooMany):
                    return self._in_turn(guess, environ, check)
            return self._in_turn(guess, environ, check)
        finally:
            self._waiting.release()

    def remember(self, user_id: int, network: str) -> None:
        """Note that a user logged in from a network: guesses from others do not keep it out."""
        self._limits.allows(Attempt.KNOWN, f"{user_id}:{network}")

    def _in_turn(self, guess: Guess, environ: dict[str, Any], check: Callable[[], bool]) -> bool:
        with ExitStack() as held:
            # SECURITY: many at once would otherwise take all slots of the process.
            with without_slot_or_connection(environ):
                held.enter_context(self._turn)
            return self._check(guess, check)

    def _check(self, guess: Guess, check: Callable[[], bool]) -> bool:
        here = f"{guess.secret}:{guess.network}"
        self._limits.check(Attempt.USER_LOGIN, guess.network)
        # SECURITY: who has a password hashes as often as he likes. Only right ones count, so that
        # nobody else keeps an account out.
        owner = f"{guess.user_id}:{guess.network}" if guess.kind is Attempt.PASSWORD else None
        if owner is not None:
            self._limits.check(Attempt.LOGIN, owner)
        self._limits.count(guess.kind, here)
        if not self._is_known(guess):
            # SECURITY: somebody may have many networks; of IPv6, everybody has.
            self._limits.count(_COUNTERS[guess.kind], guess.secret)
        if check():
            self._limits.forget(guess.kind, here)
            if owner is not None:
                self._limits.allows(Attempt.LOGIN, owner)
            return True
        self._limits.allows(Attempt.USER_LOGIN, guess.network)
        return False

    def _is_known(self, guess: Guess) -> bool:
        if guess.user_id is None:
            return False
        return not self._limits.has_left(Attempt.KNOWN, f"{guess.user_id}:{guess.network}")
