"""What a pickle may hold, and that nothing it says is done."""

import builtins
import datetime
import decimal
import os
import pickle
import subprocess
import sys
from collections import OrderedDict
from typing import Any

import numpy
import pandas
import pyarrow
import pytest

from tests.common.fuzzing import limited
from vantage6.common.serialization import PickleRefused, SerializationError, deserialize


class _Calls:
    """Becomes a call when it is unpickled, and perhaps a state for what the call gives."""

    def __init__(self, function: object, *arguments: object, state: object = None) -> None:
        self.call = (function, arguments, state)[: 2 + (state is not None)]

    def __reduce__(self) -> tuple[object, ...]:
        return self.call


def _read(value: object, protocol: int = 4) -> Any:
    return deserialize(b"pickle." + pickle.dumps(value, protocol), allow_pickle=True)


# What may be in a pickle


@pytest.mark.parametrize("protocol", range(6))
def test_numpy_scalars_become_python_numbers(protocol: int) -> None:
    value = {"sum": numpy.int64(253), "parts": [(numpy.float64(0.5),)], numpy.int64(1): "key"}
    back = _read(value, protocol)
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
        bytes(100_000),
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
@pytest.mark.parametrize("protocol", range(6))
def test_plain_objects_may_be_pickled(value: object, protocol: int) -> None:
    back = _read(value, protocol)
    assert back == value
    assert type(back) is type(value)


@pytest.mark.parametrize("protocol", range(6))
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
    back = _read(frame, protocol)
    pandas.testing.assert_frame_equal(back, frame)
    back.loc[:, "n"] = 3  # it can be written to
    assert _read(numpy.arange(3.0), protocol).tolist() == [0.0, 1.0, 2.0]


def test_a_value_in_two_places_is_one_object() -> None:
    part = [1]
    back = _read([part, part])
    assert back[0] is back[1]


@pytest.mark.parametrize("module", [b"numpy.core.multiarray", b"numpy._core.multiarray"])
def test_both_names_of_the_numpy_core_are_read(module: bytes) -> None:
    data = pickle.dumps(numpy.float64(1.5), 3)
    assert b"numpy._core.multiarray" in data
    assert deserialize(data.replace(b"numpy._core.multiarray", module), allow_pickle=True) == 1.5


def test_columns_as_pandas_1_0_to_1_2_wrote_them_are_read() -> None:
    categories = {"_dtype": pandas.CategoricalDtype(["a", "b"]), "_codes": numpy.array([1, 0])}
    moments = numpy.array(["2026-01-02"], dtype="datetime64[ns]")
    times = {
        "_dtype": pandas.DatetimeTZDtype("ns", "UTC"),
        "_data": moments,
        "_freq": None,
        "_cache": {},
    }
    axis = pandas.RangeIndex(len(moments))
    blocks = {"0.14.1": {"axes": [axis], "blocks": [{"mgr_locs": slice(0, 1), "values": None}]}}
    blocks["0.14.1"]["blocks"][0]["values"] = _Calls(pandas.arrays.DatetimeArray, state=times)
    manager = _Calls(pandas.core.internals.managers.SingleBlockManager, state=(0, 0, 0, blocks))
    assert list(_read(_Calls(pandas.Categorical, state=categories))) == ["b", "a"]
    column = _read(_Calls(pandas.Series, state={"_mgr": manager, "name": "t"}))
    pandas.testing.assert_series_equal(
        column, pandas.Series(moments, name="t").dt.tz_localize("UTC")
    )


# What a pickle may not do


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
        _Calls(numpy.empty, (3,)),
        _Calls(numpy.ndarray, (3,), "O"),
        _Calls(pandas.DataFrame, {"a": [1]}),
        [numpy.ndarray],
        [pandas.DataFrame],
    ],
    ids=lambda attack: getattr(getattr(attack, "call", ["name"])[0], "__name__", "call"),
)
@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
def test_calls_in_a_pickle_are_refused(attack: object, protocol: int) -> None:
    data = b"pickle." + pickle.dumps(attack, protocol)
    with pytest.raises(PickleRefused, match="not allowed"):
        deserialize(data, allow_pickle=True)


