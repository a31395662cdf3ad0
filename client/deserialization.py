"""Reading payloads, under the names of vantage6 3.11.

A format of one's own is one function:

>>> @deserializer("csv")
... def from_csv(data):
...     return pandas.read_csv(io.BytesIO(data))
"""

from collections.abc import Callable, Mapping
from typing import Any

from vantage6.common.serialization import READERS, SerializationError
from vantage6.common.serialization import deserialize as _deserialize
from vantage6.common.serialization import from_json as deserialize_json
from vantage6.common.serialization import from_pickle as deserialize_pickle

__all__ = [
    "deserialize",
    "deserialize_json",
    "deserialize_pickle",
    "deserializer",
    "load_data",
    "unpack_legacy_results",
]

Reader = Callable[[bytes], Any]


def deserialize(file: bytes, data_format: str) -> Any:
    """Return the object behind bytes that have no name of a format in front.

    To name ``pickle`` is to allow it, for the types of numpy, pandas and plain Python only.

    Raises
    ------
    SerializationError
        If the format does not exist, or the data cannot be read.
    """
    name = data_format.lower()
    if name == "pickle":
        return deserialize_pickle(file)
    if name not in READERS:
        raise SerializationError(f"Deserialization of {data_format} has not been implemented.")
    return READERS[name](file)


def deserializer(data_format: str) -> Callable[[Reader], Reader]:
    """Make a function the reader of a format, whose name has at most nine letters."""

    def register(function: Reader) -> Reader:
        READERS[data_format.lower()] = function
        return function

    return register


def load_data(input_bytes: bytes, *, allow_pickle: bool = False) -> Any:
    """Return the object behind bytes that name their format, as results do.

    Parameters
    ----------
    input_bytes
        Bytes in any of the formats.
    allow_pickle
        Read pickles of arrays and frames too, as data; those of plain values are always read.

    Raises
    ------
    PickleRefused
        If the data is a pickle and may not be read.
    SerializationError
        If the data cannot be read.
    """
    return _deserialize(input_bytes, allow_pickle, allow_plain_pickle=True)


def unpack_legacy_results(result: Mapping[str, bytes]) -> Any:
    """Return the object behind the pickle in a result; to call this is to allow it."""
    return deserialize_pickle(result["result"])
