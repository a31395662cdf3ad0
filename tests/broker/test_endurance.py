"""Whatever is frozen, killed or restarted, on either way: nothing is lost, nothing comes twice."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.broker import child
from tests.broker.conftest import HttpsStation, Station, https_station
from tests.campaign import SEED, effort
from tests.services.flaky import FlakyProxy
from tests.waiting import eventually
from vantage6.broker.consumer import NodeConsumer
from vantage6.broker.queues import inbox
from vantage6.broker.transports import https
from vantage6.client.node_client import NodeClient
from vantage6.common.errors import Unauthenticated, V6Error

pytestmark = [pytest.mark.slow, pytest.mark.campaign]

#: How often a consumer is frozen and killed.
FREEZES = effort(20)
#: Messages that may wait at once: a bad network is slow, and an inbox drops the oldest one day.
MOST_WAITING = 100
#: How long messages go through a bad network.
FLAKY_SECONDS = effort(15)


def start(station: Station, record: Path, seconds: float = 0) -> "subprocess.Popen[bytes]":
    """Start a node in a process of its own."""
    command = [sys.executable, child.__file__, str(record), str(seconds), *station.arguments]
    return subprocess.Popen(command)


def lines(record: Path) -> list[int]:
    return [int(line) for line in record.read_text().split()] if record.exists() else []


@pytest.mark.timeout(120 + 10 * FREEZES)
def test_a_consumer_that_is_frozen_and_killed_loses_nothing(own_station, tmp_path):
    record, moved = tmp_path / "received", 0
    for number in range(1, FREEZES + 1):
        node = start(own_station, record)
        # Whoever waits is handed the next message without asking again.
        eventually(own_station.is_waiting)
        os.kill(node.pid, signal.SIGSTOP)
        own_station.publish(number)
        eventually(lambda: own_station.in_flight or own_station.waiting)
        time.sleep(0.05)
        moved += own_station.in_flight
        node.kill()
        node.wait(10)
    node = start(own_station, record)
    eventually(lambda: len(lines(record)) >= FREEZES)
    eventually(own_station.is_waiting)
    node.terminate()
    node.wait(10)

    assert lines(record) == list(range(1, FREEZES + 1))
    assert own_station.waiting == own_station.in_flight == 0
    # Otherwise the test would prove nothing: the messages were in the hands of a dead consumer.
    assert moved > FREEZES * 0.8


def test_a_consumer_that_is_killed_while_it_works_gets_the_message_again(own_station, tmp_path):
    own_station.publish(1, 2)
    node = start(own_station, tmp_path / "record", seconds=60)
    eventually(lambda: own_station.in_flight)
    node.kill()
    node.wait(10)

    received = own_station.inbox().take(2)

    assert [message.result_id for message in received] == [1, 2]


class Persistent:
    """A consumer that connects again whenever its connection ends, as the node does."""

    def __init__(self, station: Station) -> None:
        self.received: list[int] = []
        self.failures: list[V6Error] = []
        self._station = station
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                NodeConsumer(
                    self._station.connect(),
                    inbox(self._station.node_id),
                    lambda message: self.received.append(message.result_id),
                ).run(self._stop)
            except V6Error as error:
                self.failures.append(error)
                self._stop.wait(0.2)

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(20)


@pytest.fixture
def persistent(own_station) -> Iterator[Persistent]:
    consumer = Persistent(own_station)
    yield consumer
    consumer.stop()


def ring_until_it_works(station: Station, number: int) -> None:
    for _ in range(50):
        try:
            station.publish(number)
            return
        except V6Error:
            time.sleep(0.1)
    raise AssertionError("no node could be reached")


@pytest.mark.parametrize("what", ["restart", "loss"])
def test_a_restart_of_redis_is_survived_even_with_the_loss_of_everything(
    own_station, persistent, what
):
    own_station.publish(1)
    eventually(lambda: persistent.received == [1])
    time.sleep(0.2)
    broker = own_station.broker
    broker.kill()
    if what == "loss":
        broker.wipe()
    broker.start()
    ring_until_it_works(own_station, 2)

    eventually(lambda: persistent.received == [1, 2])


def test_a_redis_that_hangs_is_survived(own_station, persistent):
    own_station.publish(1)
    eventually(lambda: persistent.received == [1])
    own_station.broker.process.send_signal(signal.SIGSTOP)
    time.sleep(3)
    own_station.broker.process.send_signal(signal.SIGCONT)
    ring_until_it_works(own_station, 2)

    eventually(lambda: 2 in persistent.received)
    assert persistent.received == [1, 2]


def test_a_login_that_is_worth_nothing_any_more_is_reported(own_station, running):
    node = own_station.inbox()
    thread = running(node.consumer)
    eventually(own_station.is_waiting)
    own_station.log_out()
    # A request that waits already may get what comes; the next one is refused.
    own_station.publish(1)
    eventually(thread.ended)
    own_station.publish(2)

    assert isinstance(thread.error, V6Error)
    assert len(node.received) <= (1 if isinstance(own_station, HttpsStation) else 0)


@pytest.mark.timeout(120 + 3 * FLAKY_SECONDS)
def test_a_network_that_cuts_delays_and_truncates_loses_and_doubles_nothing(own_broker, tmp_path):
    stop, received = threading.Event(), list[int]()
    with (
        https_station(own_broker, tmp_path) as station,
        FlakyProxy(station.port, SEED) as network,
    ):
        consuming = threading.Thread(
            target=_consume_for_ever, args=(station, network.port, received, stop)
        )
        consuming.start()
        chance, number = random.Random(SEED), 0
        deadline = time.monotonic() + FLAKY_SECONDS
        while time.monotonic() < deadline:
            if station.waiting < MOST_WAITING:
                batch = chance.randint(1, 20)
                station.publish(*range(number + 1, number + batch + 1))
                number += batch
            time.sleep(chance.uniform(0, 0.5))
        eventually(lambda: len(received) >= number, 60 + FLAKY_SECONDS)
        eventually(lambda: not station.in_flight, 60)
        stop.set()
        consuming.join(20)
        print(f"{number} messages, {network.cut} cuts, {network.truncated} of them within a piece")  # noqa: T201

    assert sorted(received) == list(range(1, number + 1))
    assert network.cut > FLAKY_SECONDS / 5


def _consume_for_ever(
    station: HttpsStation, port: int, received: list[int], stop: threading.Event
) -> None:
    """Do what the node does, through another port."""
    client = NodeClient(f"http://127.0.0.1:{port}")
    while not stop.is_set():
        try:
            if client.whoami is None:
                client.authenticate(station.arguments[-1])
            NodeConsumer(
                lambda: https.connect(client.inbox()),
                inbox(station.node_id),
                lambda message: received.append(message.result_id),
            ).run(stop)
        except Unauthenticated:
            raise
        except V6Error:
            stop.wait(0.1)
    client.close()
