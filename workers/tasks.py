"""What the workers do. Each task is short and may run twice."""

import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import redis
from celery import Celery

from vantage6.broker import presence
from vantage6.broker.connection import BrokerUnavailable, answering
from vantage6.broker.messages import Message, ResultKilled, ResultReady
from vantage6.broker.publisher import Publisher
from vantage6.broker.queues import WORKERS_ALIVE, WORKERS_CALLED
from vantage6.common.logs import get
from vantage6.models.database import session
from vantage6.models.store import outbox, results
from vantage6.models.store.outbox import Topic
from vantage6.workers.mail import Postman

log = get(__name__)

#: How often one call looks for new messages, and how long it waits for the call before it.
_MOST_BATCHES = 50
_TURN_SECONDS = 5
#: From this number of bells on, those of further messages are rung separately.
_MANY_BELLS = 1000

#: What nobody fetched by then is found by a later round of the relay.
_FRESH_SECONDS = 10

#: The relay comes round every two seconds; after this long the workers count as gone.
ALIVE_SECONDS = 20


def register(app: Celery, publisher: Publisher, broker: redis.Redis, postman: Postman) -> None:
    """Define the tasks on an app."""
    fanning_out = threading.Lock()

    @app.task(name="send_mail", shared=False)
    def send_mail(message: int, attempt: int) -> None:
        """Send one mail of the outbox, unless somebody else is at it."""
        postman.deliver(message, attempt)

    @app.task(name="fan_out", shared=False)
    def fan_out() -> None:
        """Send the new messages of the outbox to the nodes that they concern."""
        # Two that look at once would ring twice. What is left by one that waits in vain is due
        # soon, and the relay's.
        if not fanning_out.acquire(timeout=_TURN_SECONDS):
            return
        try:
            with suppress(BrokerUnavailable), answering():
                # Before looking: whoever writes a message from now on calls again.
                broker.delete(WORKERS_CALLED)
            with session():
                _send_new(publisher)
        finally:
            fanning_out.release()

    @app.task(name="relay", shared=False)
    def relay() -> None:
        """Send every message of the outbox whose time has come."""
        announce(broker)
        with session():
            for message in outbox.due():
                try:
                    _send(message, publisher)
                except Exception as error:
                    _set_aside(message, error)
            for message in outbox.due(mails=True):
                # Here it would keep all others waiting; whoever is free may send it.
                attempt = outbox.hand_on(message)
                if attempt is not None:
                    send_mail.apply_async((message, attempt), expires=_FRESH_SECONDS)

    @app.task(name="sweep", shared=False)
    def sweep() -> None:
        """Offer results again whose node fell silent."""
        with session():
            again, over = results.sweep()
        if again or over:
            log.warning("leases ran out", offered_again=again, given_up=over)


def announce(broker: redis.Redis) -> None:
    """Say that this worker works; only what it works off can keep saying so."""
    with suppress(BrokerUnavailable), answering():
        presence.announce(broker, WORKERS_ALIVE, ALIVE_SECONDS)


@dataclass(frozen=True)
class _Waiting:
    """A message of the outbox, and the bells that it takes."""

    id: int
    topic: Topic
    deliveries: list[tuple[int, Message]]


def _send_new(publisher: Publisher) -> None:
    """Send what nobody tried to send; what cannot be sent now is the relay's from then on."""
    for _ in range(_MOST_BATCHES):
        messages = outbox.new()
        ready: list[_Waiting] = []
        for message, topic, content in messages:
            try:
                ready.append(_Waiting(message, topic, _deliveries(topic, content)))
            except Exception as error:
                _set_aside(message, error)
            if sum(len(one.deliveries) for one in ready) >= _MANY_BELLS:
                if not _ring(ready, publisher):
                    return
                ready = []
        # Whoever writes a message from here on has called again.
        if not _ring(ready, publisher) or len(messages) < outbox.BATCH:
            return


def _send(message: int, publisher: Publisher) -> None:
    """Send one message."""
    found = outbox.find(message)
    if found is not None:
        topic, content = found
        _ring([_Waiting(message, topic, _deliveries(topic, content))], publisher)


def _ring(messages: Sequence[_Waiting], publisher: Publisher) -> bool:
    """Ring at the nodes, then forget the messages; tell whether that worked.

    A crash in between rings twice, which is harmless.
    """
    if not messages:
        return True
    try:
        publisher.ring(delivery for one in messages for delivery in one.deliveries)
    except BrokerUnavailable as error:
        for one in messages:
            outbox.postpone(one.id, str(error))
            log.warning("message postponed", message=one.id, reason=str(error))
        return False
    outbox.sent(*(one.id for one in messages))
    for one in messages:
        log.info("message sent", message=one.id, topic=one.topic, nodes=len(one.deliveries))
    return True


def _set_aside(message: int, error: Exception) -> None:
    """Have a message that nobody understands tried again later, so that it stops no others."""
    outbox.postpone(message, repr(error))
    log.exception("message not sent", message=message)


def _deliveries(topic: Topic, content: dict[str, Any]) -> list[tuple[int, Message]]:
    if topic is Topic.RESULTS_KILLED:
        return [(node, ResultKilled(result, task)) for node, result, task in content["bells"]]
    if topic is Topic.TASK_CREATED:
        found = results.nodes_of(task_id=content["task_id"], pending=True)
    else:
        found = results.nodes_of(result_ids=content["result_ids"], pending=True)
    return [(node, ResultReady(result, task)) for node, result, task in found]