@pytest.mark.parametrize(
    "attack",
    [
        # A name, a list, a text, a number and a second time.
        b"cnumpy\ndtype\n}b.",
        b"]}b.",
        b"\x8c\x01a}b.",
        b"K\x01}b.",
        b"cpandas\nDataFrame\n)\x81}b}b.",
        # What extends lists and dictionaries, on something else.
        b"cnumpy\ndtype\nNa.",
        b"}Na.",
        b"]K\x01K\x02s.",
        b"](K\x01\x90.",
        # Calls of no name, and the operations for persistent and registered objects.
        b"](tR.",
        b"\x8c\x01a)R.",
        b"Pa\n.",
        b"NQ.",
        b"\x82\x01.",
        b"(iposix\nsystem\n.",
        b"(cposix\nsystem\no.",
        b"\x97.",
        b"NN\x93.",
    ],
)
def test_operations_reach_no_object_that_is_not_their_own(attack: bytes) -> None:
    with pytest.raises(PickleRefused, match="not allowed"):
        deserialize(b"pickle." + attack, allow_pickle=True)


@pytest.mark.parametrize("name", [b"\x1b]0;x\x07" + b"a" * 10**6, b"\xc2\x9b2J\x1b[31m"])
def test_a_message_shows_little_of_a_pickle_and_commands_no_terminal(name: bytes) -> None:
    for attack in (b"cos\n" + name + b"\n.", b"cdecimal\nDecimal\n(V1" + name + b"\ntR."):
        with pytest.raises(SerializationError) as refusal:
            deserialize(b"pickle." + attack, allow_pickle=True)
        assert len(str(refusal.value)) < 300
        assert str(refusal.value).isprintable()


def test_attribute_of_a_listed_name_is_refused() -> None:
    attack = b"pickle.\x80\x04\x8c\x06pandas\x8c\x0eDataFrame.eval\x93."
    with pytest.raises(PickleRefused, match=r"pandas\.DataFrame\.eval"):
        deserialize(attack, allow_pickle=True)


#: Reads what lies at an address, as an input that a sender wrote would; says what came of it.
_OBJECT_AT_AN_ADDRESS = """
import pickle, struct, sys
import numpy
from vantage6.common.serialization import SerializationError, deserialize

secret = ["rows", "of", "the", "station"]

class Calls:
    def __init__(self, *call):
        self.call = call
    def __reduce__(self):
        return self.call

scalar, (kind, _) = numpy.float64(1).__reduce__()
copied = Calls(numpy.dtype, ("O8", False, True), (3, "|", None, None, None, -1, -1, 0))
address = struct.pack("<Q", id(secret))
rebuilt = Calls(
    numpy._core.multiarray._reconstruct, (numpy.ndarray, (0,), b"b"),
    (1, (1,), copied, False, address),
)
framed = Calls(numpy._core.numeric._frombuffer, (address, copied, (1,), "C"))
attack = {"scalar": Calls(scalar, (copied, address)), "array": rebuilt, "buffer": framed}
try:
    found = deserialize(pickle.dumps(attack[sys.argv[1]]), allow_pickle=True)
except SerializationError as error:
    print(type(error).__name__)
else:
    print("leaked" if numpy.ravel(found).tolist() == secret else found)
"""


