"""What happens when consumers and brokers freeze, die and forget."""

import os
import signal
import subprocess
import sys
import time

import pytest

from vantage6.broker import queues, transport
from vantage6.broker.connection import BrokerUnavailable
from vantage6.broker.messages import ResultReady
from vantage6.broker.publisher import Publisher

pytestmark = pytest.mark.slow

#: A node in a process of its own, which writes down what it received.
NODE = """
import os, sys, threading
from vantage6.broker.consumer import NodeConsumer
url, queue, alive, record = sys.argv[1:]
file = os.open(record, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
consumer = NodeConsumer(url, queue, alive, lambda m: os.write(file, b"%d\\n" % m.result_id))
consumer.run(threading.Event())
"""


@pytest.mark.timeout(120)
def test_a_consumer_that_is_frozen_and_killed_loses_nothing(own_broker, tmp_path):
    rounds = 50
    record = tmp_path / "received"
    publisher = Publisher(own_broker.url)
    moved = 0

    def start():
        arguments = [own_broker.node_url(7), queues.inbox(7), queues.alive(7), str(record)]
        process = subprocess.Popen([sys.executable, "-c", NODE, *arguments])
        deadline = time.monotonic() + 20
        # Waiting in BLMOVE: Redis will hand over the next message without being asked again.
        while own_broker.admin.info("clients")["blocked_clients"] == 0:
            assert time.monotonic() < deadline
            time.sleep(0.002)
        return process

    for number in range(1, rounds + 1):
        node = start()
        os.kill(node.pid, signal.SIGSTOP)
        publisher.ring([(7, ResultReady(number, 1))])
        moved += own_broker.in_flight(7)
        node.kill()
        node.wait(10)
    node = start()
    node.terminate()
    node.wait(10)

    assert [int(line) for line in record.read_text().split()] == list(range(1, rounds + 1))
    assert own_broker.waiting(7) == own_broker.in_flight(7) == 0
    # Otherwise the test would prove nothing: the messages were in the hands of a dead consumer.
    assert moved > rounds * 0.8


def test_a_consumer_that_is_killed_while_it_works_gets_the_message_again(
    own_broker, tmp_path, inbox
):
    Publisher(own_broker.url).ring([(7, ResultReady(number, 1)) for number in (1, 2)])
    working = NODE.replace("lambda m:", "lambda m: __import__('time').sleep(60) or")
    arguments = [own_broker.node_url(7), queues.inbox(7), queues.alive(7), str(tmp_path / "record")]
    node = subprocess.Popen([sys.executable, "-c", working, *arguments])
    deadline = time.monotonic() + 20
    while not own_broker.in_flight(7):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    node.kill()
    node.wait(10)

    received = inbox(own_broker.node_url(7), 7).take(2)

    assert [message.result_id for message in received] == [1, 2]


def test_a_restart_of_the_broker_is_noticed_and_survived(own_broker, inbox, running):
    node = inbox(own_broker.node_url(7), 7)
    thread = running(node.consumer)
    publisher = Publisher(own_broker.url)
    publisher.ring([(7, ResultReady(1, 1))])
    time.sleep(0.5)
    own_broker.stop()
    thread._thread.join(5)
    assert isinstance(thread.error, BrokerUnavailable)
    with pytest.raises(BrokerUnavailable):
        publisher.ring([(7, ResultReady(2, 1))])
    own_broker.start()
    publisher.ring([(7, ResultReady(2, 1))])

    # The users of the nodes are gone with the process; the old password proves it.
    with pytest.raises(BrokerUnavailable):
        node.consumer.run_once()
    assert inbox(own_broker.node_url(7), 7).take(1) == [ResultReady(2, 1)]


def test_a_broker_that_lost_everything_is_healed_by_the_next_login(own_broker, inbox, running):
    node = inbox(own_broker.node_url(7), 7)
    thread = running(node.consumer)
    time.sleep(0.5)
    own_broker.kill()
    own_broker.wipe()
    own_broker.start()
    thread._thread.join(5)
    assert isinstance(thread.error, BrokerUnavailable)

    renewed = inbox(own_broker.node_url(7), 7)
    Publisher(own_broker.url).ring([(7, ResultReady(3, 1))])

    assert renewed.take(1) == [ResultReady(3, 1)]


def test_emptying_the_broker_does_not_disturb_a_consumer(own_broker, inbox):
    node = inbox(own_broker.node_url(7), 7)
    node.handle = lambda message: (own_broker.admin.flushall(), node.received.append(message))
    for number in (1, 2):
        Publisher(own_broker.url).ring([(7, ResultReady(number, 1))])
        node.take(number)


def test_waiting_messages_survive_a_crash_of_the_broker(own_broker, inbox):
    Publisher(own_broker.url).ring([(7, ResultReady(1, 1))])
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
            lambda: Publisher(own_broker.url).ring([(7, ResultReady(1, 1))]),
        ):
            before = time.monotonic()
            with pytest.raises(BrokerUnavailable):
                call()
            assert time.monotonic() - before < transport.READ_SECONDS + 2
    finally:
        own_broker.process.send_signal(signal.SIGCONT)

    inbox(own_broker.node_url(7), 7).consumer.run_once()
