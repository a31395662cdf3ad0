"""The body of a request is JSON like any other, and large texts in it take little memory."""

import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vantage6.client.body import encoded

LONG = "AB+/9=$z" * 2**14
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    # Some that are long, one of them with what JSON has to escape.
    | st.text()
    | st.sampled_from([LONG, LONG + '"\\\n', LONG + "é"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@given(VALUES)
def test_any_value_is_read_back(value: object) -> None:
    assert json.loads(encoded(value)) == value


def test_keys_and_tuples_are_written_as_the_json_library_does() -> None:
    value = {1: (1, 2), None: [], "é": {}}
    assert json.loads(encoded(value)) == json.loads(json.dumps(value))
    assert encoded({"é": [1, {}]}) == '{"é":[1,{}]}'.encode()


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        encoded({"a": [float("nan")]})
    with pytest.raises(TypeError, match="not JSON serializable"):
        encoded({"a": [object()]})


def test_a_large_input_is_copied_once() -> None:
    text = LONG * 80
    body = {"organizations": [{"id": 2, "input": text}]}
    tracemalloc.start()
    try:
        content = encoded(body)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(text) > 10**7
    assert len(content) > len(text)
    assert peak < 1.3 * len(text)
