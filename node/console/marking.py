"""An output as lines, of which some are marked, so that a person sees what a rule is about."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

_PREFIX = b"json."
#: Longer outputs are not taken apart, and no page has more lines.
_MOST_BYTES, MOST_LINES = 256 * 1024, 2000
_INDENT = "  "


def mark(content: bytes, pointers: Iterable[str]) -> list[tuple[str, bool]] | None:
    """Return the lines of an output and whether a rule names them; None if it is no small JSON.

    Parameters
    ----------
    content
        The output.
    pointers
        JSON pointers to what is marked, with all that is in it.
    """
    text = content.removeprefix(_PREFIX)
    if len(text) > _MOST_BYTES:
        return None
    try:
        document = json.loads(text)
        marked = frozenset(pointers) - {""}
        lines = []
        for line in _lines(document, "", marked, "", "", is_marked=False):
            lines.append(line)
            if len(lines) >= MOST_LINES:
                break
        return lines
    except (ValueError, RecursionError):
        return None


def _lines(
    value: Any, pointer: str, marked: frozenset[str], indent: str, name: str, *, is_marked: bool
) -> Iterator[tuple[str, bool]]:
    is_marked = is_marked or pointer in marked
    if not value or not isinstance(value, dict | list):
        yield f"{indent}{name}{json.dumps(value, ensure_ascii=False)}", is_marked
        return
    is_object = isinstance(value, dict)
    items = value.items() if isinstance(value, dict) else enumerate(value)
    yield f"{indent}{name}{'{' if is_object else '['}", is_marked
    for key, one in items:
        escaped = str(key).replace("~", "~0").replace("/", "~1")
        label = f"{json.dumps(key, ensure_ascii=False)}: " if is_object else ""
        yield from _lines(
            one, f"{pointer}/{escaped}", marked, indent + _INDENT, label, is_marked=is_marked
        )
    yield f"{indent}{'}' if is_object else ']'}", is_marked
