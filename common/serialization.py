"""Payloads: Python objects as bytes, with the name of the format in front.

``json.{...}`` and ``pickle.<bytes>`` name their format; bytes without a name are a pickle, the
format of old algorithms. Writing a pickle is harmless. Reading one can run any code its author
wants: so it takes an explicit ``allow_pickle``, and `pickles` reads it as data.
"""

import json
import math
import pickle
import sys
from collections.abc import Callable
from datetime import date, time, timedelta
from typing import Any

from vantage6.common import pickles
from vantage6.common.errors import PickleRefused, SerializationError

__all__ = [
    "LEGACY",
    "READERS",
    "WRITERS",
    "PickleRefused",
    "SerializationError",
    "deserialize",
    "format_of",
    "from_json",
    "from_pickle",
    "serialize",
    "to_json",
]

#: The old format: a pickle without a name in front.
LEGACY = "legacy"

#: How the reason begins for which json refuses NaN and infinite numbers.
_NOT_FINITE = "Out of range float values"
#: How it begins for what contains itself.
_CIRCULAR = "Circular reference"
#: The name of a format ends within this many bytes, or there is none.
_LONGEST_NAME = 10


class _NoForm(TypeError):
    """JSON has no form for an object; the message names its type and nothing that it holds."""


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


def deserialize(
    data: bytes, allow_pickle: bool = False, *, allow_plain_pickle: bool = False
) -> Any:
    """Return the object behind bytes.

    Parameters
    ----------
    data
        Bytes in any of the formats.
    allow_pickle
        Read pickles too, of plain values, arrays and frames. They are read as data: see
        `vantage6.common.pickles`.
    allow_plain_pickle
        Read those pickles too that consist of plain containers, numbers and texts, and name
        nothing.

    Raises
    ------
    PickleRefused
        If the data is a pickle and may not be read, or holds something that is not allowed.
    SerializationError
        If the data cannot be read.
    """
    written, start = _split(data)
    # Harmless here: what is called `JSON` goes through the reader of JSON, and no further.
    name = written and written.lower()
    if name in READERS:
        read = READERS[name]
        # A reader of one's own needs real bytes; ours does without a copy of a large payload.
        return read(memoryview(data)[start:] if read is from_json else data[start:])
    if name not in (None, "pickle"):
        # SECURITY: not the name. It can be the beginning of an answer that is in no format at all.
        known = ", ".join(sorted({*READERS, "pickle"}))
        raise SerializationError(
            f"Deserialization of this format has not been implemented. There are: {known}."
        )
    if allow_plain_pickle and not allow_pickle:
        try:
            # SECURITY: every name is refused, so that nothing but plain values can come of it.
            return pickles.read(data, start, named=False)
        except PickleRefused as error:
            raise PickleRefused(
                "This is a Python pickle of more than plain values, such as arrays or frames. To "
                "read it: Client(..., allow_pickle=True). To get JSON instead: "
                "'output_format': 'json' in the input."
            ) from error
    if not allow_pickle:
        raise PickleRefused(
            "This is a Python pickle, and pickles are not allowed here. Send inputs with "
            "data_format='json' in client.task.create. Ask for answers in JSON, with "
            "'output_format': 'json' in the input. To read pickles nevertheless: for results "
            "Client(..., allow_pickle=True), in an algorithm its wrapper with allow_pickle=True."
        )
    return pickles.read(data, start)


def format_of(data: bytes) -> str:
    """Return the name of the format that bytes claim to have, or `LEGACY` where they name none.

    SECURITY: a claim. Bytes that call themselves JSON are JSON once `from_json` has read them. The
    name is given as it is written: `JSON.` is also the beginning of a pickle that can be read.
    """
    return _split(data)[0] or LEGACY


def _split(data: bytes) -> tuple[str | None, int]:
    """Return the name of the format, if there is one, and where what follows it starts."""
    for position, byte in enumerate(data[:_LONGEST_NAME]):
        if byte == ord("."):
            return data[:position].decode("ascii"), position + 1
        if byte > 0x7F:
            break
    return None, 0


def to_json(data: object) -> bytes:
    """Return an object as JSON, without the name of the format.

    NaN and infinite numbers become null: JSON, which other languages read, has no word for them.
    """
    try:
        try:
            return json.dumps(data, default=_plain, allow_nan=False).encode()
        except (TypeError, ValueError) as error:
            # A key, which json does not ask `_plain` about, or such a number.
            if isinstance(error, ValueError) and not str(error).startswith(_NOT_FINITE):
                raise
            return json.dumps(_strict(data), default=_plain, allow_nan=False).encode()
    except (TypeError, ValueError, RecursionError) as error:
        # SECURITY: what numpy, pandas or an object of the algorithm says can be a value.
        is_ours = isinstance(error, _NoForm) or str(error).startswith(_CIRCULAR)
        said = str(error) if is_ours else type(error).__name__
        raise SerializationError(f"This cannot be written as JSON: {said}") from error


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
            return _label(value.index, [None if missing else cell for cell, missing in cells])
        if isinstance(value, pandas.DataFrame):
            return _label(value.columns, [column for _, column in value.items()])
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
    raise _NoForm(f"an object of type {type(value).__name__} has no JSON form")


def _label(index: Any, values: list[Any]) -> dict[str, Any]:
    """Return values by label, in the form of `to_json` of pandas, which rounds small numbers."""
    if not index.is_unique:
        raise _NoForm("labels occur more than once; reset_index() makes them unique")
    labels = (label.isoformat() if isinstance(label, date) else str(label) for label in index)
    return dict(zip(labels, values, strict=True))


def _strict(value: Any) -> Any:
    """Return plain containers with the keys and numbers that JSON has a form for.

    Raises
    ------
    TypeError, ValueError
        If there is none.
    """
    if isinstance(value, dict):
        return {
            key if key is None or isinstance(key, str | int | float) else _plain(key): _strict(item)
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [_strict(item) for item in value]
    if isinstance(value, float):  # of numpy, too
        return float(value) if math.isfinite(value) else None
    if value is None or isinstance(value, str | int):
        return value
    return _strict(_plain(value))


def from_pickle(body: bytes) -> Any:
    """Return the object behind a pickle without a name in front; see `deserialize`."""
    return pickles.read(body)


#: How each format is written and, apart from pickles, which are asked about first, read.
WRITERS: dict[str, Callable[[Any], bytes]] = {"json": to_json, "pickle": pickle.dumps}
READERS: dict[str, Callable[[Any], Any]] = {"json": from_json}
