"""What people put into pickles of numpy and pandas, written for every version from pandas 1.5 on.

As a program it writes them, with the versions that its Python has:

    python3.11 -m venv old
    old/bin/pip install numpy==1.24.4 pandas==1.5.3 pyarrow==12.0.1
    old/bin/python tests/common/pickled/values.py tests/common/pickled/pandas-1.5.tar.xz

The archives here are made so with numpy 1.24.4, pandas 1.5.3 and pyarrow 12.0.1; numpy 1.26.4,
pandas 2.0.3 and pyarrow 14.0.2; numpy 2.0.2, pandas 2.2.3 and pyarrow 17.0.0; numpy 2.3.2, pandas
2.3.3 and pyarrow 21.0.0; numpy 2.4.6, pandas 3.1.1 and pyarrow 26.0.1.
"""

import datetime
import decimal
import io
import pickle
import sys
import tarfile
import warnings
from typing import Any
from zoneinfo import ZoneInfo

import numpy
import pandas

TIMES = ["2026-01-02 03:04:05", "2026-07-08 09:10:11"]


def values() -> dict[str, Any]:
    """Return everything by name."""
    return {**plain(), **arrays(), **indexes(), **columns(), **frames()}


def plain() -> dict[str, Any]:
    """Return values of Python, numbers of numpy and times of pandas."""
    kinds = ["bool_", "int8", "uint16", "int64", "float16", "float64", "complex128", "str_"]
    return {
        "python": {
            "numbers": [1, -1, 255, 2**40, -(2**80), 1.5, True, None, 1 + 2j],
            "texts": ["", "a", "é" * 300, "\ud800"],
            "bytes": [b"", b"a", bytes(300), bytearray(b"b")],
            ("a", 1): ({1, 2}, frozenset("a"), slice(1, None), range(3)),
            "times": [
                datetime.datetime(2026, 1, 2, 3, 4, 5, 6),  # noqa: DTZ001
                datetime.datetime(2026, 1, 2, tzinfo=datetime.timezone.utc),  # noqa: UP017
                datetime.date(2026, 1, 2),
                datetime.time(1, 2),
                datetime.timedelta(days=1, seconds=2),
            ],
            "decimal": decimal.Decimal("1.50"),
        },
        "numbers": {kind: getattr(numpy, kind)(1) for kind in kinds},
        "bytes": [numpy.bytes_(b"a"), numpy.str_(""), numpy.datetime64("2026-01-02T03:04:05", "s")],
        "keys": {numpy.int64(1): numpy.float64(0.5), numpy.str_("a"): [numpy.bool_(False)]},
        "timestamps": [
            pandas.Timestamp(TIMES[0]),
            pandas.Timestamp(TIMES[0], tz="UTC"),
            pandas.Timestamp(TIMES[1], tz="Europe/Amsterdam"),
            pandas.Timedelta("1 days 00:00:01"),
            pandas.NaT,
            pandas.NA,
        ],
    }


def arrays() -> dict[str, Any]:
    """Return arrays of numpy."""
    kinds = ["bool", "int8", "uint8", "int64", "float16", "float64", "complex64", ">i4", ">f8"]
    return {
        **{f"array {kind}": numpy.arange(6).reshape(2, 3).astype(kind) for kind in kinds},
        "array of texts": numpy.array(["a", "bcd"]),
        "array of bytes": numpy.array([b"a", b"bcd"]),
        "array of times": numpy.array(["2026-01-02", "NaT"], dtype="datetime64[s]"),
        "array of days": numpy.array(["2026-01-02"], dtype="datetime64[D]"),
        "array of durations": numpy.array([1, 2], dtype="timedelta64[ms]"),
        "array of objects": numpy.array([1, "a", None, 1.5, (1, 2)], dtype=object),
        "array in the order of Fortran": numpy.asfortranarray(numpy.arange(6.0).reshape(2, 3)),
        "array of one": numpy.array(1.5),
        "array of nothing": numpy.zeros((0, 3)),
        "array in part": numpy.arange(10)[::2],
        "arrays": [numpy.arange(3), {"a": numpy.eye(2)}],
    }


