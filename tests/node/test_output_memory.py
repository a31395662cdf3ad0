"""The memory in which an output is judged does not grow with what its bytes announce."""

import io
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from vantage6.node.release import walk
from vantage6.node.release.streams import NoForm, read_events

_LENGTH = 3 * 2**20
_MOST = 2 * _LENGTH


def peak_of(call: Callable[[], Any]) -> int:
    """Return the most memory that Python has had beside what it had before."""
    tracemalloc.start()
    try:
        call()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def read(output: bytes) -> None:
    """Read an output to its end."""
    for _ in read_events(io.BytesIO(output), len(output)):
        pass


def test_a_long_text_of_many_pieces_is_judged_in_bounded_memory() -> None:
    text, walked = "ab," * (_LENGTH // 3), walk.Walk(40, None)
    events = iter([("start_map", None), ("map_key", "a"), ("string", text), ("end_map", None)])
    assert peak_of(lambda: walked.follow(events)) < _MOST
    assert {finding.rule for finding in walked.findings.values()} == {"opaque"}


def test_a_loose_document_of_many_values_is_not_parsed() -> None:
    output = b"[" + b"{}," * (_LENGTH // 3) + b"NaN]"

    def refused() -> None:
        with pytest.raises(NoForm):
            read(output)

    assert peak_of(refused) < _MOST


def test_a_record_over_many_lines_has_no_form() -> None:
    output = b'a,b"\n' + b'x,"\n' + b'",ab,"\n' * (_LENGTH // 7)

    def refused() -> None:
        with pytest.raises(NoForm):
            read(output)

    assert peak_of(refused) < 2 * _MOST


def test_a_table_of_any_length_has_a_form() -> None:
    output = b'a,b\n1,"two\nlines"\n' * (_LENGTH // 18)
    assert peak_of(lambda: read(output)) < _MOST


def test_a_long_key_makes_no_long_paths(tmp_path: Path) -> None:
    inner = ",".join('{"' + "b" * 2000 + '": "' + "c" * 2000 + '"}' for _ in range(20))
    (tmp_path / "output").write_text('{"' + "a" * _LENGTH + '": [' + inner + "]}")
    findings = list(walk.walk(tmp_path / "output", 40, None))
    assert {finding.rule for finding in findings} == {"opaque"}
    assert max(len(finding.path) for finding in findings) < 5000
