"""What is special about a node that connects to Redis itself."""

import json
import threading
import time
from typing import Any

import kombu
import pytest

from tests.services import NO_BROKER
from tests.waiting import eventually
from vantage6.broker import acl, presence, queues
from vantage6.broker.connection import BrokerUnavailable
from vantage6.broker.consumer import NodeConsumer
from vantage6.broker.messages import ResultKilled, ResultReady, encode
from vantage6.broker.publisher import Publisher
from vantage6.broker.transports import redis
from vantage6.broker.transports.redis import Transport

pytestmark = pytest.mark.slow


def ready(*result_ids):
    return [ResultReady(result_id, task_id=1) for result_id in result_ids]


def publish(broker, node_id, *result_ids):
    return Publisher(broker.url).publish((node_id, message) for message in ready(*result_ids))


def test_presence_is_refreshed_by_the_loop_only(broker, inbox, monkeypatch):
    monkeypatch.setattr(presence, "REFRESH_SECONDS", 0)
    node = inbox(broker.node_url(7), 7)
    node.consumer.run_once()
    broker.admin.delete(queues.alive(7))
    time.sleep(1)

    assert presence.online(broker.server, [7]) == set()
    node.consumer.run_once()
    assert presence.online(broker.server, [7]) == {7}


def test_nobody_of_nobody_is_online(broker):
    assert presence.online(broker.server, []) == set()


def test_a_consumer_that_was_stopped_before_it_started_does_not_connect():
    stop = threading.Event()
    stop.set()

    NodeConsumer(lambda: redis.connect(NO_BROKER), "queue", print).run(stop)


def test_a_wrong_password_is_reported(broker, inbox):
    url = broker.node_url(7)
    broker.node_url(7)

    with pytest.raises(BrokerUnavailable):
        inbox(url, 7).consumer.run_once()


def test_a_new_login_disconnects_the_consumer_of_the_old_one(broker, inbox, running):
    old = inbox(broker.node_url(7), 7)
    thread = running(old.consumer)
    eventually(broker.is_waited_at)
    url = broker.node_url(7)
    publish(broker, 7, 1)

    assert inbox(url, 7).take(1) == ready(1)
    thread.wait()
    assert isinstance(thread.error, BrokerUnavailable)
    assert old.received == []


def test_a_revoked_node_is_disconnected_and_its_messages_dropped(broker, inbox, running):
    publish(broker, 8, 1)
    thread = running(inbox(broker.node_url(7), 7).consumer)
    eventually(broker.is_waited_at)
    acl.revoke(broker.server, 7)
    acl.revoke(broker.server, 8)

    thread.wait()
    assert isinstance(thread.error, BrokerUnavailable)
    assert broker.admin.keys("v6:node:*") == []


def test_any_kombu_consumer_can_use_the_transport(broker):
    """Declaration, prefetch, synchronous reads, rejection and recovery, by the book of kombu."""
    publish(broker, 7, 1, 2, 3, 4)
    got = []
    queue = kombu.Queue(queues.inbox(7), exchange="", routing_key=queues.inbox(7))
    url = broker.node_url(7)
    with kombu.Connection(
        url, transport="vantage6.broker.transports.redis:Transport"
    ) as connection:
        assert url.rsplit("@")[0] not in connection.as_uri()
        with connection.Consumer(queue, callbacks=[lambda _, m: got.append(m)]) as consumer:
            consumer.qos(prefetch_count=10)
            connection.drain_events(timeout=10)
            with pytest.raises(TimeoutError):  # one at a time, whatever was asked for
                connection.drain_events(timeout=0.2)
            got[0].reject()
            connection.drain_events(timeout=10)
            consumer.recover(requeue=True)
            connection.drain_events(timeout=10)
            got[2].ack()
        with pytest.raises(TimeoutError):  # nobody consumes any more
            connection.drain_events(timeout=0.05)
        bound = queue(connection.default_channel)
        last, none_yet = bound.get(), bound.get()
        assert none_yet is None  # the other one is not yet acknowledged
        assert last is not None
        last.ack()
        other = bound.get()
        assert other is not None
        other.ack()
        assert bound.get() is None
    assert [message.payload["result_id"] for message in got] == [1, 2, 3]
    assert last.payload["result_id"] == 4
    assert broker.waiting(7) == broker.in_flight(7) == 0


def test_what_the_transport_does_not_promise_it_refuses(broker):
    first, second = (
        kombu.Queue(queues.inbox(number), exchange="", routing_key=queues.inbox(number))
        for number in (1, 2)
    )
    with kombu.Connection(broker.url, transport=Transport) as connection:
        with pytest.raises(NotImplementedError):
            connection.Consumer(first, no_ack=True).consume()
        with connection.channel() as channel, pytest.raises(NotImplementedError):
            kombu.Consumer(channel, [first, second], no_ack=False).consume()


def test_the_transport_publishes_too(broker, inbox):
    with kombu.Connection(broker.url, transport=Transport) as connection:
        connection.Producer(serializer="json").publish(
            encode(ResultReady(9, 1)), exchange="", routing_key=queues.inbox(7)
        )
        assert connection.transport.driver_version()

    assert inbox(broker.node_url(7), 7).take(1) == ready(9)


def test_an_entry_is_an_ordinary_kombu_message(broker):
    """Written by our publisher, read by the Redis transport that everybody has."""
    publish(broker, 7, 1)
    with kombu.Connection(broker.url) as connection:
        channel: Any = connection.default_channel
        message = channel.basic_get(queues.inbox(7), no_ack=True)

    assert message.payload == encode(ResultReady(1, 1))


def test_an_entry_is_under_a_kilobyte(broker):
    Publisher(broker.url).publish([(7, ResultKilled(2**63 - 1, 2**63 - 1))])
    entry = broker.admin.lindex(queues.inbox(7), 0)

    assert len(entry) < 1024
    assert json.loads(entry)["content-type"] == "application/json"
