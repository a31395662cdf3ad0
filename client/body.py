"""The body of a request: JSON, in which an encrypted input of any size is copied only once."""

import io
import json
import re
from typing import Any

#: The JSON library copies a text several times; from this length on that is worth avoiding.
_LONG = 2**16
_PIECE = 2**18
#: What base64 and encrypted messages consist of. None of it is escaped in JSON.
_PLAIN = re.compile(r"[A-Za-z0-9+/=$]*")


def encoded(value: Any) -> bytes:
    """Return a value as JSON.

    Raises
    ------
    TypeError, ValueError
        If JSON cannot hold it.
    """
    content = io.BytesIO()
    _write(value, content)
    return content.getvalue()


def _write(value: Any, content: io.BytesIO) -> None:
    if isinstance(value, str) and len(value) >= _LONG and _PLAIN.fullmatch(value):
        content.write(b'"')
        for start in range(0, len(value), _PIECE):
            content.write(value[start : start + _PIECE].encode("ascii"))
        content.write(b'"')
    elif isinstance(value, dict) and all(isinstance(key, str) for key in value):
        for number, (key, item) in enumerate(value.items()):
            content.write(b"," if number else b"{")
            content.write(_dumped(key) + b":")
            _write(item, content)
        content.write(b"}" if value else b"{}")
    elif isinstance(value, list):
        for number, item in enumerate(value):
            content.write(b"," if number else b"[")
            _write(item, content)
        content.write(b"]" if value else b"[]")
    else:
        content.write(_dumped(value))


def _dumped(value: Any) -> bytes:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.encode()
