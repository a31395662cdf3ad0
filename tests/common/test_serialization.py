"""Payloads: formats and their names, what JSON can hold, what a pickle may do."""

import base64
import builtins
import datetime
import decimal
import json
import os
import pickle
import subprocess
import sys
from collections import OrderedDict
from contextlib import suppress

import numpy
import pandas
import pyarrow
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vantage6.common.errors import Invalid
from vantage6.common.serialization import (
    PickleRefused,
    SerializationError,
    deserialize,
    serialize,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def test_worked_example_of_the_protocol() -> None:
    input_ = {"method": "master", "kwargs": {"column_name": "age"}, "master": True}
    assert base64.b64encode(serialize(input_, "json")).decode() == (
        "anNvbi57Im1ldGhvZCI6ICJtYXN0ZXIiLCAia3dhcmdzIjogeyJjb2x1bW5fbmFtZSI6ICJhZ2UifSwgIm1hc3Rl"
        "ciI6IHRydWV9"
    )


@given(JSON)
def test_json_comes_back(value: object) -> None:
    assert deserialize(serialize(value)) == value


@given(JSON, st.sampled_from(["pickle", "legacy"]))
def test_pickles_come_back_where_they_are_allowed(value: object, data_format: str) -> None:
    assert deserialize(serialize(value, data_format), allow_pickle=True) == value


def test_prefix_is_written_as_given_and_read_in_any_case() -> None:
    assert serialize([1], "JSON") == b"JSON.[1]"
    assert deserialize(b"JSON.[1]") == [1]
    assert serialize([1], "pickle").startswith(b"pickle.\x80")
    assert serialize([1], "legacy") == pickle.dumps([1])


@pytest.mark.parametrize("data", [b"123456789.1", b".1", b"yaml.a"])
def test_unknown_format_is_named(data: bytes) -> None:
    with pytest.raises(SerializationError, match="has not been implemented"):
        deserialize(data)


@pytest.mark.parametrize("data", [b"0123456789.1", b"\xe9.json", b"", b'{"a": 1}'])
def test_bytes_without_a_name_in_the_first_ten_are_a_pickle(data: bytes) -> None:
    with pytest.raises(PickleRefused):
        deserialize(data)


def test_unknown_format_cannot_be_written() -> None:
    with pytest.raises(SerializationError, match="Serialization of yaml"):
        serialize(1, "yaml")


@pytest.mark.parametrize("data", [b"json.", b"json.{", b"json.\xff", b"json." + b"[" * 100_000])
def test_broken_json_is_refused(data: bytes) -> None:
    with pytest.raises(SerializationError, match="not valid JSON"):
        deserialize(data)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (numpy.int64(3), 3),
        (numpy.float32(0.5), 0.5),
        (numpy.bool_(True), True),
        (numpy.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
        ({"sum": numpy.int64(253), "of": [numpy.float64(1.5)]}, {"sum": 253, "of": [1.5]}),
        (pandas.DataFrame({"a": [1, 2]}), {"a": {"0": 1, "1": 2}}),
        (pandas.Series([1.5]), {"0": 1.5}),
        (pandas.Timestamp("2026-01-02"), "2026-01-02T00:00:00"),
        (pandas.NaT, None),
        (pandas.NA, None),
        (pandas.Timedelta("1.5s"), 1.5),
        (pandas.Index(["a", "b"]), ["a", "b"]),
        (pandas.Categorical(["x", "y"]), ["x", "y"]),
        (pandas.array([1, None], dtype="Int64"), [1, None]),
        (numpy.array(["2026-01-02"], dtype="datetime64[s]"), ["2026-01-02T00:00:00"]),
        (datetime.date(2026, 1, 2), "2026-01-02"),
        (
            {numpy.int64(1): [{pandas.Timestamp("2026-01-02"): 2}]},
            {"1": [{"2026-01-02T00:00:00": 2}]},
        ),
        (pandas.Series([1.25e-10, 0.1 + 0.2]), {"0": 1.25e-10, "1": 0.1 + 0.2}),
        (pandas.Series([1], index=[pandas.Timestamp("2026-01-02")]), {"2026-01-02T00:00:00": 1}),
        (
            pandas.DataFrame({"t": [pandas.Timestamp("2026-01-02"), None], "x": [None, "y"]}),
            {"t": {"0": "2026-01-02T00:00:00", "1": None}, "x": {"0": None, "1": "y"}},
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_json_knows_numpy_and_pandas(value: object, expected: object) -> None:
    assert json.loads(serialize(value)[5:]) == expected


def test_frame_is_written_as_pandas_writes_it() -> None:
    frame = pandas.DataFrame({"a": [1, 2], "b": ["x", None]})
    assert json.loads(serialize(frame)[5:]) == json.loads(frame.to_json())


def test_what_json_cannot_hold_is_named() -> None:
    with pytest.raises(SerializationError, match="type object has no JSON form"):
        serialize(object())
    with pytest.raises(SerializationError, match=r"more than once; reset_index\(\)"):
        serialize(pandas.Series([1, 2], index=["a", "a"]))
    with pytest.raises(SerializationError, match="type tuple has no JSON form"):
        serialize({("a", 1): 1})
    loop: list[object] = []
    loop.append(loop)
    with pytest.raises(SerializationError, match="Circular"):
        serialize(loop)


def test_neither_numpy_nor_pandas_is_imported() -> None:
    script = (
        "import sys; from vantage6.common.serialization import serialize, deserialize;"
        "import datetime; deserialize(serialize([datetime.date(2026, 1, 1)]));"
        "sys.exit(bool({'numpy', 'pandas'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def test_pickle_is_refused_with_a_hint() -> None:
    with pytest.raises(PickleRefused, match=r"Client\(\.\.\., allow_pickle=True\)") as refusal:
        deserialize(pickle.dumps({"average": 53.25}))
    assert isinstance(refusal.value, Invalid)


@pytest.mark.parametrize("protocol", [3, 4, 5])
def test_numpy_scalars_become_python_numbers(protocol: int) -> None:
    value = {"sum": numpy.int64(253), "parts": [(numpy.float64(0.5),)], numpy.int64(1): "key"}
    back = deserialize(pickle.dumps(value, protocol), allow_pickle=True)
    assert back == {"sum": 253, "parts": [(0.5,)], 1: "key"}
    assert type(back["sum"]) is int
    assert type(back["parts"][0][0]) is float
    assert all(type(key) in (str, int) for key in back)


@pytest.mark.parametrize(
    "value",
    [
        {1, 2},
        frozenset({1}),
        bytearray(b"a"),
        complex(1, 2),
        slice(1, 2),
        range(3),
        OrderedDict(a=1),
        datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC),
        datetime.timedelta(days=1),
        decimal.Decimal("1.5"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_plain_objects_may_be_pickled(value: object) -> None:
    back = deserialize(pickle.dumps(value), allow_pickle=True)
    assert back == value
    assert type(back) is type(value)


@pytest.mark.parametrize("protocol", [4, 5])
def test_frames_and_arrays_may_be_pickled(protocol: int) -> None:
    frame = pandas.DataFrame(
        {
            "n": [1, 2],
            "f": [0.5, None],
            "t": ["x", None],
            "s": pandas.array(["x", None], dtype="string"),
            "c": pandas.Categorical(["p", "q"]),
        },
        index=pandas.to_datetime(["2026-01-01", "2026-01-02"]),
    )
    pandas.testing.assert_frame_equal(
        deserialize(pickle.dumps(frame, protocol), allow_pickle=True), frame
    )
    array = deserialize(pickle.dumps(numpy.arange(3.0), protocol), allow_pickle=True)
    assert array.tolist() == [0.0, 1.0, 2.0]


@pytest.mark.parametrize("module", [b"numpy.core.multiarray", b"numpy._core.multiarray"])
def test_both_names_of_the_numpy_core_are_read(module: bytes) -> None:
    data = pickle.dumps(numpy.float64(1.5), 3)
    assert b"numpy._core.multiarray" in data
    assert deserialize(data.replace(b"numpy._core.multiarray", module), allow_pickle=True) == 1.5


class _Calls:
    """Becomes a call when it is unpickled."""

    def __init__(self, function: object, *arguments: object) -> None:
        self.call = (function, arguments)

    def __reduce__(self) -> tuple[object, ...]:
        return self.call


@pytest.mark.parametrize(
    "attack",
    [
        _Calls(os.system, "touch /tmp/hacked"),
        _Calls(eval, "1"),
        _Calls(exec, "1"),
        _Calls(__import__, "os"),
        _Calls(open, "/etc/passwd"),
        _Calls(getattr, dict, "get"),
        _Calls(getattr, _Calls(getattr, dict, "__class__"), "__subclasses__"),
        _Calls(builtins.type, "x"),
        _Calls(subprocess.Popen, ["true"]),
        _Calls(pandas.read_pickle, "/tmp/x"),
        _Calls(numpy.load, "/tmp/x"),
    ],
    ids=lambda attack: getattr(attack.call[0], "__name__", "call"),
)
@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
def test_calls_in_a_pickle_are_refused(attack: _Calls, protocol: int) -> None:
    data = b"pickle." + pickle.dumps(attack, protocol)
    with pytest.raises(PickleRefused, match="not allowed"):
        deserialize(data, allow_pickle=True)


def _texts(offsets: list[int], *, kind: str = "large_string", length: int = 1) -> bytes:
    """Return the pickle of an array of pyarrow, as it describes itself."""
    places = _Calls(pyarrow.py_buffer, numpy.array(offsets, dtype="int64").tobytes())
    buffers = [None, places, _Calls(pyarrow.py_buffer, b"ab")]
    parts = (_Calls(pyarrow.lib.type_for_alias, kind), length, 0, 0, buffers, [], None)
    return pickle.dumps(_Calls(pyarrow.lib._restore_array, parts))


def test_texts_of_a_pickle_lie_where_they_may() -> None:
    assert deserialize(_texts([0, 2]), allow_pickle=True).to_pylist() == ["ab"]
    for damaged in (
        _texts([0, 10**9]),
        _texts([-8, 2]),
        _texts([0, 2], length=10**6),
        _texts([0, 2], length=-1),
        _texts([0, 2], kind="int64"),
    ):
        with pytest.raises(SerializationError):
            deserialize(damaged, allow_pickle=True)


def test_attribute_of_a_listed_name_is_refused() -> None:
    attack = b"pickle.\x80\x04\x8c\x06pandas\x8c\x0eDataFrame.eval\x93."
    with pytest.raises(PickleRefused, match=r"pandas\.DataFrame\.eval"):
        deserialize(attack, allow_pickle=True)


@given(st.binary(max_size=60))
def test_strange_bytes_raise_one_kind_of_error(data: bytes) -> None:
    with suppress(SerializationError):
        deserialize(data, allow_pickle=True)
