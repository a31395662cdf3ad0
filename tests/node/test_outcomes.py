"""From the end of a process to words for the researcher."""

import pytest

from vantage6.common.config.node import LimitConfig
from vantage6.node.outcomes import Exit, judge, size


@pytest.mark.parametrize(
    ("exit_", "output_bytes", "status", "code"),
    [
        (Exit(0), 5, "completed", None),
        (Exit(0), 0, "crashed", "no_output"),
        (Exit(0), 10**9, "crashed", "output_too_large"),
        (Exit(3, "a\nValueError: no"), 0, "crashed", "exit_code"),
        (Exit(137, out_of_memory=True), 0, "crashed", "out_of_memory"),
        (Exit(1, "Traceback\nMemoryError"), 0, "crashed", "out_of_memory"),
        (Exit(1, "RuntimeError: can't start new thread"), 0, "crashed", "process_limit"),
        (Exit(2, "sh: 1: Cannot fork"), 0, "crashed", "process_limit"),
        (Exit(153), 0, "crashed", "output_too_large"),
        (Exit(1, "OSError: [Errno 27] File too large"), 0, "crashed", "output_too_large"),
        (Exit(137, timed_out=True), 0, "crashed", "time_limit"),
        (Exit(None), 0, "unknown error", "vanished"),
    ],
)
def test_each_end_has_its_status_and_reason(
    exit_: Exit, output_bytes: int, status: str, code: str | None
) -> None:
    found, reason = judge(exit_, output_bytes, LimitConfig(seconds=10))
    assert found == status
    assert (reason.code if reason else None) == code


def test_out_of_memory_that_was_survived_is_no_failure() -> None:
    found, _ = judge(Exit(0, out_of_memory=True), 5, LimitConfig())
    assert found == "completed"


def test_last_line_of_the_log_is_quoted() -> None:
    _, reason = judge(Exit(1, "first\nlast words\n\n"), 0, LimitConfig())
    assert reason is not None
    assert reason.message.endswith("last words")


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0 bytes"), (1023, "1023 bytes"), (4 * 2**20, "4 MiB"), (2**30 + 2**29, "1.5 GiB")],
)
def test_sizes_are_readable(number: int, text: str) -> None:
    assert size(number) == text
