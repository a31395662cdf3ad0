"""Payloads: Python objects as bytes, with the name of the format in front.

``json.{...}`` and ``pickle.<bytes>`` name their format; bytes without a name are a pickle, the
format of old algorithms. Writing a pickle is harmless. Reading one can run whatever its author
wants, so it takes an explicit ``allow_pickle`` and even then a narrow list of names.
"""

import importlib
import io
import json
import pickle
import pickletools
import sys
from collections.abc import Callable
from datetime import date, time, timedelta
from typing import Any

from vantage6.common.errors import Invalid

#: The old format: a pickle without a name in front.
LEGACY = "legacy"

#: The name of a format ends within this many bytes, or there is none.
_LONGEST_NAME = 10


class SerializationError(Invalid):
    """The payload cannot be written or read in this format."""

    code = "serialization"


class PickleRefused(SerializationError):
    """A Python pickle is only read with allow_pickle=True."""

    code = "pickle_refused"


def serialize(data: object, data_format: str = "json") -> bytes:
    """Return an object as bytes.

    Parameters
    ----------
    data
        For JSON: plain Python, and what numpy and pandas can turn into it.
    data_format
        ``json``, ``pickle``, or ``legacy`` for a pickle without its name in front.

    Raises
    ------
    SerializationError
        If the format does not exist, or has no way to write this object.
    """
    if data_format == LEGACY:
        return pickle.dumps(data)
    write = WRITERS.get(data_format.lower())
    if write is None:
        raise SerializationError(f"Serialization of {data_format} has not been implemented.")
    return data_format.encode() + b"." + write(data)


def deserialize(data: bytes, allow_pickle: bool = False) -> Any:
    """Return the object behind bytes.

    Parameters
    ----------
    data
        Bytes in any of the formats.
    allow_pickle
        Read pickles too. Do so only for authors that you would let run code on this machine:
        the list of names below narrows what a pickle can do, it is no proof. The compiled parts
        of numpy and pandas trust the state that they are restored from: a pickle of theirs that was
        made to do so can end this process.

    Raises
    ------
    PickleRefused
        If the data is a pickle and may not be read, or uses a name that is not on the list.
    SerializationError
        If the data cannot be read.
    """
    name, start = _split(data)
    if name in READERS:
        read = READERS[name]
        # A reader of one's own needs real bytes; ours does without a copy of a large payload.
        return read(memoryview(data)[start:] if read is from_json else data[start:])
    if name not in (None, "pickle"):
        raise SerializationError(f"Deserialization of {name} has not been implemented.")
    if not allow_pickle:
        raise PickleRefused(
            "This is a Python pickle, which can run code and is only read with allow_pickle=True "
            "(for results: Client(..., allow_pickle=True)). Better: let the algorithm answer in "
            "JSON, with 'output_format': 'json' in the input of the task."
        )
    return _unpickled(data, start)


def format_of(data: bytes) -> str:
    """Return the name of the format that bytes claim to have, or `LEGACY` where they name none.

    SECURITY: a claim. Bytes that call themselves JSON are JSON once `from_json` has read them.
    """
    return _split(data)[0] or LEGACY


def _split(data: bytes) -> tuple[str | None, int]:
    """Return the name of the format, if there is one, and where what follows it starts."""
    for position, byte in enumerate(data[:_LONGEST_NAME]):
        if byte == ord("."):
            return data[:position].decode("ascii").lower(), position + 1
        if byte > 0x7F:
            break
    return None, 0


def to_json(data: object) -> bytes:
    """Return an object as JSON, without the name of the format."""
    try:
        try:
            return json.dumps(data, default=_plain).encode()
        except TypeError:  # a key, which json does not ask `_plain` about
            return json.dumps(_with_plain_keys(data), default=_plain).encode()
    except (TypeError, ValueError, RecursionError) as error:
        raise SerializationError(f"This cannot be written as JSON: {error}") from error


def from_json(body: bytes | memoryview) -> Any:
    """Return the object behind JSON."""
    try:
        return json.loads(str(body, json.detect_encoding(bytes(body[:4])), "surrogatepass"))
    except (ValueError, RecursionError) as error:
        raise SerializationError(f"This is not valid JSON: {error}") from error