def indexes() -> dict[str, Any]:
    """Return indexes of pandas."""
    tuples = [("a", 1), ("a", 2), ("b", 1)]
    return {
        "index": pandas.Index([3, 1, 2], name="n"),
        "index of floats": pandas.Index([0.5, 1.5]),
        "index of texts": pandas.Index(["a", "b"], dtype=object, name="t"),
        "index of a range": pandas.RangeIndex(2, 10, 2, name="r"),
        "index of times": pandas.DatetimeIndex(TIMES, name="d"),
        "index of days": pandas.date_range("2026-01-01", periods=3, freq="D"),
        "index of a zone": pandas.DatetimeIndex(TIMES, tz="Europe/Amsterdam"),
        "index of durations": pandas.TimedeltaIndex(["1 days", "2 days"]),
        "index of levels": pandas.MultiIndex.from_tuples(tuples, names=["x", None]),
        "index of categories": pandas.CategoricalIndex(["a", "b", "a"], name="c"),
    }


def columns() -> dict[str, Any]:
    """Return columns by the kind of their values."""
    texts = pandas.Series(["a", None, "é"], dtype=object)
    found = {
        "ints": pandas.Series([1, 2, 3], name="n"),
        "small ints": pandas.Series([1, 2], dtype="int8"),
        "floats": pandas.Series([0.5, None]),
        "bools": pandas.Series([True, False]),
        "texts": texts,
        "mixed": pandas.Series([1, "a", None, 1.5, [1], {"a": 1}, datetime.date(2026, 1, 2)]),
        "texts in Python": texts.astype("string[python]"),
        "texts in Arrow": texts.astype("string[pyarrow]"),
        "nullable ints": pandas.Series([1, None], dtype="Int64"),
        "nullable small ints": pandas.Series([1, None], dtype="UInt8"),
        "nullable floats": pandas.Series([1.5, None], dtype="Float64"),
        "nullable bools": pandas.Series([True, None], dtype="boolean"),
        "times": pandas.Series(pandas.to_datetime([*TIMES, None])),
        "times in UTC": pandas.Series(pandas.to_datetime(TIMES)).dt.tz_localize("UTC"),
        "times of a zone": pandas.Series(pandas.to_datetime(TIMES)).dt.tz_localize(
            "Europe/Amsterdam"
        ),
        "times of zoneinfo": pandas.Series(pandas.to_datetime(TIMES)).dt.tz_localize(
            ZoneInfo("Asia/Tokyo")
        ),
        "durations": pandas.Series(pandas.to_timedelta(["1 days", "2 days", None])),
        "categories": pandas.Series(["a", "b", None, "a"], dtype="category"),
        "ordered categories": pandas.Series(
            pandas.Categorical([3, 1], categories=[1, 2, 3], ordered=True)
        ),
        "nothing": pandas.Series([], dtype="float64"),
        "by name": pandas.Series([1.5, 2.5], index=pandas.Index(["a", "b"], dtype=object)),
    }
    return {f"column of {name}": column for name, column in found.items()}


def frames() -> dict[str, Any]:
    """Return frames."""
    mixed = {
        name: column.reindex(range(4)) if name != "column of nothing" else column
        for name, column in columns().items()
        if name != "column of by name"
    }
    many = pandas.MultiIndex.from_product([["a", "b"], [1, 2]], names=["x", "y"])
    return {
        "frame": pandas.DataFrame({"a": [1, 2], "b": [0.5, 1.5], "c": ["x", "y"], "d": [3, 4]}),
        "frame of floats": pandas.DataFrame(numpy.arange(6.0).reshape(2, 3), columns=list("abc")),
        "frame of everything": pandas.DataFrame(mixed),
        "frame by time": pandas.DataFrame({"a": [1, 2]}, index=pandas.DatetimeIndex(TIMES)),
        "frame of levels": pandas.DataFrame(numpy.eye(4), index=many, columns=many),
        "frame without rows": pandas.DataFrame({"a": pandas.Series([], dtype="int64"), "b": []}),
        "frame without columns": pandas.DataFrame(index=range(3)),
        "frame of nothing": pandas.DataFrame(),
        "frame of one name twice": pandas.DataFrame([[1, 2.5]], columns=["a", "a"]),
        "frame of transposed": pandas.DataFrame({"a": [1, 2, 3], "b": [4, 5, 6]}).T,
        "frames": {"a": pandas.DataFrame({"x": [1]}), "b": [pandas.Series([2])]},
        "frame with notes": noted(),
    }


def noted() -> Any:
    """Return a frame with attributes."""
    frame = pandas.DataFrame({"a": [1]})
    frame.attrs["unit"] = "years"
    return frame


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    with tarfile.open(sys.argv[1], "w:xz") as archive:
        for name, value in values().items():
            for protocol in range(6):
                # Without a date, so that the same versions write the same file.
                entry = tarfile.TarInfo(f"{name}/{protocol}")
                content = pickle.dumps(value, protocol)
                entry.size = len(content)
                archive.addfile(entry, io.BytesIO(content))
