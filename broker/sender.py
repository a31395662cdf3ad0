"""How the API hands work to the Celery workers: by the name of a task, and without waiting."""

import threading
from collections.abc import Callable
from typing import Any, cast

from celery import Celery
from kombu import Queue

from vantage6.broker.connection import HASTY_SECONDS, Cooldown, celery_settings, client
from vantage6.broker.queues import CONTROL, MAIL, WORKERS_CALLED
from vantage6.common import logs

log = logs.get(__name__)

#: Limit on connecting. A dead broker costs a request this and the wait for an answer, once.
CONNECT_SECONDS = 0.5
#: After this time a worker that was called and did not begin is called again.
CALL_SECONDS = 2.0

#: On the default exchange a queue needs no declaration, which spares each kick three commands.
_QUEUES = {
    name: Queue(name, exchange="", routing_key=name, no_declare=True) for name in (CONTROL, MAIL)
}


class ControlSender:
    """Kicks tasks of the queues on which users wait, best effort.

    A lost kick does no harm: what has to be done is in the database, and the relay finds it. The
    sender connects when it is first used, so make it before a fork and use it after.

    Parameters
    ----------
    url
        Where Celery's broker is.
    is_quiet
        Log nothing where the broker does not answer.
    """

    def __init__(self, url: str, *, is_quiet: bool = False) -> None:
        self._url = url
        self._redis = client(url, read_seconds=HASTY_SECONDS)
        self._lock = threading.Lock()
        self._app: Celery | None = None
        self._failing = False
        self._is_quiet = is_quiet
        self._cooldown = Cooldown()

    def kick(self, task_name: str, *args: Any, queue: str = CONTROL) -> bool:
        """Send a task to the workers; return whether that worked. Takes about a second at most."""
        return self._attempt(task_name, lambda: self._send(task_name, args, queue))

    def call(self, task_name: str) -> bool:
        """Have a worker look for what there is to do, as `kick` does.

        PERF: nothing is sent while one that was called has not begun: it will find that, too. The
        task says that it begins by removing the key, before it looks.
        """
        milliseconds = int(CALL_SECONDS * 1000)

        def send() -> None:
            if self._redis.set(WORKERS_CALLED, task_name, nx=True, px=milliseconds):
                self._send(task_name, (), CONTROL)

        return self._attempt(task_name, send)

    def _attempt(self, task_name: str, send: Callable[[], None]) -> bool:
        if self._cooldown.is_active:
            return False
        try:
            send()
        # The caller has stored what it wants and goes on, whatever goes wrong here.
        except Exception as error:
            self._cooldown.begin()
            if not self._failing and not self._is_quiet:
                self._failing = True
                log.warning("workers cannot be reached", task=task_name, reason=repr(error))
            return False
        if self._failing:
            self._failing = False
            log.info("workers can be reached again")
        return True

    def _send(self, task_name: str, args: tuple[Any, ...], queue: str) -> None:
        self._celery().send_task(
            task_name,
            args=args,
            queue=cast("str", _QUEUES[queue]),
            ignore_result=True,
            retry=False,
        )

    def _celery(self) -> Celery:
        with self._lock:
            if self._app is None:
                self._app = hasty_app(self._url)
            return self._app


def hasty_app(url: str) -> Celery:
    """Return an application of Celery that only sends, and gives up soon."""
    settings = celery_settings(url)
    settings["broker_transport_options"] |= {
        "socket_connect_timeout": CONNECT_SECONDS,
        "socket_timeout": HASTY_SECONDS,
        # kombu tries to connect for ever unless told otherwise.
        "max_retries": 0,
    }
    app = Celery("vantage6-sender", set_as_current=False)
    app.conf.update(
        settings,
        task_serializer="json",
        # More than a process has threads: nobody waits for somebody else's connection.
        broker_pool_limit=128,
    )
    return app
