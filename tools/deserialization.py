"""Reading payloads, without the name of the format in front, under the names of vantage6 3.11."""

from typing import Any, BinaryIO

from vantage6.client import deserialization
from vantage6.client.deserialization import deserializer

__all__ = ["deserialize", "deserialize_json", "deserialize_pickle", "deserializer"]


def deserialize(file: BinaryIO, data_format: str) -> Any:
    """Return the object in an open file.

    Parameters
    ----------
    file
        Opened for reading bytes.
    data_format
        ``json`` or ``pickle``, or a format of one's own.

    Raises
    ------
    DeserializationException
        If the format does not exist, or the content cannot be read.
    """
    return deserialization.deserialize(file.read(), data_format)


def deserialize_json(file: BinaryIO) -> Any:
    """Return the object behind the JSON in an open file."""
    return deserialization.deserialize_json(file.read())


def deserialize_pickle(file: BinaryIO) -> Any:
    """Return the object behind the pickle in an open file."""
    return deserialization.deserialize_pickle(file.read())
