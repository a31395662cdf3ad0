"""What operators watch: numbers for Prometheus, and events for Flower. What pages watch: changes.

All are ornaments. They are put down at once and sent by a thread within a second, many in one
round trip, so that no request waits for them. While the broker is away events are forgotten, and
numbers are kept: they go with the first that is counted after the cooldown. All processes of a
server count into the same hash in Redis: so it makes no difference which of them a scrape meets,
nor when one of them ends.
"""

import json
import threading
import time
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any, cast

import redis
from celery import Celery
from celery.events.event import Event, get_exchange

from vantage6.broker import changes
from vantage6.broker.changes import Change
from vantage6.broker.connection import HASTY_SECONDS, Cooldown, answering, client
from vantage6.broker.metrics import Metric
from vantage6.broker.queues import METRICS
from vantage6.broker.sender import hasty_app
from vantage6.common import logs

log = logs.get(__name__)

#: For so long numbers and events are collected.
_PAUSE_SECONDS = 0.5
#: Events that wait; what comes on top of them is forgotten.
_MOST_EVENTS = 10_000
#: Changes that wait; a client that misses one looks again after a while.
_MOST_CHANGES = 10_000
#: Events in one message, which stays below a megabyte.
_BATCH = 500

#: A number of a metric: its name, its labels, and the bucket or ``sum``; empty for a counter.
Number = tuple[str, tuple[str, ...], str]
SUM = "sum"


class Telemetry:
    """Counts, and tells Flower. Safe for threads; connects when it is first used, after a fork.

    Parameters
    ----------
    url
        Where the broker is.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock = threading.Lock()
        self._numbers: dict[Number, float] = {}
        self._events: list[dict[str, Any]] = []
        #: In their order, each once.
        self._changes: dict[Change, None] = {}
        self._thread: threading.Thread | None = None
        self._cooldown = Cooldown()
        self._redis: redis.Redis | None = None
        self._app: Celery | None = None

    def count(self, metric: Metric, *labels: str, by: float = 1) -> None:
        """Add to a counter."""
        with self._lock:
            self._add((metric.name, labels, ""), by)
            self._wake()

    def observe(self, metric: Metric, value: float, *labels: str) -> None:
        """Put a value into a histogram."""
        place = bisect_left(metric.buckets, value)
        bucket = str(metric.buckets[place]) if place < len(metric.buckets) else "+Inf"
        with self._lock:
            self._add((metric.name, labels, bucket), 1)
            self._add((metric.name, labels, SUM), value)
            self._wake()

    def tell(self, kind: str, hostname: str, **fields: Any) -> None:
        """Send an event of Celery, such as ``task-started``, in the name of a worker."""
        event = Event(kind, hostname=hostname, utcoffset=0, pid=0, **fields)
        with self._lock:
            if len(self._events) < _MOST_EVENTS:
                self._events.append(event)
            self._wake()

    def note(self, change: Change) -> None:
        """Tell clients that wait for it that a task or its results changed."""
        with self._lock:
            if len(self._changes) < _MOST_CHANGES:
                self._changes[change] = None
            self._wake()

    def _add(self, number: Number, by: float) -> None:
        self._numbers[number] = self._numbers.get(number, 0) + by

    def _wake(self) -> None:
        """Start the sending thread if there is none. The lock is held."""
        if self._thread is None and not self._cooldown.is_active:
            self._thread = threading.Thread(target=self._run, name="telemetry", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        """Send until nothing is left, or Redis takes nothing; then the next begins anew."""
        while True:
            time.sleep(_PAUSE_SECONDS)
            with self._lock:
                numbers, self._numbers = self._numbers, {}
                events, self._events = self._events, []
                noted, self._changes = self._changes, {}
                if not (numbers or events or noted):
                    self._thread = None
                    return
            try:
                with answering():
                    self._send_numbers(numbers, noted)
                    self._send_events(events)
            # Nothing that goes wrong here may be anybody's concern.
            except Exception as error:
                log.debug("telemetry not sent", reason=repr(error))
                with self._lock:
                    for number, by in numbers.items():
                        self._add(number, by)
                    self._cooldown.begin()
                    self._thread = None
                return

    def _send_numbers(self, numbers: dict[Number, float], noted: Iterable[Change]) -> None:
        """Add to the hash and to the stream; what arrived is taken out, and never sent again."""
        if not (numbers or noted):
            return
        if self._redis is None:
            self._redis = client(self._url, read_seconds=HASTY_SECONDS, retries=0)
        with self._redis.pipeline(transaction=True) as pipeline:
            for number, by in numbers.items():
                pipeline.hincrbyfloat(METRICS, json.dumps(number), by)
            changes.publish(pipeline, noted)
            pipeline.execute()
        numbers.clear()

    def _send_events(self, events: list[dict[str, Any]]) -> None:
        if not events:
            return
        if self._app is None:
            self._app = hasty_app(self._url)
        with self._app.producer_or_acquire() as producer:
            exchange = get_exchange(producer.connection)
            for start in range(0, len(events), _BATCH):
                producer.publish(
                    events[start : start + _BATCH],
                    exchange=exchange.name,
                    routing_key="task.multi",
                    declare=[exchange],
                    serializer="json",
                    delivery_mode="transient",
                    retry=False,
                )


def numbers(redis_client: redis.Redis) -> Iterator[tuple[Number, float]]:
    """Yield what was counted so far, by all processes.

    Raises
    ------
    BrokerUnavailable
        If the broker does not answer.
    """
    with answering():
        found = cast("Mapping[bytes, bytes]", redis_client.hgetall(METRICS))
    for field, value in found.items():
        # Of another version, perhaps.
        with suppress(ValueError, TypeError):
            name, labels, part = json.loads(field)
            yield (name, tuple(labels), part), float(value)
