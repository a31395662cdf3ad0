"""From the end of a process to words for the researcher."""

import pytest

from vantage6.common.config.node import LimitConfig
from vantage6.node.outcomes import Exit, Reason, judge, size


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


_OF_3_11 = "error > Error encountered while calling RPC_sum: could not convert string: 'F'"
_TRACE = """Traceback (most recent call last):
  File "/app/mine.py", line 3, in RPC_sum
    data["sex"].astype(float)
"""


@pytest.mark.parametrize(
    ("log", "closed", "shared"),
    [
        ("first\nlast words\n\n", "", " Its last words: last words"),
        ("reason > two values are too few\n", " Its last words: two values are too few", None),
        (_OF_3_11, "", f" Its last words: {_OF_3_11}"),
        (
            f"{_TRACE}ValueError: could not convert string: 'F'\n",
            " Its last error: ValueError.",
            " Its last words: ValueError: could not convert string: 'F'",
        ),
        (f"{_TRACE}mine.errors.OwnError\n", " Its last error: mine.errors.OwnError.", None),
        # What follows a trace, or looks like its end, is no end of it.
        (f"{_TRACE}ValueError: a\nJansenError: 60 years", "", None),
        ("JansenError: 60 years", "", None),
        (f"{_TRACE}Jansen: 60 years", "", None),
        ("", "", ""),
    ],
)
def test_a_reason_quotes_only_what_was_written_for_people(
    log: str, closed: str, shared: str | None
) -> None:
    """Unchanged images of 3.11 print the texts of pandas, which can be cells of the data."""
    _, reason = judge(Exit(1, log), 0, LimitConfig())
    assert reason is not None
    assert reason.message == f"The algorithm ended with exit code 1.{closed}"
    _, reason = judge(Exit(1, log), 0, LimitConfig(), share_errors=True)
    assert reason is not None
    if shared is not None:
        assert reason.message == f"The algorithm ended with exit code 1.{shared}"
    _, reason = judge(Exit(1, log), 0, LimitConfig(), quote=False, share_errors=True)
    assert reason == Reason("exit_code", "The algorithm ended with exit code 1.")


@pytest.mark.parametrize(
    ("number", "text"),
    [(0, "0 bytes"), (1023, "1023 bytes"), (4 * 2**20, "4 MiB"), (2**30 + 2**29, "1.5 GiB")],
)
def test_sizes_are_readable(number: int, text: str) -> None:
    assert size(number) == text
