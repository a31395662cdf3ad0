"""The settings of the workers keep what the system relies on."""

from typing import Any

import pytest
from celery import Celery

from tests.services import NO_BROKER
from vantage6.broker.queues import CELERY_PREFIX, CONTROL, MAIL, MAINTENANCE
from vantage6.workers.settings import settings
from vantage6.workers.tasks import register

#: What the tasks work with; none of them runs here.
PARTS: tuple[Any, ...] = (None, None, None, None)


@pytest.fixture
def values() -> dict[str, Any]:
    return settings(NO_BROKER)


def test_nothing_is_ever_unpickled(values: dict[str, Any]):
    assert values["accept_content"] == ["json"]
    assert {values["task_serializer"], values["event_serializer"]} == {"json"}


def test_a_lost_worker_loses_no_task(values: dict[str, Any]):
    assert values["task_acks_late"] is True
    assert values["task_reject_on_worker_lost"] is True
    assert values["worker_prefetch_multiplier"] == 1


def test_everything_of_celery_has_one_prefix(values: dict[str, Any]):
    assert values["broker_transport_options"]["global_keyprefix"] == CELERY_PREFIX


def test_queues_and_schedule_name_what_exists(values: dict[str, Any]):
    app = Celery("tests", set_as_current=False)
    register(app, *PARTS)
    assert {queue.name for queue in values["task_queues"]} == {CONTROL, MAIL, MAINTENANCE}
    for entry in values["beat_schedule"].values():
        assert entry["task"] in app.tasks
        assert entry["options"]["expires"] > entry["schedule"]
    assert set(values["task_routes"]) <= set(app.tasks)


@pytest.mark.parametrize("shown", [False, True])
def test_flower_hears_of_the_rounds_of_the_schedule_only_if_asked(
    values: dict[str, Any], shown: bool
):
    app = Celery("tests", set_as_current=False)
    register(app, *PARTS, shows_housekeeping=shown)
    rounds = {entry["task"] for entry in values["beat_schedule"].values()}
    assert rounds == {"relay", "sweep", "prune", "watch"}
    assert {app.tasks[name].send_events for name in rounds} == {shown}
    assert app.tasks["fan_out"].send_events
    assert app.tasks["send_mail"].send_events
    # Beat would tell of every round, whatever the task says.
    assert values["task_send_sent_event"] is False


def test_nodes_are_watched_for_flower_alone():
    assert "watch" not in settings(NO_BROKER, has_flower=False)["beat_schedule"]