def _plain(value: object) -> object:
    """Return what JSON can hold of an object that it does not know."""
    # Looked up instead of imported: a value of these libraries exists only if they are loaded.
    numpy, pandas = sys.modules.get("numpy"), sys.modules.get("pandas")
    if pandas is not None:
        if isinstance(value, pandas.Series):
            cells = zip(value, value.isna(), strict=True)
            return _labelled(value.index, [None if missing else cell for cell, missing in cells])
        if isinstance(value, pandas.DataFrame):
            return _labelled(value.columns, [column for _, column in value.items()])
        if value is pandas.NaT or value is pandas.NA:
            return None
        if isinstance(value, pandas.Index | pandas.api.extensions.ExtensionArray):
            return list(value)
    if numpy is not None:
        if isinstance(value, numpy.generic):
            return value.item()
        if isinstance(value, numpy.ndarray):
            return value.tolist()
    if isinstance(value, date | time):  # datetime and pandas.Timestamp are dates
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    raise TypeError(f"an object of type {type(value).__name__} has no JSON form")


def _labelled(index: Any, values: list[Any]) -> dict[str, Any]:
    """Return values by label, in the form of `to_json` of pandas, which rounds small numbers."""
    if not index.is_unique:
        raise ValueError("labels occur more than once; reset_index() makes them unique")
    labels = (label.isoformat() if isinstance(label, date) else str(label) for label in index)
    return dict(zip(labels, values, strict=True))


