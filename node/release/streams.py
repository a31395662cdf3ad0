"""Outputs as streams of events, whichever format they are in; memory does not grow with them.

An event is a name and a value, as `ijson` yields them: ``start_map``, ``map_key``, ``end_map``,
``start_array``, ``end_array``, ``number``, ``string``, ``boolean``, ``null``.
"""

import csv
import io
import json
from collections.abc import Iterator
from typing import Any, BinaryIO

from vantage6.common.errors import SerializationError
from vantage6.common.json_values import has_more_values
from vantage6.common.serialization import deserialize, to_json

Event = tuple[str, Any]

#: What came before does not count: it comes again, as another reader reads it.
RESTART: Event = ("restart", None)

_JSON = b"json."
_PICKLES = (b"pickle.", b"\x80")
_ARROW = (b"ARROW1", b"\xff\xff\xff\xff")
_MOST_BEGINNING = 8
_BUFFER_BYTES = 2**16
#: Largest output that is read at once, where its format cannot be read as a stream.
_MOST_AT_ONCE = 16 * 2**20
#: Most values of such an output.
_MOST_VALUES = 1_000_000
#: Deepest nesting that is followed.
_MOST_DEPTH = 64
#: Longest line of a table, and most characters of lines that begin within one record.
_MOST_LINE = 2**20


class NoForm(Exception):
    """The bytes are in no format that can be read."""


def read_events(file: BinaryIO, length: int) -> Iterator[Event]:
    """Yield the events of an output.

    Parameters
    ----------
    file
        The output, open at its beginning.
    length
        Its bytes.

    Raises
    ------
    NoForm
        Where the bytes are in no format that can be read, perhaps after some events.
    """
    start = file.read(_MOST_BEGINNING)
    file.seek(0)
    if start.startswith(_PICKLES):
        yield from _pickle_events(file, length)
    elif start.startswith(_ARROW):
        # SECURITY: its buffers can be compressed, and say only inside how large they become.
        raise NoForm
    elif _is_table(file):
        yield from _table_events(file)
    else:
        file.seek(len(_JSON) if start.startswith(_JSON) else 0)
        yield from _json_events(file, length)


def _json_events(file: BinaryIO, length: int) -> Iterator[Event]:
    import ijson

    begin, depth = file.tell(), 0
    try:
        for event in ijson.basic_parse(file, use_float=True, buf_size=_BUFFER_BYTES):
            name = event[0]
            if name in ("start_map", "start_array"):
                depth += 1
                if depth > _MOST_DEPTH:
                    raise NoForm
            elif name in ("end_map", "end_array"):
                depth -= 1
            yield event
    except (ijson.JSONError, UnicodeDecodeError, ValueError, OverflowError) as error:
        # NaN and infinite numbers, which Python writes and JSON has no word for.
        if length > _MOST_AT_ONCE:
            raise NoForm from error
        file.seek(begin)
        content = file.read()
        if has_more_values(content, _MOST_VALUES):
            raise NoForm from error
        yield RESTART
        yield from _loose_events(content)


def _loose_events(content: bytes) -> Iterator[Event]:
    """Yield the events of what Python takes for JSON, from the beginning."""
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise NoForm from error
    yield from _value_events(document)


def _value_events(value: Any, depth: int = 0) -> Iterator[Event]:
    if depth > _MOST_DEPTH:
        raise NoForm
    if isinstance(value, dict):
        yield "start_map", None
        for key, item in value.items():
            yield "map_key", key
            yield from _value_events(item, depth + 1)
        yield "end_map", None
    elif isinstance(value, list):
        yield "start_array", None
        for item in value:
            yield from _value_events(item, depth + 1)
        yield "end_array", None
    elif isinstance(value, str):
        yield "string", value
    elif isinstance(value, bool):
        yield "boolean", value
    elif value is None:
        yield "null", None
    else:
        yield "number", value


def _pickle_events(file: BinaryIO, length: int) -> Iterator[Event]:
    """Yield the events of a pickle, which is read as data: nothing that it names is called."""
    if length > _MOST_AT_ONCE:
        raise NoForm
    try:
        document = deserialize(file.read(), allow_pickle=True)
        content = to_json(document)
    except SerializationError as error:
        raise NoForm from error
    yield from _json_events(io.BytesIO(content), len(content))


def _is_table(file: BinaryIO) -> bool:
    """Tell whether the output begins as lines of the same number of fields."""
    head = file.read(_BUFFER_BYTES)
    file.seek(0)
    if head.lstrip()[:1] in (b"{", b"[", b'"', b"") or head.startswith(_JSON) or b"\0" in head:
        return False
    try:
        text = head.decode("utf-8", "strict" if len(head) < _BUFFER_BYTES else "ignore")
    except UnicodeDecodeError:
        return False
    lines = text.splitlines()[:-1] if len(head) == _BUFFER_BYTES else text.splitlines()
    return len(lines) > 1 and _delimiter(lines[0]) is not None


def _delimiter(line: str) -> str | None:
    return next((mark for mark in (",", ";", "\t", "|") if mark in line), None)


def _table_events(file: BinaryIO) -> Iterator[Event]:
    """Yield the events of lines of fields: a list of lists."""
    text = io.TextIOWrapper(file, "utf-8", newline="")
    first = text.readline(_MOST_LINE)
    delimiter = _delimiter(first) or ","
    text.seek(0)
    csv.field_size_limit(_MOST_LINE)
    yield "start_array", None
    try:
        lines = _Lines(text)
        for row in csv.reader(lines, delimiter=delimiter):
            lines.begin_record()
            yield "start_array", None
            for field in row:
                yield _field(field)
            yield "end_array", None
    except (csv.Error, UnicodeDecodeError) as error:
        raise NoForm from error
    finally:
        text.detach()
    yield "end_array", None


class _Lines:
    """The lines of a table, as long as those of one record are not too long together.

    SECURITY: a record goes on behind a quoted end of a line, and could be the whole output.
    """

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        self._left = _MOST_LINE

    def begin_record(self) -> None:
        """Take what follows for another record."""
        self._left = _MOST_LINE

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        if self._left <= 0:
            raise NoForm
        line = self._text.readline(_MOST_LINE)
        if not line:
            raise StopIteration
        self._left -= len(line)
        return line


def _field(field: str) -> Event:
    try:
        return "number", float(field)
    except ValueError:
        return "string", field
