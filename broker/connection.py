"""How each process reaches Redis: the one place for time-outs, and the reasons for them."""

import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import redis
from kombu.exceptions import KombuError
from redis.backoff import NoBackoff
from redis.retry import Retry

from vantage6.broker.queues import CELERY_PREFIX
from vantage6.common.errors import Unavailable

#: A broker on the same network answers in milliseconds; one second leaves room for a TLS handshake.
CONNECT_SECONDS = 1.0
#: Longest wait for an answer. Every command of ours is short, blocking ones bring their own limit.
READ_SECONDS = 2.0
#: The same where somebody waits for our own answer, which can do without the broker's.
HASTY_SECONDS = 0.5
#: Time after a failure in which such a broker is left alone: not everybody pays for an outage.
COOLDOWN_SECONDS = 5.0


class BrokerUnavailable(Unavailable):
    """The message broker does not answer; try again later."""


class Cooldown:
    """The time for which a broker is left alone after a failure. It is over at first."""

    def __init__(self) -> None:
        self._until = 0.0

    def begin(self) -> None:
        """Leave the broker alone from now on."""
        self._until = time.monotonic() + COOLDOWN_SECONDS

    def end(self) -> None:
        """Ask the broker again."""
        self._until = 0.0

    @property
    def is_active(self) -> bool:
        """The broker is left alone at this moment."""
        return time.monotonic() < self._until


@contextmanager
def answering() -> Iterator[None]:
    """Turn each way in which the broker can fail to serve a request into `BrokerUnavailable`."""
    try:
        yield
    # Refused logins and commands count too: for the caller the broker is of no use either way.
    except (redis.RedisError, KombuError, OSError) as error:
        # The text of the error names host and port, which an API must not repeat to its callers.
        raise BrokerUnavailable(
            f"The message broker does not answer ({type(error).__name__}); try again later."
        ) from error


def client(url: str, *, read_seconds: float = READ_SECONDS, retries: int = 1) -> redis.Redis:
    """Return a client that never waits for ever. It connects when it is first used.

    Parameters
    ----------
    url
        ``redis://`` or ``rediss://`` with user and password; certificates are options in its query.
    read_seconds
        Longest wait for the answer to one command.
    retries
        How often a command is sent again when its connection turns out to be closed. A command that
        was sent but not answered in time is never repeated.
    """
    connected: redis.Redis = redis.Redis.from_url(
        url,
        socket_connect_timeout=CONNECT_SECONDS,
        socket_timeout=read_seconds,
        socket_keepalive=True,
        retry=Retry(NoBackoff(), retries, supported_errors=(redis.ConnectionError,)),
        # The user of a node may run five commands. With these two a connection sends AUTH and
        # nothing else of its own accord: no HELLO, no CLIENT SETINFO, no notifications.
        protocol=2,
        driver_info=None,
    )
    return connected


def _tls(url: str) -> dict[str, Any] | None:
    """Return what kombu needs to check the certificate of a ``rediss://`` broker."""
    parts = urlsplit(url)
    if parts.scheme != "rediss" or "ssl_cert_reqs" in parse_qs(parts.query):
        return None
    # SECURITY: without this kombu accepts any certificate.
    return {"ssl_cert_reqs": ssl.CERT_REQUIRED}


def celery_settings(url: str) -> dict[str, Any]:
    """Return the part of Celery's configuration that sender and workers must agree on."""
    secured = _tls(url)
    return {
        "broker_url": url,
        **({"broker_use_ssl": secured} if secured else {}),
        # A worker outlives its broker: it waits for a late one and comes back to a restarted one.
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "broker_channel_error_retry": True,
        "broker_transport_options": {
            # Everything of Celery under one prefix, next to the queues of the nodes.
            "global_keyprefix": CELERY_PREFIX,
            # Time after which an unacknowledged task runs again. The shortest value of any client
            # of the broker wins, so all must have the same. It can be short as no task is long.
            "visibility_timeout": 900,
            # Look for such tasks every 10 seconds. The default is about every 100.
            "unacked_restore_interval": 10,
            "unacked_restore_throttle": 1,
            # kombu waits for ever by default: a publish on a half-open connection would hang, and
            # the health check would never get its turn.
            "socket_connect_timeout": 5,
            "socket_timeout": 30,
            "socket_keepalive": True,
            "health_check_interval": 25,
        },
        # Tasks are sent again by the outbox, so a failed publish may give up soon.
        "task_publish_retry_policy": {
            "max_retries": 2,
            "interval_start": 0,
            "interval_step": 0.2,
            "interval_max": 0.5,
        },
    }
