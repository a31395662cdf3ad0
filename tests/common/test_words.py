"""Small things that every part relies on: times, states, errors, base64."""

from datetime import UTC, datetime, timedelta

import pytest

from vantage6.common import clock, encoding, errors
from vantage6.common.task_status import (
    UNFINISHED,
    TaskStatus,
    has_task_failed,
    has_task_finished,
)


def test_now_is_aware_and_utc():
    assert clock.now().tzinfo is UTC
    assert abs(clock.now() - datetime.now(UTC)) < timedelta(seconds=5)


@pytest.mark.parametrize(
    "text",
    ["2026-01-02T03:04:05", "2026-01-02T03:04:05+00:00", "2026-01-02T05:04:05+02:00"],
)
def test_a_time_without_offset_is_utc(text: str):
    assert clock.parse(text) == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_what_is_no_time_is_refused():
    with pytest.raises(ValueError, match="yesterday"):
        clock.parse("yesterday")


@pytest.mark.parametrize("status", TaskStatus)
def test_a_state_is_open_completed_or_failed(status: TaskStatus):
    assert has_task_finished(status) == (status not in UNFINISHED)
    failed = has_task_finished(status) and status is not TaskStatus.COMPLETED
    assert has_task_failed(status) == failed


@pytest.mark.parametrize("status", [None, "", "splendid"])
def test_an_unknown_state_is_a_failure(status: str | None):
    assert has_task_failed(status)
    assert has_task_finished(status)


def test_an_error_has_a_message_and_a_stable_code():
    plain = errors.NotFound()
    assert (plain.message, plain.error_code, str(plain)) == (
        "There is no such thing.",
        "not_found",
        "There is no such thing.",
    )
    special = errors.Conflict("It has ended.", code="result_finished")
    assert (special.message, special.error_code) == ("It has ended.", "result_finished")


def test_codes_of_errors_are_unique():
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    codes = [kind.code for kind in kinds if issubclass(kind, errors.V6Error)]
    assert len(set(codes)) == len(codes) == 12


@pytest.mark.parametrize("content", [b"", b"a", b"\x00\xff" * 100])
def test_base64_comes_back(content: bytes):
    assert encoding.base64s_to_bytes(encoding.bytes_to_base64s(content)) == content


def test_base64_without_padding_is_refused():
    with pytest.raises(ValueError, match="padding"):
        encoding.base64s_to_bytes("YQ")
