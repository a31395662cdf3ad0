"""Writing payloads, under the names of vantage6 3.11.

A format of one's own is one function:

>>> @serializer("csv")
... def to_csv(table):
...     return table.to_csv().encode()
>>> client.task.create(..., data_format="csv")
"""

import pickle
from collections.abc import Callable
from typing import Any

from vantage6.common.serialization import WRITERS, SerializationError
from vantage6.common.serialization import to_json as serialize_json

__all__ = ["serialize", "serialize_json", "serialize_pickle", "serializer"]

Writer = Callable[[Any], bytes]


def serialize(data: object, data_format: str) -> bytes:
    """Return an object as bytes, without the name of the format in front.

    Raises
    ------
    SerializationError
        If the format does not exist, or has no way to write this object.
    """
    try:
        write = WRITERS[data_format.lower()]
    except KeyError as error:
        raise SerializationError(
            f"Serialization of {data_format} has not been implemented."
        ) from error
    return write(data)


def serializer(data_format: str) -> Callable[[Writer], Writer]:
    """Make a function the writer of a format, whose name has at most nine letters."""

    def register(function: Writer) -> Writer:
        WRITERS[data_format.lower()] = function
        return function

    return register


def serialize_pickle(data: object) -> bytes:
    """Return an object as a pickle."""
    return pickle.dumps(data)
