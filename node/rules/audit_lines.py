"""Facts of events, short enough for one line of the audit file.

What is cut keeps its beginning, and tells how long it was.
"""

import json
from collections.abc import Mapping
from itertools import islice
from typing import Any

#: No line is longer than this, its frame included.
LINE_BYTES = 16_384
#: Of the frame: number, time, event and hash.
_FRAME_BYTES = 384
#: Most characters of a text and most items of a list, from generous to mean; and levels of lists.
_MEASURES = ((1000, 100), (200, 20), (60, 5), (20, 2))
_LEVELS = 4
_NAMES = 32


def shorten(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return facts that fit into a line."""
    short: dict[str, Any] = {}
    for characters, items in _MEASURES:
        named = islice(facts.items(), _NAMES)
        short = {name[:64]: _cut(fact, characters, items, _LEVELS) for name, fact in named}
        if _length(short) <= LINE_BYTES - _FRAME_BYTES:
            return short
    # Not even the beginnings: what is left are the numbers.
    numbers = {name: fact for name, fact in short.items() if isinstance(fact, int | float)}
    return {**numbers, "cut": True}


def _cut(fact: Any, characters: int, items: int, levels: int) -> Any:
    if fact is None or isinstance(fact, bool | float):
        return fact
    if isinstance(fact, int):
        # Of any length, where it comes from JSON.
        return fact if abs(fact) < 2**63 else "a number of more than 63 bits"
    if isinstance(fact, str):
        more = len(fact) - characters
        return fact if more <= 0 else f"{fact[:characters]} … and {more} characters more"
    if levels and isinstance(fact, Mapping):
        short = {
            str(name)[:64]: _cut(value, characters, items, levels - 1)
            for name, value in islice(fact.items(), items)
        }
        more = len(fact) - items
        return short | {"…": f"and {more} more"} if more > 0 else short
    if levels and isinstance(fact, list | tuple):
        shorter = [_cut(value, characters, items, levels - 1) for value in fact[:items]]
        more = len(fact) - items
        return [*shorter, f"… and {more} more"] if more > 0 else shorter
    return "…"


def _length(facts: Mapping[str, Any]) -> int:
    return len(json.dumps(facts, ensure_ascii=False).encode("utf-8", "replace"))
