"""Bodies are JSON like any other, and large texts in them take little memory."""

import json
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vantage6.client.body import Body, parse
from vantage6.common.encoding import base64_text, bytes_to_base64s

LONG = "AB+/9=$z" * 2**14
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    # Some that are long, some of them with what JSON has to escape.
    | st.text()
    | st.sampled_from([LONG, LONG + "z", LONG + '"\\\n', '\\"' + LONG + '"\\', LONG + "é"]),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text() | st.just(LONG), inner, max_size=4)
    ),
    max_leaves=10,
)


def _encoded(value: object) -> bytes:
    body = Body(value)
    content = b"".join(body)
    assert len(body) == len(content)
    return content


@given(VALUES)
def test_any_value_is_written_and_read(value: object) -> None:
    assert json.loads(_encoded(value)) == value
    assert parse(bytearray(_encoded(value))) == value
    for library in (json.dumps(value), json.dumps(value, ensure_ascii=False, indent=1)):
        assert parse(bytearray(library.encode())) == value


def test_keys_and_tuples_are_written_as_the_json_library_does() -> None:
    value = {1: (1, 2), None: [], "é": {}}
    assert json.loads(_encoded(value)) == json.loads(json.dumps(value))
    assert _encoded({"é": [1, {}]}) == '{"é":[1,{}]}'.encode()


def test_lazy_text_is_written_like_any_other_and_as_often_as_needed() -> None:
    for size in (0, 1, 2, 3, 2**18):
        data = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
        body = Body({"input": [base64_text(data)]})
        expected = {"input": [bytes_to_base64s(data)]}
        assert [json.loads(b"".join(body)) for _ in range(2)] == [expected] * 2
        assert len(body) == len(b"".join(body))


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        Body({"a": [float("nan")]})
    with pytest.raises(TypeError, match="not JSON serializable"):
        Body({"a": [object()]})
    for content in (b"<html>", b'{"a": "' + LONG.encode() + b'"', b'"' + LONG.encode() + b'"x"'):
        with pytest.raises(ValueError, match=r"Expecting|Extra data"):
            parse(bytearray(content))


@given(
    st.lists(
        st.sampled_from(
            [b'"', b"\\", b"{", b"}", b"[", b"]", b":", b",", b"1", b" ", b"a", LONG.encode()]
        )
        | st.binary(max_size=3),
        max_size=12,
    ).map(b"".join)
)
def test_any_bytes_are_read_as_the_json_library_does_or_refused(content: bytes) -> None:
    try:
        expected = json.loads(content)
    except ValueError:
        with pytest.raises(ValueError, match=r".+"):
            parse(bytearray(content))
    else:
        assert parse(bytearray(content)) == expected


@pytest.mark.parametrize("inner", ["", f'"{LONG}"'])
def test_endless_brackets_are_refused(inner: str) -> None:
    with pytest.raises(ValueError, match="too many levels"):
        parse(bytearray(f"{'[' * 100_000}{inner}{']' * 100_000}".encode()))


@contextmanager
def _memory(most: float) -> Iterator[None]:
    """Refuse that more memory is taken meanwhile."""
    tracemalloc.start()
    try:
        yield
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < most


@pytest.mark.parametrize("made", [str, base64_text])
def test_a_large_input_is_not_copied_to_be_sent(made: Callable[..., object]) -> None:
    payload = made((LONG * 80).encode()) if made is base64_text else LONG * 80
    with _memory(10**6):
        size = sum(map(len, Body({"organizations": [{"id": 2, "input": payload}] * 10})))
    assert size > 10 * 10**7


def test_a_large_result_is_copied_once_whatever_else_the_reply_says() -> None:
    content = bytearray(f'{{"result": "{LONG * 80}", "log": "a snowman: ☃"}}'.encode())
    with _memory(1.1 * len(content)):
        reply = parse(content)
    assert reply == {"result": LONG * 80, "log": "a snowman: ☃"}
