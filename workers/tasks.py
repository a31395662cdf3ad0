"""What the workers do. Each task is short and may run twice."""

from contextlib import suppress
from typing import Any

import redis
from celery import Celery

from vantage6.broker import presence
from vantage6.broker.connection import BrokerUnavailable, answering
from vantage6.broker.messages import Message, ResultKilled, ResultReady
from vantage6.broker.publisher import Publisher
from vantage6.broker.queues import WORKERS_ALIVE
from vantage6.common.logs import get
from vantage6.models.database import session
from vantage6.models.store import outbox, results
from vantage6.models.store.outbox import Topic
from vantage6.workers.mail import Postman

log = get(__name__)

#: What nobody fetched by then is found by a later round of the relay.
_FRESH_SECONDS = 10

#: The relay comes round every two seconds; after this long the workers count as gone.
ALIVE_SECONDS = 20


def register(app: Celery, publisher: Publisher, broker: redis.Redis, postman: Postman) -> None:
    """Define the tasks on an app."""

    @app.task(name="send_mail", shared=False)
    def send_mail(message: int, attempt: int) -> None:
        """Send one mail of the outbox, unless somebody else is at it."""
        postman.deliver(message, attempt)

    @app.task(name="fan_out", shared=False)
    def fan_out(message: int) -> None:
        """Send one message of the outbox to the nodes that it concerns."""
        with session():
            _send(message, publisher)

    @app.task(name="relay", shared=False)
    def relay() -> None:
        """Send every message of the outbox whose time has come."""
        announce(broker)
        with session():
            for message in outbox.due():
                try:
                    _send(message, publisher)
                except Exception as error:
                    # One that nobody understands must not stop those behind it.
                    outbox.postpone(message, repr(error))
                    log.exception("message not sent", message=message)
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


def _send(message: int, publisher: Publisher) -> None:
    """Ring at the nodes, then forget the message.

    A crash in between rings twice, which is harmless.
    """
    found = outbox.find(message)
    if found is None:
        return
    topic, content = found
    deliveries = _deliveries(topic, content)
    try:
        publisher.ring(deliveries)
    except BrokerUnavailable as error:
        outbox.postpone(message, str(error))
        log.warning("message postponed", message=message, reason=str(error))
        return
    outbox.sent(message)
    log.info("message sent", message=message, topic=topic, nodes=len(deliveries))


def _deliveries(topic: Topic, content: dict[str, Any]) -> list[tuple[int, Message]]:
    if topic is Topic.RESULTS_KILLED:
        return [(node, ResultKilled(result, task)) for node, result, task in content["bells"]]
    if topic is Topic.TASK_CREATED:
        found = results.nodes_of(task_id=content["task_id"], pending=True)
    else:
        found = results.nodes_of(result_ids=content["result_ids"], pending=True)
    return [(node, ResultReady(result, task)) for node, result, task in found]