def _with_plain_keys(value: Any) -> Any:
    """Return plain containers whose keys are what JSON takes for one."""
    if isinstance(value, dict):
        return {
            key if key is None or isinstance(key, str | int | float) else _plain(key): (
                _with_plain_keys(item)
            )
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [_with_plain_keys(item) for item in value]
    return value


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Everything that a pickle may name. Nothing here calls a function that the pickle chooses.
_ALLOWED: dict[str, frozenset[str]] = {
    "builtins": _names(
        "bool bytearray bytes complex dict float frozenset int list range set slice str tuple"
    ),
    "collections": _names("OrderedDict"),
    "datetime": _names("date datetime time timedelta timezone"),
    "decimal": _names("Decimal"),
    "numpy": _names("dtype ndarray"),
    "numpy.core.multiarray": _names("_reconstruct scalar"),
    "numpy.core.numeric": _names("_frombuffer"),
    "pandas": _names(
        "BooleanDtype Categorical CategoricalDtype DataFrame DatetimeIndex Float64Dtype Index "
        "Int64Dtype MultiIndex NA RangeIndex Series StringDtype"
    ),
    "pandas.arrays": _names(
        "ArrowStringArray BooleanArray DatetimeArray FloatingArray IntegerArray StringArray"
    ),
    "pandas._libs.arrays": _names("__pyx_unpickle_NDArrayBacked"),
    "pandas._libs.internals": _names("_unpickle_block"),
    "pandas._libs.missing": _names("NA"),
    "pandas._libs.tslibs.timestamps": _names("_unpickle_timestamp"),
    "pandas.core.arrays.categorical": _names("Categorical"),
    "pandas.core.arrays.string_": _names("StringDtype"),
    "pandas.core.arrays.string_arrow": _names("ArrowStringArray"),
    "pandas.core.dtypes.dtypes": _names("CategoricalDtype"),
    "pandas.core.frame": _names("DataFrame"),
    "pandas.core.indexes.base": _names("Index _new_Index"),
    "pandas.core.indexes.datetimes": _names("DatetimeIndex _new_DatetimeIndex"),
    "pandas.core.indexes.multi": _names("MultiIndex"),
    "pandas.core.indexes.range": _names("RangeIndex"),
    "pandas.core.internals.managers": _names("BlockManager SingleBlockManager"),
    "pandas.core.series": _names("Series"),
    # Where this library is, pandas keeps texts in it.
    "pyarrow.lib": _names("_restore_array py_buffer type_for_alias"),
}


def _restore_texts(parts: tuple[Any, ...]) -> Any:
    """Return the texts that a pickle of pyarrow describes; stands in for its own function.

    SECURITY: that one believes where in memory each text lies, and would read whatever is there.
    This one checks it, of a copy that the rest of the pickle cannot change.
    """
    import pyarrow  # exists where such a pickle can be read

    kind, length, missing, offset, buffers, children, dictionary = parts
    if kind not in (pyarrow.string(), pyarrow.large_string()) or children or dictionary:
        raise PickleRefused("Of pyarrow only texts are allowed in a pickle.")
    copies = [part and pyarrow.py_buffer(part.to_pybytes()) for part in buffers]
    texts = pyarrow.Array.from_buffers(kind, length, copies, missing, offset)
    texts.validate(full=True)
    return texts


#: What a name of the list stands for, where it is not what has this name.
_REPLACED: dict[tuple[str, str], Callable[..., Any]] = {
    ("pyarrow.lib", "_restore_array"): _restore_texts
}


class _RestrictedUnpickler(pickle.Unpickler):
    """Reads a pickle whose names are all on the list."""

    def find_class(self, module: str, name: str) -> Any:
        """Return the object of a name, or refuse it."""
        # numpy 2 calls `numpy._core` what numpy 1 called `numpy.core`.
        listed = module.replace("numpy._core", "numpy.core", 1)
        # SECURITY: exact names only; a dotted name would reach the attributes of a listed one.
        if name not in _ALLOWED.get(listed, ()):
            raise PickleRefused(f"This pickle uses {module}.{name}, which is not allowed.")
        if (listed, name) in _REPLACED:
            return _REPLACED[listed, name]
        if not listed.startswith("numpy.core"):
            return super().find_class(module, name)
        try:
            home = importlib.import_module(listed.replace("numpy.core", "numpy._core", 1))
        except ModuleNotFoundError:
            home = importlib.import_module(listed)
        return getattr(home, name)


def from_pickle(body: bytes) -> Any:
    """Return the object behind a pickle without a name in front; see `deserialize`."""
    return _unpickled(body, 0)


def _unpickled(data: bytes, start: int) -> Any:
    try:
        file = io.BytesIO(data)  # shares them, so that a large pickle is not copied
        file.seek(start)
        _refuse_far_memo(file, len(data))
        file.seek(start)
        return _without_numpy_scalars(_RestrictedUnpickler(file).load(), {})
    except PickleRefused:
        raise
    except Exception as error:  # broken or hostile bytes can raise anything
        raise SerializationError(f"This pickle cannot be read: {error}") from error


#: The operations of a pickle that give an object a number of the pickle's choice.
_NUMBERING = frozenset({"PUT", "BINPUT", "LONG_BINPUT"})


def _refuse_far_memo(file: io.BytesIO, size: int) -> None:
    """Refuse a pickle that numbers an object higher than there can be objects in it.

    Python makes room for all numbers below: ten bytes would take gigabytes.
    """
    for opcode, number, _ in pickletools.genops(file):
        if opcode.name in _NUMBERING and (number or 0) > size + 255:
            raise SerializationError("an object in it has an impossible number")


def _without_numpy_scalars(value: Any, done: dict[int, Any]) -> Any:
    """Return plain containers with Python numbers where numpy numbers were.

    ``done`` has the containers that are done already, by id: one that stands in many places, each
    of them in many places again, would else take for ever.
    """
    numpy = sys.modules.get("numpy")
    if numpy is None:
        return value
    if isinstance(value, numpy.generic):
        return value.item()
    # Exact types: the subclasses hold more than their items.
    if type(value) not in (dict, list, tuple):
        return value
    if id(value) not in done:
        if type(value) is dict:
            done[id(value)] = {
                _without_numpy_scalars(key, done): _without_numpy_scalars(item, done)
                for key, item in value.items()
            }
        else:
            done[id(value)] = type(value)(_without_numpy_scalars(item, done) for item in value)
    return done[id(value)]


#: How each format is written and, apart from pickles, which are asked about first, read.
WRITERS: dict[str, Callable[[Any], bytes]] = {"json": to_json, "pickle": pickle.dumps}
READERS: dict[str, Callable[[Any], Any]] = {"json": from_json}
