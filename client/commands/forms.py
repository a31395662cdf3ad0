"""What a function takes, as a form for people at a terminal."""

import json
import shlex
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

from vantage6.common.cli import table

Document = Mapping[str, Any]

_HEADER = ("Argument", "Takes", "Default", "Description")
_MOST_EXAMPLES = 3
_BELOW: Any = {"initial_indent": "      ", "subsequent_indent": "      "}
_TYPES = {
    "number": "number",
    "integer": "whole number",
    "string": "text",
    "boolean": "true or false",
    "array": "list, as JSON",
    "object": "JSON object",
}
_ROLES = {
    "column": "column",
    "columns": "columns",
    "formula": "formula",
    "organizations": "ids of organizations",
    "weights": "column with weights",
}
#: Entries of a list that are written with commas.
_SIMPLE = frozenset({"number", "integer", "string"})


def lines(function: Document, width: int | None = None) -> list[str]:
    """Return a function of a card with its arguments and uses of it, not yet harmless to show.

    Parameters
    ----------
    function
        The function, as its card has it.
    width
        Letters of a line at the terminal, if that is where they are shown.
    """
    schema = function.get("arguments") or {}
    needed = schema.get("required", ())
    rows = [
        (name, _takes(one), "needed" if name in needed else _default(one), _about(one))
        for name, one in (schema.get("properties") or {}).items()
    ]
    said = [f"{function['name']} ({function['kind']}): {function.get('title') or '-'}"]
    said += _arguments(rows, width) if rows else ["  No arguments."]
    said += _beyond(function)
    examples = function.get("examples") or ()
    return said + [f"  {_example(function, one)}" for one in examples[:_MOST_EXAMPLES]]


def _beyond(function: Document) -> list[str]:
    """Return what the function asks for, and what leaves a station."""
    calls, shares = function.get("calls") or (), function.get("shares") or ()
    said = [f"  Asks the stations for: {', '.join(calls)}"] if calls else []
    by_class: dict[str, list[str]] = {}
    for one in shares:
        by_class.setdefault(one["class"], []).append(one["path"])
    return said + [f"  Shares {kind}: {', '.join(paths)}" for kind, paths in by_class.items()]


def _arguments(rows: Sequence[Sequence[str | None]], width: int | None) -> list[str]:
    """Return arguments as a table; with the description below each where that is too wide."""
    said = [f"  {line}" for line in table.lines(_HEADER, rows)]
    if width is None or max(map(len, said)) <= width:
        return said
    head, *each = table.lines(_HEADER[:3], [row[:3] for row in rows])
    said = [f"  {head}"]
    for line, row in zip(each, rows, strict=True):
        said += [f"  {line}", *textwrap.wrap(row[3] or "", max(width, 40), **_BELOW)]
    return said


def _takes(schema: Any) -> str:
    """Return what an argument takes, in a few words."""
    if not isinstance(schema, dict):
        return "JSON"
    if "enum" in schema:
        return " | ".join(_text(one) for one in schema["enum"] if one is not None)
    types = schema.get("type", [])
    types = [one for one in ([types] if isinstance(types, str) else types) if one != "null"]
    role, kinds = _ROLES.get(schema.get("x-is", "")), schema.get("x-types")
    named = role or " or ".join(
        _list_of(schema) if one == "array" else _TYPES[one] for one in types
    )
    if kinds:
        named += f" ({', '.join(kinds)})"
    if types == ["array"] and _entries(schema) in _SIMPLE:
        named += ", as 1,2" if _entries(schema) != "string" else ", as a,b"
    if not types:
        return named or "JSON"
    return named + _bounds(schema)


def _list_of(schema: Document) -> str:
    entries = _entries(schema)
    return f"list of {_TYPES[entries]}" if entries in _SIMPLE else _TYPES["array"]


def _entries(schema: Document) -> Any:
    entries = schema.get("items")
    found = entries.get("type") if isinstance(entries, dict) else None
    return found if isinstance(found, str) else None


def _bounds(schema: Document) -> str:
    least, most = schema.get("minimum"), schema.get("maximum")
    if least is not None and most is not None:
        return f", {least} to {most}"
    if least is not None:
        return f", at least {least}"
    return "" if most is None else f", at most {most}"


def _default(schema: Any) -> str | None:
    has_one = isinstance(schema, dict) and "default" in schema
    return json.dumps(schema["default"], ensure_ascii=False) if has_one else None


def _about(schema: Any) -> str:
    said = schema.get("description") or schema.get("title") if isinstance(schema, dict) else ""
    # Markdown has line feeds.
    return " ".join(str(said or "").split())


def _example(function: Document, example: Document) -> str:
    words = [
        f"--arg {shlex.quote(f'{name}={_written(value)}')}"
        for name, value in example["arguments"].items()
    ]
    # SECURITY: it is copied into a shell, and the author of a card is not trusted.
    return " ".join(("Example: vantage6 run", shlex.quote(function["name"]), *words))


def _written(value: Any) -> str:
    """Return a value as it is written at the command line."""
    is_list = isinstance(value, list) and len(value) > 0
    if is_list and all(isinstance(one, str) and one and "," not in one for one in value):
        return ",".join(value)
    return _text(value)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
