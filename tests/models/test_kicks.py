"""The workers hear of a message of the outbox as soon as it is committed, and not before."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.models.factories import migrated, side_by_side
from vantage6.models import database
from vantage6.models.database import db
from vantage6.models.store import outbox
from vantage6.models.store.outbox import Topic


@pytest.fixture
def kicks(database_uri: str, tmp_path: Path) -> Iterator[list[tuple[str, int, bool]]]:
    """Give the kicks: topic, id, and whether another connection found the message."""
    made: list[tuple[str, int, bool]] = []

    def kick(topic: str, message_id: int) -> None:
        (found,) = side_by_side(lambda: outbox.find(message_id))
        made.append((topic, message_id, found is not None))

    database.bind(database_uri, folder=tmp_path, kick=kick)
    with migrated():
        yield made


def test_the_workers_are_kicked_when_a_message_is_committed(kicks: list[tuple[str, int, bool]]):
    with db.atomic():
        first = outbox.add(Topic.TASK_CREATED, {"task_id": 7})
        with db.atomic():
            second = outbox.add(Topic.RESULTS_READY, {"result_ids": [7]})
        assert kicks == []
    assert kicks == [(Topic.TASK_CREATED, first, True), (Topic.RESULTS_READY, second, True)]


def test_a_message_outside_of_a_transaction_is_kicked_at_once(kicks: list[tuple[str, int, bool]]):
    message = outbox.add(Topic.MAIL, {"kind": "x"})
    assert kicks == [(Topic.MAIL, message, True)]


def test_a_message_that_was_rolled_back_is_not_kicked(kicks: list[tuple[str, int, bool]]):
    with db.atomic() as transaction:
        outbox.add(Topic.TASK_CREATED, {"task_id": 7})
        transaction.rollback()
    outbox.add(Topic.MAIL, {})
    assert [topic for topic, _, _ in kicks] == [Topic.MAIL]


def test_the_kick_of_a_mail_that_was_rolled_back_begins_no_other_message(
    kicks: list[tuple[str, int, bool]],
):
    with db.atomic():
        with db.atomic() as savepoint:
            lost = outbox.add(Topic.MAIL, {})
            savepoint.rollback()
        message = outbox.add(Topic.TASK_CREATED, {"task_id": 7})
    # SQLite gives the number of the mail to the message.
    assert outbox.begin(lost, 0, 180) is None
    assert [one.id for one in outbox.waiting()] == [message]
    assert outbox.waiting()[0].attempts == 0
