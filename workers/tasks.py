"""What the workers do. Each task is short and may run twice."""

import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import redis
from celery import Celery

from vantage6.broker import metrics, presence
from vantage6.broker.changes import Change
from vantage6.broker.connection import BrokerUnavailable, answering
from vantage6.broker.flower import Flower, Work
from vantage6.broker.messages import Message, ResultKilled, ResultReady
from vantage6.broker.publisher import Publisher
from vantage6.broker.queues import WORKERS_ALIVE, WORKERS_CALLED
from vantage6.broker.telemetry import Telemetry
from vantage6.common.logs import get
from vantage6.common.task_status import TaskStatus
from vantage6.models.database import session
from vantage6.models.store import idempotency, nodes, outbox, results, sessions
from vantage6.models.store import metrics as store_metrics
from vantage6.models.store.outbox import Topic, Waiting
from vantage6.workers.mail import Mailer

log = get(__name__)

#: How often one call looks for new messages, and how long it waits for the call before it.
_MOST_BATCHES = 50
_TURN_SECONDS = 5
#: From this number of doorbells on, those of further messages are sent separately.
_MANY_DELIVERIES = 1000

#: What nobody fetched by then is found by a later round of the relay.
_FRESH_SECONDS = 10

#: The relay comes round every two seconds; after this long the workers count as gone.
ALIVE_SECONDS = 20


def register(
    app: Celery,
    publisher: Publisher,
    broker: redis.Redis,
    mailer: Mailer,
    telemetry: Telemetry,
    *,
    has_flower: bool = True,
    shows_housekeeping: bool = False,
) -> None:
    """Define the tasks on an app.

    Parameters
    ----------
    app, publisher, broker, mailer, telemetry
        What they work with.
    has_flower
        Whether the server has a Flower that is told.
    shows_housekeeping
        Whether Flower hears of the rounds of the schedule: they come every two seconds, and
        would hide what happens between.
    """
    fanning_out = threading.Lock()
    flower = Flower(telemetry, is_on=has_flower)
    dispatcher = Dispatcher(publisher, flower)

    @app.task(name="send_mail", shared=False)
    def send_mail(message: int, attempt: int) -> None:
        """Send one mail of the outbox, unless another worker sends it."""
        mailer.deliver(message, attempt)

    @app.task(name="fan_out", shared=False)
    def fan_out() -> None:
        """Send the new messages of the outbox to the nodes that they concern."""
        # Only one fan-out runs at a time: two would send the same doorbells. If this one cannot get
        # the lock, the relay sends the messages shortly after.
        if not fanning_out.acquire(timeout=_TURN_SECONDS):
            return
        try:
            with suppress(BrokerUnavailable), answering():
                # Before looking: whoever writes a message from now on calls again.
                broker.delete(WORKERS_CALLED)
            with session(keep=True):
                _send_new(dispatcher)
        finally:
            fanning_out.release()

    @app.task(name="relay", shared=False, send_events=shows_housekeeping)
    def relay() -> None:
        """Send every message of the outbox whose time has come."""
        announce(broker)
        with session():
            for message in outbox.due():
                try:
                    _send(message, dispatcher)
                except Exception as error:
                    _set_aside(message, error)
            for message in outbox.due(mails=True):
                # Here it would keep all others waiting; whoever is free may send it.
                attempt = outbox.hand_on(message)
                if attempt is not None:
                    send_mail.apply_async((message, attempt), expires=_FRESH_SECONDS)

    @app.task(name="sweep", shared=False, send_events=shows_housekeeping)
    def sweep() -> None:
        """Offer results again whose node fell silent."""
        with session():
            again, over = results.sweep()
            changed = results.tasks_of([*again, *over])
        if again or over:
            log.warning("leases ran out", offered_again=again, given_up=over)
            telemetry.count(metrics.OFFERED_AGAIN, by=len(again))
            telemetry.count(metrics.ENDED, str(TaskStatus.UNKNOWN_ERROR), by=len(over))
            for collaboration, task, run in changed:
                telemetry.note(Change(collaboration, task, run))

    @app.task(name="prune", shared=False, send_events=shows_housekeeping)
    def prune() -> None:
        """Remove sessions that have expired, with where the logins came from, and old answers."""
        with session():
            number = sessions.prune()
            idempotency.prune()
        if number:
            log.info("expired sessions removed", number=number)

    @app.task(name="watch", shared=False, send_events=shows_housekeeping)
    def watch() -> None:
        """Tell Flower which nodes are there."""
        with session():
            names = nodes.names()
        with suppress(BrokerUnavailable):
            flower.nodes(names, presence.online(broker, names))


