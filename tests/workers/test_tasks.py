"""What has been decided is said to the nodes that it concerns: at once, later, or again."""

from datetime import timedelta
from typing import Any

import pytest
from structlog.contextvars import bound_contextvars

from tests.models.factories import (
    LEASE,
    World,
    again,
    counted,
    finish,
    make_task,
    make_user,
    messages,
    result_of,
    side_by_side,
)
from tests.models.test_reconciliation import run_out
from tests.services import NO_BROKER
from tests.waiting import eventually
from tests.workers.conftest import Workers, doorbells
from vantage6.broker.changes import Change, look
from vantage6.broker.connection import client
from vantage6.broker.messages import ResultKilled, ResultReady
from vantage6.broker.queues import WORKERS_CALLED
from vantage6.common.clock import now
from vantage6.common.config import Instance
from vantage6.common.task_status import TaskStatus
from vantage6.models.store import nodes, outbox, results, sessions, tasks
from vantage6.models.store.outbox import Topic
from vantage6.models.tables import Outbox, Session, Task


@pytest.fixture
def task(world: World) -> Task:
    """Give a task for Amsterdam and Berlin, whose message waits."""
    return make_task(world.north, [world.amsterdam, world.berlin])


@pytest.fixture
def down(world: World) -> Workers:
    """Give workers whose broker is away."""
    return Workers(NO_BROKER)


def everything_is_due() -> None:
    Outbox.update(available_at=now()).execute()


def test_every_node_of_a_task_is_rung_once(world: World, task: Task, workers: Workers):
    workers.run("fan_out")
    for node, organization in (
        (world.amsterdam_north, world.amsterdam),
        (world.berlin_north, world.berlin),
    ):
        ready = ResultReady(result_of(task, organization).id, task.id)
        assert doorbells(workers.url, node.id) == [ready]
    for node in (world.berlin_south, world.cairo_south):
        assert doorbells(workers.url, node.id) == []
    assert messages() == []


def test_only_nodes_of_pending_results_are_rung(world: World, task: Task, workers: Workers):
    results.claim(result_of(task, world.amsterdam).id, world.amsterdam_north, LEASE)
    workers.run("fan_out")
    assert doorbells(workers.url, world.amsterdam_north.id) == []
    assert len(doorbells(workers.url, world.berlin_north.id)) == 1


def test_an_organization_without_node_is_left_out(world: World, task: Task, workers: Workers):
    nodes.delete(world.berlin_north)
    workers.run("fan_out")
    assert len(doorbells(workers.url, world.amsterdam_north.id)) == 1
    assert messages() == []


def test_a_message_is_sent_once_however_often_workers_are_called(
    world: World, task: Task, workers: Workers
):
    workers.run("fan_out")
    workers.run("fan_out")
    assert len(doorbells(workers.url, world.amsterdam_north.id)) == 1


