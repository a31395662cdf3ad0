"""How the API hands work to the Celery workers: by the name of a task, and without waiting."""

import threading
import time
from typing import Any, cast

from celery import Celery
from kombu import Queue

from vantage6.broker.connection import celery_settings
from vantage6.broker.queues import CONTROL, MAIL
from vantage6.common import logs

log = logs.get(__name__)

#: Limits on connecting and on each answer. A dead broker costs a request both, once.
CONNECT_SECONDS = 0.5
READ_SECONDS = 0.5
#: Time after a failure in which nothing is sent, so that not every request pays for an outage.
REST_SECONDS = 5.0

#: On the default exchange a queue needs no declaration, which spares each kick three commands.
_QUEUES = {
    name: Queue(name, exchange="", routing_key=name, no_declare=True) for name in (CONTROL, MAIL)
}


class ControlSender:
    """Kicks tasks of the queues on which somebody waits, best effort.

    A lost kick does no harm: what has to be done is in the database, and the relay finds it. The
    sender connects when it is first used, so make it before a fork and use it after.

    Parameters
    ----------
    url
        Where Celery's broker is.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock = threading.Lock()
        self._app: Celery | None = None
        self._failing = False
        self._resume_at = 0.0

    def kick(self, task_name: str, *args: Any, queue: str = CONTROL) -> bool:
        """Send a task to the workers; return whether that worked. Takes about a second at most."""
        if time.monotonic() < self._resume_at:
            return False
        try:
            self._celery().send_task(
                task_name,
                args=args,
                queue=cast("str", _QUEUES[queue]),
                ignore_result=True,
                retry=False,
            )
        # The caller has stored what it wants and goes on, whatever goes wrong here.
        except Exception as error:
            self._resume_at = time.monotonic() + REST_SECONDS
            if not self._failing:
                self._failing = True
                log.warning("workers cannot be reached", task=task_name, reason=repr(error))
            return False
        if self._failing:
            self._failing = False
            log.info("workers can be reached again")
        return True

    def _celery(self) -> Celery:
        with self._lock:
            if self._app is None:
                settings = celery_settings(self._url)
                settings["broker_transport_options"] |= {
                    "socket_connect_timeout": CONNECT_SECONDS,
                    "socket_timeout": READ_SECONDS,
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
                self._app = app
            return self._app
