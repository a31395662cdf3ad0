"""The server publishes many doorbells at once."""

import pytest

from tests.services import NO_BROKER
from vantage6.broker import publisher, queues
from vantage6.broker.connection import BrokerUnavailable, client
from vantage6.broker.messages import DecodeError, ResultReady
from vantage6.broker.publisher import Publisher

pytestmark = pytest.mark.slow


def test_a_thousand_nodes_are_rung(broker, inbox):
    count = Publisher(broker.url).publish(
        (node_id, ResultReady(1, 2)) for node_id in range(1, 1001)
    )

    assert count == 1000
    assert len(broker.admin.keys("v6:node:*:inbox")) == 1000
    assert inbox(broker.node_url(567), 567).take(1) == [ResultReady(1, 2)]


def test_ringing_nobody_needs_no_broker():
    assert Publisher(NO_BROKER).publish([]) == 0


def test_an_inbox_keeps_the_newest_messages(broker, inbox, monkeypatch):
    monkeypatch.setattr(publisher, "MAX_WAITING", 3)
    for number in range(1, 6):
        Publisher(broker.url).publish([(7, ResultReady(number, 1))])

    assert broker.waiting(7) == 3
    received = inbox(broker.node_url(7), 7).take(3)
    assert [message.result_id for message in received] == [3, 4, 5]


def test_a_node_that_spoils_its_inbox_does_not_touch_others(broker, inbox):
    url = broker.node_url(7)
    with client(url) as node:
        node.set(queues.inbox(7), "not a list")
    count = Publisher(broker.url).publish([(n, ResultReady(n, 1)) for n in (6, 7, 8)])

    assert count == 3
    assert inbox(url, 7).take(1) == [ResultReady(7, 1)]
    assert broker.waiting(6) == broker.waiting(8) == 1


def test_an_invalid_message_stops_the_call_before_anything_is_sent(broker):
    with pytest.raises(DecodeError):
        Publisher(broker.url).publish([(7, ResultReady(1, 1)), (7, ResultReady(0, 1))])

    assert broker.waiting(7) == 0


def test_without_a_broker_ringing_is_unavailable():
    with pytest.raises(BrokerUnavailable) as caught:
        Publisher("redis://v6-server:secret@127.0.0.1:1/0").publish([(7, ResultReady(1, 1))])

    assert caught.value.error_code == "unavailable"
    assert "secret" not in str(caught.value)
    assert "127.0.0.1" not in str(caught.value)


def test_a_refused_login_is_unavailable(broker):
    with pytest.raises(BrokerUnavailable):
        Publisher(broker.url.replace("v6-server:", "v6-server:x")).publish([(7, ResultReady(1, 1))])


def test_a_full_broker_is_unavailable(broker):
    usual = broker.admin.config_get("maxmemory")["maxmemory"]
    broker.admin.config_set("maxmemory", 1)
    try:
        with pytest.raises(BrokerUnavailable):
            Publisher(broker.url).publish([(7, ResultReady(1, 1))])
    finally:
        broker.admin.config_set("maxmemory", usual)
    assert not broker.admin.exists(queues.inbox(7))
