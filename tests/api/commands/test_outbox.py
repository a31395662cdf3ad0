"""An operator sees what waits and what is dead, and has it sent again."""

import pytest

from tests.api.commands.conftest import Operator
from vantage6.models.store import outbox
from vantage6.models.store.outbox import MOST_ATTEMPTS, Topic
from vantage6.models.tables import Outbox


@pytest.fixture
def operator(operator: Operator) -> Operator:
    """Give an operator of a server that was set up."""
    operator.does("migrate")
    return operator


@pytest.fixture
def messages(operator: Operator) -> tuple[int, int]:
    """Return a message that waits and one that is dead."""
    with operator.connected():
        waiting = outbox.add(Topic.TASK_CREATED, {"task_id": 7})
        dead = outbox.add(Topic.RESULTS_READY, {"result_ids": [1] * 100})
        for _ in range(MOST_ATTEMPTS):
            outbox.postpone(dead, "nobody\nunderstands it")
    return waiting, dead


def test_nothing_is_said_plainly(operator: Operator):
    assert "Nothing waits." in operator.does("outbox", "list")
    assert "Nothing is dead." in operator.does("outbox", "dead")


def test_what_waits_and_what_is_dead_are_told_apart(operator: Operator, messages):
    waits, dies = operator.does("outbox", "list"), operator.does("outbox", "dead")
    assert '{"task_id": 7}' in waits
    assert "results_ready" not in waits
    (_, line) = dies.splitlines()
    assert f"{MOST_ATTEMPTS}" in line
    assert "nobody understands it" in line
    assert "…" in line


def test_the_dead_are_left_alone_until_they_are_replayed(operator: Operator, messages):
    waiting, dead = messages
    with operator.connected():
        Outbox.update(available_at=Outbox.get_by_id(waiting).available_at).execute()
        assert dead not in outbox.due()
    assert "1 message will be sent again" in operator.does("outbox", "replay", "--all")
    with operator.connected():
        assert dead in outbox.due()
        assert dead in [message.id for message in outbox.new()]
        assert Outbox.get_by_id(dead).error is None


def test_a_message_is_replayed_by_its_number(operator: Operator, messages):
    waiting, dead = messages
    assert "1 message " in operator.does("outbox", "replay", waiting)
    with operator.connected():
        assert outbox.due() == [waiting]
    assert "No message 99 " in operator.refused("outbox", "replay", dead, 99)
    with operator.connected():
        assert [row.id for row in outbox.dead()] == [dead]


def test_one_has_to_say_which(operator: Operator):
    assert "--all" in operator.refused("outbox", "replay")
    assert "--all" in operator.refused("outbox", "replay", 1, "--all")


def test_nothing_dies_of_a_broker_that_is_away(operator: Operator):
    with operator.connected():
        message = outbox.add(Topic.TASK_CREATED, {"task_id": 7})
        for _ in range(MOST_ATTEMPTS + 5):
            outbox.postpone(message, "the broker is down", blameless=True)
        assert outbox.dead() == []