def announce(broker: redis.Redis) -> None:
    """Say that this worker works; only what it works off can keep saying so."""
    with suppress(BrokerUnavailable), answering():
        presence.announce(broker, WORKERS_ALIVE, ALIVE_SECONDS)


@dataclass(frozen=True)
class _Addressed:
    """A message of the outbox, and its doorbells."""

    message: Waiting
    deliveries: list[tuple[int, Message]]


@dataclass(frozen=True)
class Dispatcher:
    """Sends doorbells to nodes, and tells Flower."""

    publisher: Publisher
    flower: Flower

    def dispatch(self, messages: Sequence[_Addressed]) -> bool:
        """Send the doorbells, then forget the messages; return whether that worked.

        After a crash in between they are sent twice, which is harmless.
        """
        if not messages:
            return True
        deliveries = [delivery for one in messages for delivery in one.deliveries]
        try:
            self.publisher.publish(deliveries)
        except BrokerUnavailable as error:
            for one in messages:
                outbox.postpone(one.message.id, str(error), blameless=True)
                log.warning("message postponed", reason=str(error), **_describe(one))
            return False
        outbox.forget(*(one.message.id for one in messages))
        for one in messages:
            log.info("message sent", nodes=len(one.deliveries), **_describe(one))
        if self.flower.is_on:
            self._tell(deliveries)
        return True

    def _tell(self, deliveries: Sequence[tuple[int, Message]]) -> None:
        """Let Flower know."""
        names = nodes.names_of({node_id for node_id, _ in deliveries})
        images = store_metrics.images({doorbell.task_id for _, doorbell in deliveries})
        for node_id, doorbell in deliveries:
            work = Work(
                result_id=doorbell.result_id,
                task_id=doorbell.task_id,
                node_id=node_id,
                node_name=names.get(node_id, ""),
                image=images.get(doorbell.task_id),
            )
            tell = (
                self.flower.killed if isinstance(doorbell, ResultKilled) else self.flower.received
            )
            tell(work)


def _describe(addressed: _Addressed) -> dict[str, Any]:
    """Return what a line of the log says about a message."""
    tasks = sorted({doorbell.task_id for _, doorbell in addressed.deliveries})
    return {
        "message": addressed.message.id,
        "topic": addressed.message.topic,
        "request_id": addressed.message.request_id,
        **({"task_id": tasks[0]} if len(tasks) == 1 else {}),
    }


def _send_new(dispatcher: Dispatcher) -> None:
    """Send messages without an attempt; those that fail are the relay's from then on."""
    for _ in range(_MOST_BATCHES):
        messages = outbox.new()
        ready: list[_Addressed] = []
        for message in messages:
            try:
                ready.append(_address(message))
            except Exception as error:
                _set_aside(message.id, error)
            if sum(len(one.deliveries) for one in ready) >= _MANY_DELIVERIES:
                if not dispatcher.dispatch(ready):
                    return
                ready = []
        # Whoever writes a message from here on has called again.
        if not dispatcher.dispatch(ready) or len(messages) < outbox.BATCH:
            return


def _send(message_id: int, dispatcher: Dispatcher) -> None:
    """Send one message."""
    found = outbox.find(message_id)
    if found is not None:
        dispatcher.dispatch([_address(found)])


def _set_aside(message: int, error: Exception) -> None:
    """Have an unreadable message tried again later, so that it stops no others."""
    outbox.postpone(message, repr(error))
    log.exception("message not sent", message=message)


def _address(message: Waiting) -> _Addressed:
    content, request_id = message.content, message.request_id
    if message.topic is Topic.RESULTS_KILLED:
        deliveries: list[tuple[int, Message]] = [
            (node, ResultKilled(result, task, request_id))
            for node, result, task in content["bells"]
        ]
        return _Addressed(message, deliveries)
    if message.topic is Topic.TASK_CREATED:
        found = results.pending_of(content["task_id"])
    else:
        found = results.pending_among(content["result_ids"])
    ready: list[tuple[int, Message]] = [
        (node, ResultReady(result, task, request_id)) for node, result, task in found
    ]
    return _Addressed(message, ready)
