"""Numbers and events leave in the background, and nobody waits for them."""

import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from celery import Celery

from tests.services import NO_BROKER
from tests.waiting import eventually
from vantage6.broker import connection, metrics, telemetry
from vantage6.broker.connection import celery_settings, client
from vantage6.broker.flower import Flower, Work, harmless, hostname
from vantage6.broker.telemetry import Telemetry
from vantage6.common.task_status import TaskStatus

ALPHA = Work(31, 3, 7, "alpha", "harbor2.vantage6.ai/demo/average")


def counted(url: str) -> dict[telemetry.Number, float]:
    with client(url) as redis:
        return dict(telemetry.numbers(redis))


def test_several_processes_count_into_one_place(redis_url: str):
    for one in (Telemetry(redis_url), Telemetry(redis_url)):
        one.count(metrics.MAILS, "sent")
        one.count(metrics.MAILS, "sent", by=2)
    eventually(lambda: counted(redis_url) == {("vantage6_mails_total", ("sent",), ""): 6})


def test_a_value_falls_into_the_bucket_that_holds_it(redis_url: str):
    one = Telemetry(redis_url)
    for value in (0.05, 0.06, 5000):
        one.observe(metrics.CLAIMS, value)
    name = metrics.CLAIMS.name
    eventually(
        lambda: (
            counted(redis_url)
            == {
                (name, (), "0.05"): 1,
                (name, (), "0.1"): 1,
                (name, (), "+Inf"): 1,
                (name, (), "sum"): pytest.approx(5000.11),
            }
        )
    )


def test_nobody_waits_for_a_broker_that_is_away():
    one = Telemetry(NO_BROKER)
    started = time.monotonic()
    for _ in range(20_000):
        one.count(metrics.MAILS, "sent")
        one.tell("task-started", "alpha", uuid="x")
    assert time.monotonic() - started < 20


def test_what_was_counted_without_a_broker_is_sent_when_it_is_back(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(connection, "COOLDOWN_SECONDS", 1.0)
    one = Telemetry(NO_BROKER)
    one.count(metrics.MAILS, "sent")
    # Nobody tries on and on.
    eventually(lambda: one._thread is None)
    one.count(metrics.MAILS, "sent")
    assert one._thread is None
    one._url, one._redis = redis_url, None
    time.sleep(1)
    one.count(metrics.MAILS, "sent")
    eventually(lambda: counted(redis_url) == {("vantage6_mails_total", ("sent",), ""): 3})


@pytest.fixture
def watched(redis_url: str) -> Iterator[tuple[Flower, Callable[[int], Any]]]:
    """Give somebody who tells, and what Flower has understood after some events."""
    app = Celery("tests", set_as_current=False)
    app.conf.update(celery_settings(redis_url))
    state = app.events.State()
    with app.connection_for_read() as connection:
        receiver = app.events.Receiver(connection, handlers={"*": state.event})
        with receiver.consumer_context() as (open_connection, _, _):

            def after(events: int) -> Any:
                deadline = time.monotonic() + 20
                while state.event_count < events and time.monotonic() < deadline:
                    with suppress(TimeoutError):
                        open_connection.drain_events(timeout=0.5)
                assert state.event_count == events
                return state

            yield Flower(Telemetry(redis_url)), after


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (TaskStatus.COMPLETED, "SUCCESS"),
        (TaskStatus.CRASHED, "FAILURE"),
        (TaskStatus.NOT_ALLOWED, "FAILURE"),
        (TaskStatus.KILLED, "REVOKED"),
    ],
)
def test_flower_understands_the_life_of_a_result(
    watched: tuple[Flower, Callable[[int], Any]], status: TaskStatus, state: str
):
    flower, after = watched
    flower.received(ALPHA)
    flower.started(ALPHA)
    flower.ended(ALPHA, status, 1.5)
    task = after(3).tasks["result-31"]
    assert (task.state, task.name, task.args) == (state, ALPHA.image, "task 3")
    assert task.worker.hostname == "alpha@node-7"
    assert task.received <= task.started
    if state == "SUCCESS":
        assert task.runtime == 1.5


def test_flower_understands_who_is_there(watched: tuple[Flower, Callable[[int], Any]]):
    flower, after = watched
    flower.nodes({1: "a", 2: "b"}, {1, 2})
    assert {one.hostname for one in after(2).alive_workers()} == {"a@node-1", "b@node-2"}
    flower.nodes({1: "a", 2: "b"}, {2})
    assert {one.hostname for one in after(4).alive_workers()} == {"b@node-2"}


def test_a_flower_that_is_off_is_told_nothing(watched: tuple[Flower, Callable[[int], Any]]):
    flower, after = watched
    Flower(flower._telemetry, is_on=False).started(ALPHA)
    flower.received(Work(1, 3, 7, "alpha", "image"))
    assert set(after(1).tasks) == {"result-1"}


def test_many_events_are_few_messages(watched: tuple[Flower, Callable[[int], Any]]):
    flower, after = watched
    for id_ in range(1200):
        flower.received(Work(id_, 3, 7, "alpha", "image"))
    assert after(1200).task_count == 1200


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", "a\nb", "'\"&\x1b[2J", "x" * 5000])
def test_names_do_nothing_in_a_page_or_a_log(text: str):
    shown = harmless(text)
    assert not set(shown) & set("<>&'\"\n\x1b")
    assert len(shown) <= 200
    assert harmless("Alpha - north Node") == "Alpha - north Node"


def test_nodes_of_one_name_are_told_apart():
    assert hostname(1, "same") != hostname(2, "same")
    assert hostname(3, "") == "node@node-3"
