"""Messages wait until they are sent, longer after each failure."""

from datetime import timedelta

import pytest

from tests.models.factories import side_by_side
from vantage6.common.clock import now
from vantage6.models.store import outbox
from vantage6.models.store.outbox import Topic, Waiting
from vantage6.models.tables import Outbox

pytestmark = pytest.mark.usefixtures("tables")


def due_since(message: int, seconds: float) -> None:
    """Let the time of a message have come some seconds ago."""
    moment = now() - timedelta(seconds=seconds)
    Outbox.update(available_at=moment).where(Outbox.id == message).execute()


def test_a_new_message_is_left_to_its_author_at_first():
    message = outbox.add(Topic.TASK_CREATED, {"task_id": 7})
    assert outbox.find(message) == Waiting(message, Topic.TASK_CREATED, {"task_id": 7}, None)
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
    outbox.forget(message)
    outbox.forget(message)
    assert outbox.find(message) is None


def test_several_messages_are_forgotten_at_once():
    first, second, third = (outbox.add(Topic.TASK_CREATED, {}) for _ in range(3))
    outbox.forget(first, third)
    outbox.forget()
    assert [waiting.id for waiting in outbox.new()] == [second]


def test_new_is_what_nobody_tried_to_send_and_everybody_knows():
    failed = outbox.add(Topic.TASK_CREATED, {})
    outbox.postpone(failed, "the broker is down")
    outbox.add(Topic.MAIL, {})
    Outbox.create(topic="of_the_future", content="{}")
    made = [outbox.add(Topic.TASK_CREATED, {"task_id": id_}) for id_ in range(outbox.BATCH + 1)]
    expected = [
        Waiting(id_, Topic.TASK_CREATED, {"task_id": made.index(id_)}, None) for id_ in made
    ]
    assert outbox.new() == expected[: outbox.BATCH]


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
    outbox.forget(message)
    outbox.postpone(message, "too late")
    assert outbox.find(message) is None


def test_mails_are_due_by_themselves():
    mail = outbox.add(Topic.MAIL, {"kind": "password_reset"})
    other = outbox.add(Topic.TASK_CREATED, {"task_id": 7})
    for message in (mail, other):
        due_since(message, 1)
    assert outbox.due() == [other]
    assert outbox.due(mails=True) == [mail]


def test_what_was_handed_on_is_left_alone_for_a_while():
    message = outbox.add(Topic.MAIL, {})
    due_since(message, 1)
    assert outbox.hand_on(message) == 0
    assert outbox.due(mails=True) == []
    due_since(message, 1)
    outbox.begin(message, 0, 60)
    # Somebody began before it was handed on: that one is not disturbed.
    assert outbox.hand_on(message) is None
    assert Outbox.get_by_id(message).available_at - now() > timedelta(seconds=50)
    due_since(message, 1)
    assert outbox.hand_on(message) == 1
    outbox.forget(message)
    assert outbox.hand_on(message) is None


def test_an_attempt_is_begun_once():
    message = outbox.add(Topic.MAIL, {"kind": "x"})
    begun = side_by_side(*[lambda: outbox.begin(message, 0, 60)] * 6)
    assert sorted(begun, key=str) == [*[None] * 5, {"kind": "x"}]
    assert outbox.begin(message, 0, 60) is None
    assert outbox.begin(message, 1, 60) == {"kind": "x"}
    outbox.forget(message)
    assert outbox.begin(message, 2, 60) is None


def test_a_begun_attempt_that_fails_is_not_counted_twice():
    message = outbox.add(Topic.MAIL, {})
    waits = []
    for attempt in range(8):
        outbox.begin(message, attempt, 180)
        outbox.postpone(message, "busy", begun=True)
        row = Outbox.get_by_id(message)
        waits.append(round((row.available_at - now()).total_seconds()))
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]
    assert row.attempts == 8
