"""Payloads: formats and their names, what JSON can hold, what a pickle may do."""

import base64
import datetime
import json
import pickle
import subprocess
import sys
import zoneinfo
from contextlib import suppress
from typing import Any

import numpy
import pandas
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
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
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


def _strictly(data: bytes) -> object:
    """Read JSON as R and JavaScript do."""

    def refuse(word: str) -> object:
        raise ValueError(word)

    return json.loads(data.removeprefix(b"json."), parse_constant=refuse)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (float("nan"), None),
        ([1.5, float("inf"), -float("inf")], [1.5, None, None]),
        ({"a": {"b": (float("nan"), 1)}, "c": True}, {"a": {"b": [None, 1]}, "c": True}),
        (numpy.array([[1.0, numpy.nan], [numpy.inf, 2.0]]), [[1.0, None], [None, 2.0]]),
        (numpy.float32("nan"), None),
        ({numpy.int64(3): numpy.inf}, {"3": None}),
        (pandas.Series([1.0, numpy.inf, None], list("abc")), {"a": 1.0, "b": None, "c": None}),
        (pandas.DataFrame({"x": [numpy.inf, numpy.nan]}), {"x": {"0": None, "1": None}}),
        ({"frame": pandas.DataFrame({"x": [numpy.inf]})}, {"frame": {"x": {"0": None}}}),
    ],
)
def test_json_is_what_other_languages_read(value: object, expected: object) -> None:
    assert _strictly(serialize(value)) == expected


def test_what_json_has_no_form_for_is_refused_by_name() -> None:
    for value, name in (({"a": object()}, "object"), ([float("nan"), {1}], "set"), (1j, "complex")):
        with pytest.raises(SerializationError, match=f"type {name} has no JSON form"):
            serialize(value)
    with pytest.raises(SerializationError):
        serialize({float("nan"): 1})
    loop: list[Any] = [float("nan")]
    loop.append(loop)
    with pytest.raises(SerializationError):
        serialize(loop)


def test_not_quite_json_of_3_11_is_still_read() -> None:
    assert deserialize(b"json.[Infinity]") == [float("inf")]


def test_prefix_is_written_as_given_and_read_in_any_case() -> None:
    assert serialize([1], "JSON") == b"JSON.[1]"
    assert deserialize(b"JSON.[1]") == [1]
    assert serialize([1], "pickle").startswith(b"pickle.\x80")
    assert serialize([1], "legacy") == pickle.dumps([1])


@pytest.mark.parametrize("data", [b"123456789.1", b".1", b"yaml.a"])
def test_unknown_format_is_refused_with_those_that_are_known(data: bytes) -> None:
    with pytest.raises(SerializationError, match=r"has not been implemented.*: json, pickle\.$"):
        deserialize(data)


class _Odd:
    """Something that says what it holds when it is asked for a text."""

    def __str__(self) -> str:
        raise ValueError("Jansen")


#: A time in a zone that does not exist, which the library of zones would quote.
_ODD_TIME = pickle.dumps(
    datetime.datetime(2026, 1, 2, tzinfo=zoneinfo.ZoneInfo("Europe/Oslo"))
).replace(b"Europe/Oslo", b"Jansen/Smit")


@pytest.mark.parametrize(
    "data",
    [b"Jansen.1", b"json.Jansen", b'json."Jansen', b"pickle." + _ODD_TIME, _ODD_TIME],
)
def test_what_cannot_be_read_is_not_quoted(data: bytes) -> None:
    """The answer of another station; the message becomes the reason of this one."""
    with pytest.raises(SerializationError) as refusal:
        deserialize(data, allow_pickle=True)
    assert "jansen" not in str(refusal.value).lower()


def test_what_cannot_be_written_is_not_quoted() -> None:
    with pytest.raises(SerializationError) as refusal:
        serialize(pandas.Series([1], index=[_Odd()]))
    assert str(refusal.value) == "This cannot be written as JSON: ValueError"


def test_labels_that_occur_twice_are_said_to() -> None:
    with pytest.raises(SerializationError, match="labels occur more than once"):
        serialize(pandas.Series([1, 2], index=["a", "a"]))


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


@given(st.binary(max_size=60))
def test_strange_bytes_raise_one_kind_of_error(data: bytes) -> None:
    with suppress(SerializationError):
        deserialize(data, allow_pickle=True)
