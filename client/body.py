"""JSON bodies of requests and replies, in which a large payload is not copied more than it must.

The JSON library makes several copies of every text. What base64 and encrypted messages consist of
looks in JSON as it is, so that it can pass the library by.
"""

import json
import re
import uuid
from collections.abc import Callable, Iterator
from typing import Any

from vantage6.common.encoding import LazyText

#: From this length on it is worth it.
_LONG = 2**16
_PIECE = 2**18
#: What base64 and encrypted messages consist of. None of it is escaped in JSON.
_PLAIN = re.compile(r"[A-Za-z0-9+/=$]*")
#: The same between quotes. A quote after a backslash is part of some other text.
_LONG_TEXT = re.compile(rb'(?<!\\)"([A-Za-z0-9+/=$]{%d,})"' % _LONG)


class Body:
    """A value as JSON, which is written while it is sent.

    Parameters
    ----------
    value
        What JSON can hold, and instances of `LazyText`.
    before_part
        Called before each part with the number of bytes that are left after it; what it raises
        breaks the request off, and nothing more is sent.

    Raises
    ------
    TypeError, ValueError
        If JSON cannot hold it.
    """

    def __init__(self, value: Any, before_part: Callable[[int], None] | None = None) -> None:
        self._before_part = before_part
        self._open = bytearray()  # the last of the parts, which grows
        self._parts: list[bytearray | str | LazyText] = [self._open]
        self._add(value)

    def __len__(self) -> int:
        return sum(part.length if isinstance(part, LazyText) else len(part) for part in self._parts)

    def __iter__(self) -> Iterator[bytes]:
        left = len(self)
        for piece in self._pieces():
            left -= len(piece)
            if self._before_part is not None:
                self._before_part(left)
            yield piece

    def _pieces(self) -> Iterator[bytes]:
        for part in self._parts:
            if isinstance(part, LazyText):
                yield from part.pieces()
            elif isinstance(part, str):
                for start in range(0, len(part), _PIECE):
                    yield part[start : start + _PIECE].encode("ascii")
            else:
                yield bytes(part)

    def _add(self, value: Any) -> None:
        if isinstance(value, LazyText) or (
            isinstance(value, str) and len(value) >= _LONG and _PLAIN.fullmatch(value)
        ):
            self._open += b'"'
            self._open = bytearray(b'"')
            self._parts += [value, self._open]
        elif isinstance(value, dict) and all(isinstance(key, str) for key in value):
            for number, (key, item) in enumerate(value.items()):
                self._open += b"," if number else b"{"
                self._open += _dump(key) + b":"
                self._add(item)
            self._open += b"}" if value else b"{}"
        elif isinstance(value, list):
            for number, item in enumerate(value):
                self._open += b"," if number else b"["
                self._add(item)
            self._open += b"]" if value else b"[]"
        else:
            self._open += _dump(value)


def _dump(value: Any) -> bytes:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.encode()


def parse(content: bytearray) -> Any:
    """Return the value behind JSON.

    Raises
    ------
    ValueError
        If it is no JSON.
    """
    # The library would copy all of it once more than each text, and needs up to four times as much
    # memory when there is a letter in it that is not ASCII. So long texts stay out of it.
    texts: dict[str, str] = {}
    rest, start = bytearray(), 0
    with memoryview(content) as view:
        for found in _LONG_TEXT.finditer(view):
            first, end = found.span(1)
            name = str(uuid.uuid4())  # such as nobody else can know
            texts[name] = str(view[first:end], "ascii")
            rest += view[start:first]
            rest += name.encode("ascii")
            start = end
    if texts:
        rest += content[start:]
    try:
        return _fill(json.loads(rest), texts) if texts else json.loads(content)
    except RecursionError as error:
        raise ValueError("It has too many levels.") from error


def _fill(value: Any, texts: dict[str, str]) -> Any:
    """Return a value with the long texts where their names are."""
    if isinstance(value, str):
        return texts.get(value, value)
    if isinstance(value, list):
        return [_fill(item, texts) for item in value]
    if isinstance(value, dict):
        return {_fill(key, texts): _fill(item, texts) for key, item in value.items()}
    return value
