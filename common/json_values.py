"""How many values JSON announces, counted before it is parsed; and keys that are there twice."""

import json
import re
from collections.abc import Iterable
from typing import Any

#: A text in JSON. It gives nothing back, so that nothing is kept for that.
_TEXT = re.compile(rb'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
#: What stands before values.
_MARKS = b",[{"


def has_more_values(raw: bytes | bytearray, most: int) -> bool:
    """Tell whether JSON announces more values than this.

    SECURITY: each takes hundreds of times its length once it is parsed: `[[],[],[]` and so on. This
    counts texts, and what stands before values outside of texts, and makes nothing of it.
    """
    if len(raw) <= most:
        return False
    # PERF: most have fewer, even with all marks inside of texts. Each text has two quotes.
    if sum(raw.count(mark) for mark in _MARKS) + (raw.count(b'"') + 1) // 2 <= most:
        return False
    count = end = 0
    while count <= most:
        start = raw.find(b'"', end)
        outside = (end, len(raw) if start < 0 else start)
        # PERF: counted in place, as a copy may be as large as the body.
        count += sum(raw.count(mark, *outside) for mark in _MARKS)
        if start < 0:
            break
        end = _end_of_text(raw, start)
        count += 1
    return count > most


def _end_of_text(raw: bytes | bytearray, start: int) -> int:
    """Return what follows a text in JSON that begins here."""
    end = raw.find(b'"', start + 1)
    # PERF: most texts hold nothing escaped, and the search for a character is the fastest there is.
    if end > 0 and raw.find(b"\\", start + 1, end) < 0:
        return end + 1
    text = _TEXT.match(raw, start)
    # PERF: all that follows is inside a text without an end, whose marks begin none.
    return text.end() if text else len(raw)


def read_certain(raw: bytes, most: int) -> Any:
    """Return the document in JSON of which all readers make the same; None if it is no such.

    Parameters
    ----------
    raw
        The JSON, without the name of a format in front.
    most
        The most values that are read.
    """
    # SECURITY: readers differ in encodings and in keys that are there twice.
    if json.detect_encoding(raw[:4]) != "utf-8" or has_more_values(raw, most):
        return None
    try:
        return json.loads(raw, object_pairs_hook=unique_keys)
    except (ValueError, RecursionError):
        return None


def unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object of JSON, for `json.loads` as its ``object_pairs_hook``.

    Raises
    ------
    ValueError
        If a key is there twice. SECURITY: readers differ in which one counts.
    """
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key is there twice")
    return found


def is_deeper(document: Any, most: int) -> bool:
    """Tell whether values of JSON lie within each other more often than this."""
    level = [document]
    for _ in range(most):
        level = [inner for value in level for inner in _inner(value)]
        if not level:
            return False
    return True


def _inner(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
