"""Limits on attempts: counted in Redis for all processes, for a while without it too."""

import ipaddress
import math
import time
from collections.abc import Callable
from enum import StrEnum
from functools import cached_property
from typing import TypeVar

import redis
from falcon import Request
from limits import RateLimitItemPerDay, RateLimitItemPerHour, RateLimitItemPerMinute
from limits.storage import MemoryStorage, RedisStorage
from limits.strategies import MovingWindowRateLimiter

from vantage6.broker.connection import HASTY_SECONDS, Cooldown, client
from vantage6.broker.queues import LIMITS_PREFIX
from vantage6.common.config.server import PasswordPolicy, RateLimits
from vantage6.common.errors import TooMany
from vantage6.common.logs import get

log = get(__name__)

T = TypeVar("T")


#: Guesses at one password from all networks together, in guesses that one of them has.
_NETWORKS = 20
_REMEMBERED_DAYS = 90
#: Usernames and addresses of others that an account may ask for in an hour.
_MOST_TAKEN = 30
_DEFAULT_POLICY = PasswordPolicy()


class Attempt(StrEnum):
    """What is counted."""

    #: A failed login of a user, by client address.
    USER_LOGIN = "user_login"
    #: A failed login of a node, by client address.
    NODE_LOGIN = "node_login"
    #: A request to recover an account, by client address.
    RECOVERY = "recovery"
    #: A mail to somebody, by kind and account.
    MAIL = "mail"
    #: A guess at a password, by what is guessed and network; a right one does not count.
    PASSWORD = "password"  # noqa: S105
    #: The same, from all networks without a login of the account.
    PASSWORD_ANYWHERE = "password_anywhere"  # noqa: S105
    #: A right password of an account, by account and network.
    LOGIN = "login"
    #: A guess at the code of an app or a recovery code, in the same two ways.
    CODE = "code"
    CODE_ANYWHERE = "code_anywhere"
    #: A username or an e-mail address that was taken already, by who asked for it.
    TAKEN = "taken"
    #: A login of an account from a network, which is remembered.
    KNOWN = "known"


class Limits:
    """Counts attempts.

    It connects when it is first used, so make it before a fork and use it after.

    Parameters
    ----------
    broker_url
        Where Redis is. While it does not answer, each process counts for itself.
    rates
        How many attempts are allowed.
    policy
        How many guesses.
    """

    def __init__(
        self, broker_url: str, rates: RateLimits, policy: PasswordPolicy = _DEFAULT_POLICY
    ) -> None:
        self._url = broker_url
        most, minutes = policy.max_failed_attempts, policy.inactivation_minutes
        self._allowed = {
            Attempt.USER_LOGIN: RateLimitItemPerMinute(rates.failed_logins),
            Attempt.NODE_LOGIN: RateLimitItemPerMinute(rates.failed_logins),
            Attempt.RECOVERY: RateLimitItemPerHour(rates.recoveries),
            Attempt.MAIL: RateLimitItemPerHour(rates.mails),
            Attempt.PASSWORD: RateLimitItemPerMinute(most, minutes),
            Attempt.PASSWORD_ANYWHERE: RateLimitItemPerMinute(_NETWORKS * most, minutes),
            Attempt.LOGIN: RateLimitItemPerMinute(rates.logins),
            Attempt.CODE: RateLimitItemPerMinute(most, minutes),
            # Six digits are few, and who guesses them knows the password.
            Attempt.CODE_ANYWHERE: RateLimitItemPerMinute(most, minutes),
            Attempt.TAKEN: RateLimitItemPerHour(_MOST_TAKEN),
            Attempt.KNOWN: RateLimitItemPerDay(1, _REMEMBERED_DAYS),
        }
        self._cooldown = Cooldown()

    def check(self, attempt: Attempt, who: str) -> None:
        """Raise `TooMany` if a key has no attempt left; counts nothing."""
        if not self.has_left(attempt, who):
            raise self._refusal(attempt, who)

    def has_left(self, attempt: Attempt, who: str) -> bool:
        """Tell whether a key has an attempt left; counts nothing."""
        item = self._allowed[attempt]
        return self._ask(lambda limiter: limiter.test(item, attempt, who))

    def forget(self, attempt: Attempt, who: str) -> None:
        """Forget the attempts of a key."""
        item = self._allowed[attempt]
        self._ask(lambda limiter: limiter.clear(item, attempt, who))

    def count(self, attempt: Attempt, who: str) -> None:
        """Count an attempt; raise `TooMany` if there was none left."""
        if not self.allows(attempt, who):
            raise self._refusal(attempt, who)

    def allows(self, attempt: Attempt, who: str) -> bool:
        """Count an attempt and tell whether there was one left."""
        item = self._allowed[attempt]
        return self._ask(lambda limiter: limiter.hit(item, attempt, who))

    def _refusal(self, attempt: Attempt, who: str) -> TooMany:
        item = self._allowed[attempt]
        window = self._ask(lambda limiter: limiter.get_window_stats(item, attempt, who))
        seconds = max(1, math.ceil(window.reset_time - time.time()))
        log.warning("too many attempts", attempt=attempt, who=who)
        return TooMany(f"Too many attempts; try again in {seconds} seconds.", retry_after=seconds)

    def _ask(self, question: Callable[[MovingWindowRateLimiter], T]) -> T:
        if not self._cooldown.is_active:
            try:
                return question(self._shared)
            except redis.RedisError as error:
                self._cooldown.begin()
                log.warning("attempts are counted by each process", reason=type(error).__name__)
        return question(self._own)

    @cached_property
    def _shared(self) -> MovingWindowRateLimiter:
        pool = client(self._url, read_seconds=HASTY_SECONDS).connection_pool
        return MovingWindowRateLimiter(
            RedisStorage("redis://", connection_pool=pool, key_prefix=LIMITS_PREFIX)
        )

    @cached_property
    def _own(self) -> MovingWindowRateLimiter:
        return MovingWindowRateLimiter(MemoryStorage())


def client_address(req: Request, proxies: int) -> str:
    """Return the address that a request comes from.

    SECURITY: each proxy appends the address that it was called from. What stands left of what our
    own proxies wrote was written by the client.

    Parameters
    ----------
    req
        The request.
    proxies
        How many proxies of ours it passed.
    """
    hops = (req.get_header("X-Forwarded-For") or "").split(",") if proxies else []
    address = hops[-proxies].strip() if 0 < proxies <= len(hops) else req.remote_addr
    try:
        return str(ipaddress.ip_address(address))
    except ValueError:
        return req.remote_addr


def network_of(address: str) -> str:
    """Return what attempts are counted by: one client has a whole IPv6 network of 64 bits."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address
    if ip.version == 6 and ip.ipv4_mapped is None:
        return str(ipaddress.ip_network((ip, 64), strict=False))
    return address
