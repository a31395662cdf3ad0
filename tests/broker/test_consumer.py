"""A node receives what was rung for it, once, in order, and says that it is there."""

import json
import threading
import time

import kombu
import pytest

from vantage6.broker import acl, presence, queues
from vantage6.broker.connection import BrokerUnavailable
from vantage6.broker.consumer import NodeConsumer
from vantage6.broker.messages import ResultKilled, ResultReady, encode
from vantage6.broker.publisher import Publisher
from vantage6.broker.transport import Transport

pytestmark = pytest.mark.slow


def ready(*result_ids):
    return [ResultReady(result_id, task_id=1) for result_id in result_ids]


def ring(broker, node_id, *result_ids):
    return Publisher(broker.url).ring((node_id, message) for message in ready(*result_ids))


def test_messages_arrive_in_order_and_are_forgotten(broker, inbox):
    node = inbox(broker.node_url(7), 7)
    ring(broker, 7, 1, 2, 3)
    Publisher(broker.url).ring([(7, ResultKilled(1, 1))])

    assert node.take(4) == [*ready(1, 2, 3), ResultKilled(1, 1)]
    assert broker.waiting(7) == broker.in_flight(7) == 0


def test_a_message_is_in_flight_while_it_is_handled(broker, inbox):
    node = inbox(broker.node_url(7), 7)
    seen = []
    node.handle = lambda message: (
        seen.append((broker.waiting(7), broker.in_flight(7))),
        node.received.append(message),
    )
    ring(broker, 7, 1, 2)

    node.take(2)

    assert seen == [(1, 1), (0, 1)]


def test_a_waiting_consumer_is_woken_at_once(broker, inbox, running):
    node = inbox(broker.node_url(7), 7)
    running(node.consumer)
    time.sleep(0.3)
    before = time.monotonic()
    ring(broker, 7, 1)
    while not node.received and time.monotonic() < before + 5:
        time.sleep(0.005)

    assert time.monotonic() - before < 0.5


def test_what_was_in_flight_comes_again_first_and_in_order(broker, inbox):
    ring(broker, 7, 1, 2, 3, 4)
    for _ in range(3):  # as several consumers that died would leave it
        broker.admin.lmove(queues.inbox(7), queues.inflight(7), "RIGHT", "LEFT")

    assert inbox(broker.node_url(7), 7).take(4) == ready(1, 2, 3, 4)
    assert broker.in_flight(7) == 0


def test_a_message_that_cannot_be_handled_stays_and_lets_others_pass(broker, inbox, events):
    node = inbox(broker.node_url(7), 7)

    def handle(message):
        if message == ready(1)[0] and failures:
            raise failures.pop()
        node.received.append(message)

    failures = [TimeoutError("server"), ConnectionError("server"), RuntimeError("handler")]
    node.handle = handle
    ring(broker, 7, 1, 2)

    assert node.take(2) == ready(2, 1)
    assert [event["pause_seconds"] for event in events if event["event"] == "message put back"] == [
        1.0,  # then the second message succeeds,
        1.0,  # which ends the row
        2.0,
    ]
    assert broker.waiting(7) == broker.in_flight(7) == 0


def test_the_loop_rests_after_a_failure_but_not_when_it_has_to_stop(broker, inbox, running):
    node = inbox(broker.node_url(7), 7)
    calls = []

    def handle(message):
        calls.append(time.monotonic())
        raise RuntimeError("no")

    node.handle = handle
    ring(broker, 7, 1)
    thread = running(node.consumer)
    time.sleep(1.6)

    assert len(calls) == 2
    assert calls[1] - calls[0] > 0.9
    assert thread.stop() < 0.5
    assert thread.error is None
    assert broker.waiting(7) == 1


@pytest.mark.parametrize(
    "entry",
    [
        b"",
        b"\xff\xfe",
        b"not json",
        b"null",
        b"[]",
        b"{}",
        b"[" * 100_000,
        b'{"properties": null}',
        b'{"properties": {"delivery_tag": []}}',
        b'{"properties": {"delivery_tag": "t", "delivery_info": []}}',
        b'{"properties": {"delivery_tag": "t", "delivery_info": {}, "body_encoding": "rot13"},'
        b' "body": "x"}',
        b'{"properties": {"delivery_tag": "t", "delivery_info": {}, "body_encoding": "base64"},'
        b' "body": "x"}',
        b'{"properties": {"delivery_tag": "t", "delivery_info": {}}, "headers": [1]}',
        b'{"properties": {"delivery_tag": "t", "delivery_info": {}}}',
        b'{"properties": {"delivery_tag": "t", "delivery_info": {}}, "body": 1}',
        b'{"properties": {"delivery_tag": "t", "delivery_info": {}}, "body": "{}",'
        b' "content-type": "application/x-python-serialize", "content-encoding": "binary"}',
        b'{"properties": {"delivery_tag": "t", "delivery_info": {}}, "body": "{",'
        b' "content-type": "application/json", "content-encoding": "utf-8"}',
        b'{"properties": {"delivery_tag": "t", "delivery_info": {}}, "body": "AAAA",'
        b' "headers": {"compression": "gzip"}}',
        b"x" * 900_000,
    ],
    ids=lambda entry: repr(entry[:40]),
)
def test_a_foreign_entry_is_logged_and_removed(broker, inbox, events, entry):
    node = inbox(broker.node_url(7), 7)
    broker.admin.lpush(queues.inbox(7), entry)
    ring(broker, 7, 1)

    assert node.take(1) == ready(1)
    assert broker.waiting(7) == broker.in_flight(7) == 0
    errors = [event for event in events if event["log_level"] == "error"]
    assert len(errors) == 1
    assert len(repr(errors)) < 2000