@pytest.mark.parametrize("way", ["scalar", "array", "buffer"])
def test_no_pickle_reads_an_object_at_an_address(way: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", _OBJECT_AT_AN_ADDRESS, way],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (0, "PickleRefused\n"), ended.stderr


# What arrays and columns may claim


def _dtype(text: str, *state: object) -> _Calls:
    return _Calls(numpy.dtype, text, False, True, state=state or None)


def _array(shape: object, dtype: object, content: object, is_fortran: object = False) -> _Calls:
    return _Calls(
        numpy._core.multiarray._reconstruct,  # type: ignore[attr-defined]
        numpy.ndarray,
        (0,),
        b"b",
        state=(1, shape, dtype, is_fortran, content),
    )


def _plain(order: str = "<", size: int = -1, flags: object = 0) -> tuple[object, ...]:
    return 3, order, None, None, None, size, -1, flags


LYING = {
    "too short": _array((2,), _dtype("i8", *_plain()), bytes(8)),
    "too long": _array((1,), _dtype("i8", *_plain()), bytes(16)),
    "negative": _array((-1,), _dtype("i8", *_plain()), bytes(8)),
    "negative twice": _array((-1, -1), _dtype("i8", *_plain()), bytes(8)),
    "huge": _array((2**62, 4), _dtype("i8", *_plain()), b""),
    "nothing, many times": _array((10**12, 0), _dtype("i8", *_plain()), b""),
    "dimensions": _array((1,) * 33, _dtype("i8", *_plain()), bytes(8)),
    "no numbers": _array(("1",), _dtype("i8", *_plain()), bytes(8)),
    "objects of bytes": _array((1,), _dtype("O8", *_plain("|", flags=63)), bytes(8)),
    "numbers of a list": _array((1,), _dtype("i8", *_plain()), [1]),
    "fewer objects": _array((2,), _dtype("O8", *_plain("|", flags=63)), [1]),
    "frames as objects": _array((1,), _dtype("O8", *_plain("|", flags=63)), [pandas.DataFrame()]),
    "flags": _array((1,), _dtype("i8", *_plain(flags=63)), bytes(8)),
    "flags of objects": _array((1,), _dtype("O8", *_plain("|")), [1]),
    "size": _array((1,), _dtype("U2", *_plain(size=4, flags=8)), bytes(8)),
    "order": _array((1,), _dtype("i8", *_plain("x")), bytes(8)),
    "void": _array((1,), _dtype("V8", *_plain("|")), bytes(8)),
    "no size": _array((1,), _dtype("S0", *_plain("|", size=0)), b""),
    "fields": _array((1,), _dtype("i8", 3, "<", None, ("a",), {"a": 1}, -1, -1, 0), bytes(8)),
    "base": _array((1,), _dtype("i8", 3, "<", (1, 2), None, None, -1, -1, 0), bytes(8)),
    "unit": _array((1,), _dtype("M8", 4, *_plain()[1:], ({}, (b"x", 1, 1, 1))), bytes(8)),
    "no unit": _array((1,), _dtype("M8"), bytes(8)),
    "no truth": _array((1,), _dtype("b1", *_plain("|")), b"\x02"),
    "no letter": _array((1,), _dtype("U1", *_plain(size=4, flags=8)), b"\xff" * 4),
    "no array": _array((1,), "i8", bytes(8)),
}


@pytest.mark.parametrize("name", LYING)
def test_an_array_is_what_it_claims_or_refused(name: str) -> None:
    for protocol in (2, 5):
        with pytest.raises(SerializationError):
            _read(LYING[name], protocol)


def test_an_array_without_a_lie_is_read() -> None:
    assert _read(_array((1,), _dtype("i8", *_plain()), bytes(8))).tolist() == [0]
    assert _read(_array((1,), _dtype("i8", *_plain(">")), bytes([0] * 7 + [1]))).tolist() == [1]
    assert _read(_array((1,), _dtype("O8", *_plain("|", flags=63)), [1])).tolist() == [1]


def _texts(offsets: list[int], *, kind: str = "large_string", length: int = 1) -> _Calls:
    """Return a column of texts, as pyarrow describes it."""
    places = _Calls(pyarrow.py_buffer, numpy.array(offsets, dtype="int64").tobytes())
    buffers = [None, places, _Calls(pyarrow.py_buffer, b"ab")]
    parts: tuple[Any, ...] = (
        _Calls(pyarrow.lib.type_for_alias, kind),
        length,
        0,
        0,
        buffers,
        [],
        None,
    )
    texts = _Calls(pyarrow.lib._restore_array, parts)
    return _Calls(
        pandas.arrays.ArrowStringArray,
        state={"_pa_array": texts, "_dtype": pandas.StringDtype("pyarrow")},
    )


def test_texts_of_a_pickle_lie_where_they_may() -> None:
    assert list(_read(_texts([0, 2]))) == ["ab"]
    for damaged in (
        _texts([0, 10**9]),
        _texts([-8, 2]),
        _texts([1, 0]),
        _texts([0]),
        _texts([0, 2], length=10**6),
        _texts([0, 2], length=2**62),
        _texts([0, 2], length=-1),
        _texts([0, 2], kind="int64"),
    ):
        with pytest.raises(SerializationError):
            _read(damaged)


def _index(kind: type, **fields: object) -> _Calls:
    return _Calls(pandas.core.indexes.base._new_Index, kind, fields)


@pytest.mark.parametrize(
    "index",
    [
        _index(pandas.RangeIndex, name=None, start=0, stop=10**12, step=1),
        _index(pandas.RangeIndex, name=None, start=0, stop=10, step=0),
        _index(pandas.RangeIndex, name=[], start=0, stop=10, step=1),
        _index(pandas.Index, name=None, data=numpy.zeros((2, 2))),
        _index(pandas.Index, name=None, data="text"),
        _index(
            pandas.MultiIndex,
            names=[None],
            levels=[pandas.Index([1])],
            codes=[numpy.array([5])],
        ),
        _index(pandas.MultiIndex, names=[None], levels=[1], codes=[numpy.array([0])]),
        _index(pandas.DataFrame, name=None, data=numpy.zeros(2)),
    ],
)
def test_an_index_is_what_it_claims_or_refused(index: object) -> None:
    with pytest.raises(SerializationError):
        _read(index)


@pytest.mark.parametrize(
    ("places", "rows"),
    [(slice(0, 1), 3), (slice(0, 2), 2), (slice(1, 2), 2), (slice(0, 2**40), 2), ("x", 2)],
)
def test_a_frame_is_what_it_claims_or_refused(places: object, rows: int) -> None:
    from pandas._libs.internals import _unpickle_block

    block = _Calls(_unpickle_block, numpy.zeros((1, 2)), places, 2)
    blocks = _Calls(
        pandas.core.internals.managers.BlockManager,
        (block,),
        [pandas.Index(["a"]), pandas.RangeIndex(rows)],
    )
    with pytest.raises(SerializationError):
        _read(_Calls(pandas.DataFrame, state={"_mgr": blocks}))


# What it may take

_MUCH = bytes(2**20)
_LONG = b"X\x00\x00\x10\x00" + b"a" * 2**20
_ENCODED = b"c_codecs\nencode\nh\x00X\x06\x00\x00\x00latin1\x86R"
#: Small pickles that would take for ever, all memory, or the process.
COSTLY = {
    "an object with a high number": b"\x80\x02]r\x00\x00\x00\x08.",
    "an object with a high number in letters": b"]p134217728\n.",
    "a deep tuple as a key": b"}" + b")" + b"\x85" * 10**6 + b"Ns.",
    "a deep list": b"]" * 10**6 + b"a" * (10**6 - 1) + b".",
    "a key that doubles itself": (
        b"})q\x00" + b"".join(b"0h%ch%c\x86q%c" % (i, i, i + 1) for i in range(60)) + b"Ns."
    ),
    "many lists": b"(" + b"]" * 10**7 + b"l.",
    "many dictionaries": b"(" + b"}" * 10**7 + b"l.",
    "many numbers of one object": b"N" + b"\x94" * 10**7 + b".",
    "many marks": b"(" * 10**7 + b".",
    "a list in itself": b"]q\x00h\x00a.",
    "keys of one hash": (
        b"}(" + b"".join(b"\x8a\x10" + (i * (2**61 - 1)).to_bytes(16, "little") + b"N"
                         for i in range(2**60, 2**60 + 20_000)) + b"u."
    ),
    "many copies of a text": _LONG + b"q\x00(" + _ENCODED * 10_000 + b"t.",
    "many copies of an array": pickle.dumps(
        [_array((2**20,), _dtype("u1", *_plain("|")), _MUCH) for _ in range(9999)]
    ),
    "a number of too many digits": b"I" + b"9" * 10**6 + b"\n.",
}  # fmt: skip


@pytest.mark.parametrize("name", COSTLY)
def test_a_small_pickle_takes_little(name: str) -> None:
    """Read it in a process of its own, whose memory is bounded."""
    ended = subprocess.run(
        [sys.executable, "-c", _BOUNDED],
        input=COSTLY[name],
        capture_output=True,
        timeout=120,  # its own bound is of its processor time
        check=False,
    )
    assert ended.returncode == 0, (ended.returncode, ended.stderr)


_BOUNDED = """
import resource, sys
import numpy
from vantage6.common.serialization import SerializationError, deserialize

data = sys.stdin.buffer.read()
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + 2**29, used + 2**29))
resource.setrlimit(resource.RLIMIT_CPU, (10, 10))
try:
    deserialize(b"pickle." + data, allow_pickle=True)
except SerializationError as error:
    assert "MemoryError" not in repr(error.__cause__)
"""


def test_a_value_that_stands_in_many_places_takes_no_longer() -> None:
    value: object = [numpy.float64(1.5)]
    for _ in range(60):
        value = [value, value]
    with limited():
        found = _read(value)
    while isinstance(found, list):
        found = found[0]
    assert type(found) is float
