"""Messages wait until they are sent, longer after each failure."""

from datetime import timedelta

import pytest

from vantage6.common.clock import now
from vantage6.models.store import outbox
from vantage6.models.store.outbox import Topic
from vantage6.models.tables import Outbox

pytestmark = pytest.mark.usefixtures("tables")


def due_since(message: int, seconds: float) -> None:
    """Let the time of a message have come some seconds ago."""
    moment = now() - timedelta(seconds=seconds)
    Outbox.update(available_at=moment).where(Outbox.id == message).execute()


def test_a_new_message_is_left_to_its_author_at_first():
    message = outbox.add(Topic.TASK_CREATED, {"task_id": 7})
    assert outbox.find(message) == (Topic.TASK_CREATED, {"task_id": 7})
    assert outbox.due() == []
    wait = Outbox.get_by_id(message).available_at - now()
    assert timedelta(0) < wait <= timedelta(seconds=2)


def test_the_oldest_message_is_due_first():
    messages = [outbox.add(Topic.TASK_CREATED, {"task_id": number}) for number in range(3)]
    for message, age in zip(messages, (1, 3, 2), strict=True):
        due_since(message, age)
    assert outbox.due() == [messages[1], messages[2], messages[0]]
    assert outbox.due(limit=1) == [messages[1]]


def test_a_sent_message_is_forgotten():
    message = outbox.add(Topic.TASK_CREATED, {"task_id": 7})
    outbox.sent(message)
    outbox.sent(message)
    assert outbox.find(message) is None


def test_a_failed_message_waits_twice_as_long_each_time_up_to_a_minute():
    message = outbox.add(Topic.TASK_CREATED, {"task_id": 7})
    waits = []
    for _ in range(9):
        outbox.postpone(message, "the broker is down")
        row = Outbox.get_by_id(message)
        waits.append(round((row.available_at - now()).total_seconds()))
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert (row.attempts, row.error) == (9, "the broker is down")


def test_a_long_error_is_cut_and_a_sent_message_cannot_be_postponed():
    message = outbox.add(Topic.TASK_CREATED, {"task_id": 7})
    outbox.postpone(message, "x" * 5000)
    assert len(Outbox.get_by_id(message).error) == 1000
    outbox.sent(message)
    outbox.postpone(message, "too late")
    assert outbox.find(message) is None
