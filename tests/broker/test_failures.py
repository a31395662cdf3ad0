"""What a node that connects to Redis itself sees of a Redis that freezes, dies and forgets."""

import signal
import time

import pytest

from tests.waiting import eventually
from vantage6.broker.connection import BrokerUnavailable
from vantage6.broker.messages import ResultReady
from vantage6.broker.publisher import Publisher
from vantage6.broker.transports import redis

pytestmark = pytest.mark.slow


def test_a_restart_of_the_broker_is_noticed_and_survived(own_broker, inbox, running):
    node = inbox(own_broker.node_url(7), 7)
    thread = running(node.consumer)
    publisher = Publisher(own_broker.url)
    publisher.publish([(7, ResultReady(1, 1))])
    eventually(own_broker.is_waited_at)
    own_broker.stop()
    thread.wait()
    assert isinstance(thread.error, BrokerUnavailable)
    with pytest.raises(BrokerUnavailable):
        publisher.publish([(7, ResultReady(2, 1))])
    own_broker.start()
    publisher.publish([(7, ResultReady(2, 1))])

    # The users of the nodes are gone with the process; the old password proves it.
    with pytest.raises(BrokerUnavailable):
        node.consumer.run_once()
    assert inbox(own_broker.node_url(7), 7).take(1) == [ResultReady(2, 1)]


def test_a_broker_that_lost_everything_is_healed_by_the_next_login(own_broker, inbox, running):
    node = inbox(own_broker.node_url(7), 7)
    thread = running(node.consumer)
    eventually(own_broker.is_waited_at)
    own_broker.kill()
    own_broker.wipe()
    own_broker.start()
    thread.wait()
    assert isinstance(thread.error, BrokerUnavailable)

    renewed = inbox(own_broker.node_url(7), 7)
    Publisher(own_broker.url).publish([(7, ResultReady(3, 1))])

    assert renewed.take(1) == [ResultReady(3, 1)]


def test_emptying_the_broker_does_not_disturb_a_consumer(own_broker, inbox):
    node = inbox(own_broker.node_url(7), 7)
    node.handle = lambda message: (own_broker.admin.flushall(), node.received.append(message))
    for number in (1, 2):
        Publisher(own_broker.url).publish([(7, ResultReady(number, 1))])
        node.take(number)


def test_waiting_messages_survive_a_crash_of_the_broker(own_broker, inbox):
    Publisher(own_broker.url).publish([(7, ResultReady(1, 1))])
    time.sleep(1.5)  # `appendfsync everysec`
    own_broker.kill()
    own_broker.start()

    assert inbox(own_broker.node_url(7), 7).take(1) == [ResultReady(1, 1)]


def test_a_silent_broker_is_noticed_within_seconds(own_broker, inbox):
    node = inbox(own_broker.node_url(7), 7)
    node.consumer.run_once()
    own_broker.process.send_signal(signal.SIGSTOP)
    try:
        for call in (
            node.consumer.run_once,
            lambda: Publisher(own_broker.url).publish([(7, ResultReady(1, 1))]),
        ):
            before = time.monotonic()
            with pytest.raises(BrokerUnavailable):
                call()
            assert time.monotonic() - before < redis.READ_SECONDS + 10
    finally:
        own_broker.process.send_signal(signal.SIGCONT)

    inbox(own_broker.node_url(7), 7).consumer.run_once()