def test_one_call_is_enough_for_any_number_of_messages(
    world: World, workers: Workers, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("vantage6.workers.tasks._MANY_DELIVERIES", 7)
    made = [make_task(world.north, [world.amsterdam]) for _ in range(outbox.BATCH + 20)]
    workers.run("fan_out")
    assert messages() == []
    received = doorbells(workers.url, world.amsterdam_north.id)
    assert [doorbell.task_id for doorbell in received] == [task.id for task in made]


def test_workers_that_are_called_at_once_ring_once(world: World, workers: Workers):
    made = [make_task(world.north, [world.amsterdam]) for _ in range(10)]
    fan_out = workers.app.tasks["fan_out"]
    assert side_by_side(*[fan_out] * 4) == [None] * 4
    assert messages() == []
    received = doorbells(workers.url, world.amsterdam_north.id)
    assert [doorbell.task_id for doorbell in received] == [task.id for task in made]


@pytest.mark.parametrize(("has_flower", "number"), [(True, 5), (False, 3)], ids=["flower", "none"])
def test_a_fan_out_reads_the_outbox_once_and_names_for_flower_alone(
    world: World, task: Task, instance: Instance, has_flower: bool, number: int
):
    workers = Workers(instance.broker_url, has_flower=has_flower)
    with counted() as statements:
        workers.run("fan_out")
    assert messages() == []
    sent = [event.sql for event in statements]
    assert len(sent) == number, sent
    assert len([sql for sql in sent if sql.startswith("SELECT") and '"outbox"' in sql]) == 1


def test_the_request_that_made_a_task_is_named_in_its_doorbells(world: World, workers: Workers):
    with bound_contextvars(request_id="request-7"):
        make_task(world.north, [world.amsterdam])
    workers.run("fan_out")
    (doorbell,) = doorbells(workers.url, world.amsterdam_north.id)
    assert doorbell.request_id == "request-7"


def test_a_worker_that_looks_may_be_called_again(world: World, task: Task, workers: Workers):
    with client(workers.url) as broker:
        broker.set(WORKERS_CALLED, "fan_out")
        workers.run("fan_out")
        assert not broker.exists(WORKERS_CALLED)


def test_a_call_leaves_mails_and_what_failed_to_others(world: World, task: Task, workers: Workers):
    (failed,) = messages()
    outbox.postpone(failed, "the broker was away")
    mail = outbox.add(Topic.MAIL, {"kind": "password_reset"})
    make_task(world.north, [world.berlin])
    workers.run("fan_out")
    assert messages() == [failed, mail]
    assert Outbox.get_by_id(mail).attempts == 0
    assert doorbells(workers.url, world.amsterdam_north.id) == []
    assert len(doorbells(workers.url, world.berlin_north.id)) == 1


@pytest.mark.parametrize(
    ("topic", "attempts"), [("of_the_future", 0), (Topic.RESULTS_KILLED, 1)], ids=["topic", "rest"]
)
def test_a_call_is_not_stopped_by_what_nobody_understands(
    world: World, workers: Workers, topic: str, attempts: int
):
    poison = Outbox.create(topic=topic, content='{"bells": 7}')
    make_task(world.north, [world.berlin])
    workers.run("fan_out")
    assert messages() == [poison.id]
    assert Outbox.get_by_id(poison.id).attempts == attempts
    assert len(doorbells(workers.url, world.berlin_north.id)) == 1


def test_new_messages_wait_for_the_relay_while_the_broker_is_down(world: World, down: Workers):
    for _ in range(3):
        make_task(world.north, [world.amsterdam])
    down.run("fan_out")
    assert [row.attempts for row in Outbox.select()] == [1, 1, 1]


def test_the_message_of_a_removed_task_is_nothing(world: World, task: Task, workers: Workers):
    about_task, *_ = messages()
    tasks.delete(task)
    outbox.forget(*(message for message in messages() if message != about_task))
    workers.run("fan_out")
    assert doorbells(workers.url, world.amsterdam_north.id) == []
    assert messages() == []


def test_nodes_of_a_killed_task_are_told_even_after_its_removal(
    world: World, task: Task, workers: Workers
):
    mine = result_of(task, world.amsterdam)
    tasks.delete(task)
    workers.run("fan_out")
    assert doorbells(workers.url, world.amsterdam_north.id) == [ResultKilled(mine.id, task.id)]


def test_a_broker_that_is_down_postpones(world: World, task: Task, down: Workers, workers: Workers):
    (message,) = messages()
    down.run("fan_out")
    row = Outbox.get_by_id(message)
    assert row.attempts == 1
    assert "does not answer" in (row.error or "")
    assert row.available_at > now()
    workers.run("relay")
    assert messages() == [message]
    everything_is_due()
    workers.run("relay")
    assert messages() == []
    assert len(doorbells(workers.url, world.amsterdam_north.id)) == 1


def test_the_relay_leaves_new_messages_to_their_authors(world: World, task: Task, workers: Workers):
    workers.run("relay")
    assert len(messages()) == 1


def test_two_relays_at_once_are_harmless(world: World, workers: Workers):
    made = [make_task(world.north, [world.amsterdam]) for _ in range(10)]
    everything_is_due()
    relay = workers.app.tasks["relay"]
    assert side_by_side(relay, relay) == [None, None]
    assert messages() == []
    received = doorbells(workers.url, world.amsterdam_north.id)
    assert {doorbell.task_id for doorbell in received} == {task.id for task in made}
    assert 10 <= len(received) <= 20


def test_a_message_that_nobody_understands_does_not_stop_the_others(
    world: World, task: Task, workers: Workers
):
    everything_is_due()
    poison = Outbox.create(topic="of_the_future", content="{}", available_at=task.created_at)
    workers.run("relay")
    assert messages() == [poison.id]
    assert "of_the_future" in (Outbox.get_by_id(poison.id).error or "")
    assert len(doorbells(workers.url, world.amsterdam_north.id)) == 1


def test_the_sweep_offers_results_of_silent_nodes_again(world: World, task: Task, workers: Workers):
    workers.run("fan_out")
    mine = result_of(task, world.amsterdam)
    results.claim(mine.id, world.amsterdam_north, LEASE)
    run_out(mine)
    workers.run("sweep")
    assert again(mine).status == TaskStatus.PENDING
    everything_is_due()
    workers.run("relay")
    received = doorbells(workers.url, world.amsterdam_north.id)
    assert received == [ResultReady(mine.id, task.id)] * 2
    # Its node came back meanwhile: nobody is told again.
    outbox.add(Topic.RESULTS_READY, {"result_ids": [mine.id]})
    finish(mine, world.amsterdam_north)
    everything_is_due()
    workers.run("relay")
    assert doorbells(workers.url, world.amsterdam_north.id) == received
    assert messages() == []


def test_clients_that_wait_hear_of_what_the_sweep_offers_again(
    world: World, task: Task, workers: Workers
):
    mine = result_of(task, world.amsterdam)
    results.claim(mine.id, world.amsterdam_north, LEASE)
    run_out(mine)
    with client(workers.url) as broker:
        before = look(broker, None).place
        workers.run("sweep")
        eventually(lambda: look(broker, before).changes)
        assert look(broker, before).changes == [Change(world.north.id, task.id, task.run_id)]


def test_the_sweep_does_nothing_where_nothing_is_late(world: World, task: Task, workers: Workers):
    before = messages()
    workers.run("sweep")
    assert messages() == before


def test_expired_sessions_of_accounts_that_never_come_back_are_removed(
    world: World, workers: Workers
):
    user, moment = make_user(world.amsterdam), now()
    for holder in (user, world.amsterdam_north):
        given: dict[str, Any] = {"until": moment, "address": "192.0.2.1", "agent": None}
        over, _ = (sessions.begin(holder, **given) for _ in range(2))
        expired = {"expires_at": moment - timedelta(seconds=1)}
        Session.update(expired).where(Session.id == over.id).execute()
    alive = {row.id for row in Session.select() if row.expires_at > moment}
    assert (len(alive), Session.select().count()) == (2, 4)
    workers.run("prune")
    assert {row.id for row in Session.select()} == alive
