"""The API kicks workers without ever waiting for them."""

import signal
import subprocess
import sys
import threading
import time

import pytest
from celery import Celery

from tests.waiting import eventually
from vantage6.broker import connection, sender
from vantage6.broker.connection import celery_settings
from vantage6.broker.queues import CELERY_PREFIX, CONTROL, MAIL, WORKERS_CALLED
from vantage6.broker.sender import ControlSender

pytestmark = pytest.mark.slow

WORKER = """
import sys
from pathlib import Path
from celery import Celery
from vantage6.broker.connection import celery_settings
url, record = sys.argv[1:]
app = Celery("test")
app.conf.update(celery_settings(url), task_acks_late=True, task_ignore_result=True,
                worker_send_task_events=True)
@app.task(name="tasks.note", bind=True, max_retries=1)
def note(task, number):
    if number < 0 and not task.request.retries:
        raise task.retry(countdown=0.1)
    with open(record, "a") as file:
        file.write(f"{number} ")
app.worker_main(["worker", "--queues=control", "--pool=solo", "--loglevel=ERROR"])
"""


def timed(call, *arguments):
    before = time.monotonic()
    result = call(*arguments)
    return result, time.monotonic() - before


def test_a_kick_reaches_a_real_worker_and_refuses_nothing(broker, tmp_path):
    """Under the rights of the server's user: tasks, retries, events, remote control."""
    record = tmp_path / "record"
    worker = subprocess.Popen([sys.executable, "-c", WORKER, broker.url, str(record)])
    try:
        kicker = ControlSender(broker.url)
        assert kicker.kick("tasks.note", 31)
        assert kicker.kick("tasks.note", -31)
        deadline = time.monotonic() + 30
        while not record.exists() or len(record.read_text().split()) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        with Celery("observer", set_as_current=False) as observer:
            observer.conf.update(celery_settings(broker.url))
            pongs = eventually(lambda: observer.control.ping(timeout=2))
    finally:
        worker.terminate()
        worker.wait(60)

    assert sorted(record.read_text().split()) == ["-31", "31"]
    assert [pong for reply in pongs or () for pong in reply.values()] == [{"ok": "pong"}]
    assert broker.denials() == []
    assert all(key.startswith(CELERY_PREFIX.encode()) for key in broker.admin.keys("*"))


def test_kicked_tasks_wait_in_the_control_queue(broker):
    kicker = ControlSender(broker.url)

    assert [kicker.kick("tasks.fan_out", number) for number in range(3)] == [True] * 3
    assert broker.admin.llen(CELERY_PREFIX + CONTROL) == 3
    assert broker.denials() == []


def test_mails_wait_in_a_queue_of_their_own(broker):
    assert ControlSender(broker.url).kick("send_mail", 1, 0, queue=MAIL)
    assert broker.admin.llen(CELERY_PREFIX + MAIL) == 1
    assert broker.admin.llen(CELERY_PREFIX + CONTROL) == 0
    assert broker.denials() == []


def test_workers_are_called_once_until_they_begin(broker):
    caller, other = ControlSender(broker.url), ControlSender(broker.url)
    assert [caller.call("tasks.fan_out"), other.call("tasks.fan_out")] == [True, True]
    assert broker.admin.llen(CELERY_PREFIX + CONTROL) == 1
    broker.admin.delete(WORKERS_CALLED)
    assert caller.call("tasks.fan_out")
    assert broker.admin.llen(CELERY_PREFIX + CONTROL) == 2
    assert broker.denials() == []


def test_workers_that_do_not_begin_are_called_again(broker, monkeypatch):
    monkeypatch.setattr(sender, "CALL_SECONDS", 0.1)
    caller = ControlSender(broker.url)
    assert caller.call("tasks.fan_out")
    time.sleep(0.15)
    assert caller.call("tasks.fan_out")
    assert broker.admin.llen(CELERY_PREFIX + CONTROL) == 2


def test_many_threads_kick_at_once(broker):
    kicker = ControlSender(broker.url)
    results = []
    threads = [
        threading.Thread(target=lambda: results.append(kicker.kick("tasks.fan_out", 1)))
        for _ in range(32)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert results == [True] * 32
    assert broker.admin.llen(CELERY_PREFIX + CONTROL) == 32


def test_an_outage_costs_little_and_is_reported_once(own_broker, events, monkeypatch):
    monkeypatch.setattr(connection, "COOLDOWN_SECONDS", 0.0)
    kicker = ControlSender(own_broker.url)
    assert kicker.kick("tasks.fan_out", 1)
    own_broker.stop()
    for _ in range(3):
        sent, seconds = timed(kicker.kick, "tasks.fan_out", 1)
        assert (sent, seconds < 8) == (False, True)
    own_broker.start()

    assert kicker.kick("tasks.fan_out", 1)
    assert kicker.kick("tasks.fan_out", 1)
    assert [event["event"] for event in events] == [
        "workers cannot be reached",
        "workers can be reached again",
    ]
    assert own_broker.embedded.password not in repr(events)


def test_a_restart_between_two_kicks_is_not_noticed(own_broker):
    kicker = ControlSender(own_broker.url)
    assert kicker.kick("tasks.fan_out", 1)
    own_broker.stop()
    own_broker.start()

    assert kicker.kick("tasks.fan_out", 1)
    assert own_broker.admin.llen(CELERY_PREFIX + CONTROL) == 2


@pytest.mark.parametrize("connected", [True, False])
@pytest.mark.parametrize("way", [ControlSender.kick, ControlSender.call])
def test_a_silent_broker_costs_little(own_broker, connected, way):
    kicker = ControlSender(own_broker.url)
    if connected:
        way(kicker, "tasks.fan_out")
    own_broker.process.send_signal(signal.SIGSTOP)
    try:
        first = timed(way, kicker, "tasks.fan_out")
        others = [timed(way, kicker, "tasks.fan_out") for _ in range(5)]
    finally:
        own_broker.process.send_signal(signal.SIGCONT)

    assert not first[0]
    assert first[1] < 8
    assert not any(sent for sent, _ in others)
    # During the rest nobody tries. This machine may do something else meanwhile.
    assert min(seconds for _, seconds in others) < 0.05


def test_what_cannot_be_sent_is_not_the_callers_problem(broker, events):
    assert not ControlSender(broker.url).kick("tasks.fan_out", object())
    assert len(events) == 1