@pytest.mark.parametrize(
    "body", [{}, [], 5, None, "text", {**encode(ResultReady(1, 1)), "v": 2}, {"pad": "x" * 5000}]
)
def test_a_foreign_message_is_logged_and_removed(broker, inbox, events, body):
    node = inbox(broker.node_url(7), 7)
    with kombu.Connection(broker.url) as connection:
        connection.Producer(serializer="json").publish(
            body, exchange="", routing_key=queues.inbox(7)
        )
    ring(broker, 7, 1)

    assert node.take(1) == ready(1)
    assert broker.waiting(7) == broker.in_flight(7) == 0
    errors = [event for event in events if event["log_level"] == "error"]
    assert [error["event"] for error in errors] == ["message dropped"]
    assert len(repr(errors)) < 2000


def test_a_message_that_is_too_long_is_dropped(broker, inbox, events):
    node = inbox(broker.node_url(7), 7)
    with kombu.Connection(broker.url) as connection:
        connection.Producer(serializer="json").publish(
            encode(ResultReady(5, 1)) | {"pad": "x" * 2000},
            exchange="",
            routing_key=queues.inbox(7),
        )
    ring(broker, 7, 1)

    assert node.take(1) == ready(1)
    assert "1024" in next(e["reason"] for e in events if e["event"] == "message dropped")


def test_a_node_is_online_while_it_consumes(broker, inbox, running):
    node = inbox(broker.node_url(7), 7)
    assert presence.online(broker.server, [6, 7]) == set()

    thread = running(node.consumer)
    time.sleep(0.5)

    assert presence.online(broker.server, [6, 7]) == {7}
    assert 0 < broker.admin.ttl(queues.alive(7)) <= presence.EXPIRES_SECONDS
    thread.stop()
    time.sleep(0.05)
    assert presence.online(broker.server, [6, 7]) == set()


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


def test_stopping_takes_a_second_at_most(broker, inbox, running):
    thread = running(inbox(broker.node_url(7), 7).consumer)
    time.sleep(0.3)

    assert thread.stop() < 1.5
    assert thread.error is None


def test_a_consumer_that_was_stopped_before_it_started_does_not_connect():
    stop = threading.Event()
    stop.set()

    NodeConsumer("redis://127.0.0.1:1/0", "queue", "key", print).run(stop)


def test_a_wrong_password_is_reported(broker, inbox):
    url = broker.node_url(7)
    broker.node_url(7)

    with pytest.raises(BrokerUnavailable):
        inbox(url, 7).consumer.run_once()


def test_a_new_login_disconnects_the_consumer_of_the_old_one(broker, inbox, running):
    old = inbox(broker.node_url(7), 7)
    thread = running(old.consumer)
    time.sleep(0.3)
    url = broker.node_url(7)
    ring(broker, 7, 1)

    assert inbox(url, 7).take(1) == ready(1)
    thread._thread.join(5)
    assert isinstance(thread.error, BrokerUnavailable)
    assert old.received == []


def test_a_revoked_node_is_disconnected_and_its_messages_dropped(broker, inbox, running):
    ring(broker, 8, 1)
    thread = running(inbox(broker.node_url(7), 7).consumer)
    time.sleep(0.3)
    acl.revoke(broker.server, 7)
    acl.revoke(broker.server, 8)

    thread._thread.join(5)
    assert isinstance(thread.error, BrokerUnavailable)
    assert broker.admin.keys("v6:node:*") == []


def test_any_kombu_consumer_can_use_the_transport(broker):
    """Declaration, prefetch, synchronous reads, rejection and recovery, by the book of kombu."""
    ring(broker, 7, 1, 2, 3, 4)
    got = []
    queue = kombu.Queue(queues.inbox(7), exchange="", routing_key=queues.inbox(7))
    url = broker.node_url(7)
    with kombu.Connection(url, transport="vantage6.broker.transport:Transport") as connection:
        assert url.rsplit("@")[0] not in connection.as_uri()
        with connection.Consumer(queue, callbacks=[lambda _, m: got.append(m)]) as consumer:
            consumer.qos(prefetch_count=10)
            connection.drain_events(timeout=1)
            with pytest.raises(TimeoutError):  # one at a time, whatever was asked for
                connection.drain_events(timeout=0.2)
            got[0].reject()
            connection.drain_events(timeout=1)
            consumer.recover(requeue=True)
            connection.drain_events(timeout=0)
            got[2].ack()
        with pytest.raises(TimeoutError):  # nobody consumes any more
            connection.drain_events(timeout=0.05)
        bound = queue(connection.default_channel)
        last = [bound.get(), bound.get()]
        assert last[1] is None  # the other one is not yet acknowledged
        last[0].ack()
        bound.get().ack()
        assert bound.get() is None
    assert [message.payload["result_id"] for message in got] == [1, 2, 3]
    assert last[0].payload["result_id"] == 4
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
    ring(broker, 7, 1)
    with kombu.Connection(broker.url) as connection:
        message = connection.default_channel.basic_get(queues.inbox(7), no_ack=True)

    assert message.payload == encode(ResultReady(1, 1))


def test_an_entry_is_under_a_kilobyte(broker):
    Publisher(broker.url).ring([(7, ResultKilled(2**63 - 1, 2**63 - 1))])
    entry = broker.admin.lindex(queues.inbox(7), 0)

    assert len(entry) < 1024
    assert json.loads(entry)["content-type"] == "application/json"
