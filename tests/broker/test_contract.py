"""What a node may rely on, whichever way leads to its inbox: over HTTPS, or to Redis."""

import time
from typing import Any

import kombu
import pytest

from tests.waiting import eventually
from vantage6.broker import presence, queues
from vantage6.broker.messages import ResultKilled, ResultReady, encode
from vantage6.broker.publisher import Publisher

pytestmark = pytest.mark.slow


def ready(*result_ids):
    return [ResultReady(result_id, task_id=1) for result_id in result_ids]


def test_messages_arrive_in_order_and_are_forgotten(station):
    node = station.inbox()
    station.publish(1, 2, 3)
    Publisher(station.broker.url).publish([(station.node_id, ResultKilled(1, 1))])

    assert node.take(4) == [*ready(1, 2, 3), ResultKilled(1, 1)]
    assert station.waiting == station.in_flight == 0


def test_a_message_is_in_flight_while_it_is_handled(station):
    node = station.inbox()
    seen = []

    def handle(message: Any) -> None:
        seen.append((station.waiting, station.in_flight))
        node.received.append(message)

    node.handle = handle
    station.publish(1, 2)

    node.take(2)

    assert seen == [(1, 1), (0, 1)]


def test_a_waiting_consumer_is_woken_at_once(station, running):
    node = station.inbox()
    running(node.consumer)
    took: list[float] = []
    for _ in range(5):
        eventually(station.is_waiting)
        before = time.monotonic()
        station.publish(len(took) + 1)
        eventually(lambda: len(node.received) > len(took))
        took.append(time.monotonic() - before)

    # One of them may meet something else that this machine does.
    assert sorted(took)[3] < 0.5


def test_what_was_in_flight_comes_again_first_and_in_order(station):
    station.publish(1, 2, 3, 4)
    lists = queues.inbox(station.node_id), queues.inflight(station.node_id)
    for _ in range(3):  # as several consumers that died would leave it
        station.broker.admin.lmove(*lists, "RIGHT", "LEFT")

    assert station.inbox().take(4) == ready(1, 2, 3, 4)
    assert station.in_flight == 0


def test_a_message_that_cannot_be_handled_stays_and_lets_others_pass(station, events):
    node = station.inbox()

    def handle(message):
        if message == ready(1)[0] and failures:
            raise failures.pop()
        node.received.append(message)

    failures = [TimeoutError("server"), ConnectionError("server"), RuntimeError("handler")]
    node.handle = handle
    station.publish(1, 2)

    assert node.take(2) == ready(2, 1)
    assert [event["pause_seconds"] for event in events if event["event"] == "message put back"] == [
        1.0,  # then the second message succeeds,
        1.0,  # which ends the row
        2.0,
    ]
    assert station.waiting == station.in_flight == 0


def test_the_loop_rests_after_a_failure_but_not_when_it_has_to_stop(station, running):
    node = station.inbox()
    calls = []

    def handle(message):
        calls.append(time.monotonic())
        raise RuntimeError("no")

    node.handle = handle
    station.publish(1)
    thread = running(node.consumer)
    eventually(lambda: len(calls) == 2)

    assert calls[1] - calls[0] > 0.9
    # Once the message is back in the queue it rests for two seconds.
    eventually(lambda: station.waiting == 1)
    assert thread.stop() < 1
    assert thread.error is None
    assert station.waiting == 1


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
def test_a_foreign_entry_is_logged_and_removed(station, events, entry):
    node = station.inbox()
    station.broker.admin.lpush(queues.inbox(station.node_id), entry)
    station.publish(1)

    assert node.take(1) == ready(1)
    assert station.waiting == station.in_flight == 0
    errors = [event for event in events if event["log_level"] == "error"]
    assert len(errors) == 1
    assert len(repr(errors)) < 2000


@pytest.mark.parametrize(
    "body", [{}, [], 5, None, "text", {**encode(ResultReady(1, 1)), "v": 2}, {"pad": "x" * 5000}]
)
def test_a_foreign_message_is_logged_and_removed(station, events, body):
    node = station.inbox()
    with kombu.Connection(station.broker.url) as connection:
        connection.Producer(serializer="json").publish(
            body, exchange="", routing_key=queues.inbox(station.node_id)
        )
    station.publish(1)

    assert node.take(1) == ready(1)
    assert station.waiting == station.in_flight == 0
    errors = [event for event in events if event["log_level"] == "error"]
    assert [error["event"] for error in errors] == ["message dropped"]
    assert len(repr(errors)) < 2000


def test_a_message_that_is_too_long_is_dropped(station, events):
    node = station.inbox()
    with kombu.Connection(station.broker.url) as connection:
        connection.Producer(serializer="json").publish(
            encode(ResultReady(5, 1)) | {"pad": "x" * 2000},
            exchange="",
            routing_key=queues.inbox(station.node_id),
        )
    station.publish(1)

    assert node.take(1) == ready(1)
    assert "1024" in next(e["reason"] for e in events if e["event"] == "message dropped")


def test_a_node_is_online_while_it_consumes(station, running):
    node = station.inbox()
    assert presence.online(station.broker.server, [6, station.node_id]) == set()

    thread = running(node.consumer)
    eventually(station.is_waiting)

    assert presence.online(station.broker.server, [6, station.node_id]) == {station.node_id}
    assert 0 < station.broker.admin.ttl(queues.alive(station.node_id)) <= presence.EXPIRES_SECONDS
    thread.stop()
    eventually(lambda: not presence.online(station.broker.server, [6, station.node_id]))


def test_stopping_takes_a_second_at_most(station, running):
    thread = running(station.inbox().consumer)
    eventually(station.is_waiting)

    # Far less than a wait at the server, on a machine that does something else as well.
    assert thread.stop() < 8
    assert thread.error is None
