"""Counting the values of JSON before it is parsed."""

import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.campaign import effort
from vantage6.common.json_values import has_more_values

TEXTS = st.text(alphabet=st.sampled_from('a,[{}]":\\\u00e9'), max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(TEXTS, inner, max_size=5),
    max_leaves=30,
)


def marks(value: Any) -> int:
    """Return how many texts, objects, lists and further items a value has."""
    match value:
        case str():
            return 1
        case dict():
            inner = sum(marks(name) + marks(item) for name, item in value.items())
        case list():
            inner = sum(map(marks, value))
        case _:
            return 0
    return 1 + inner + max(len(value) - 1, 0)


@settings(max_examples=effort(300))
@given(value=VALUES, is_escaped=st.booleans(), as_array=st.booleans())
def test_exactly_what_becomes_a_value_is_counted(
    value: Any, is_escaped: bool, as_array: bool
) -> None:
    raw = json.dumps(value, ensure_ascii=is_escaped).encode()
    count = marks(value)
    sent = bytearray(raw) if as_array else raw
    assert not has_more_values(sent, count)
    assert count == 0 or has_more_values(sent, count - 1)


@pytest.mark.parametrize(
    "raw",
    [
        b"[" * 100,
        b"[[],[]," + b"[]," * 50,
        b'{"a":' * 50,
        b'["' + b'","' * 50,
        b'"a"' * 100,
        b",,,,," * 20,
    ],
)
def test_what_is_no_json_counts_as_well(raw: bytes) -> None:
    assert has_more_values(raw, 30)


@pytest.mark.parametrize("raw", [b'"' + b'\\"' * 10**6, b'"' + b'\\",[' * 10**6 + b'"'])
def test_long_texts_with_escapes_take_no_time(raw: bytes) -> None:
    started = time.process_time()
    assert not has_more_values(raw, 10)
    assert time.process_time() - started < 2
