"""Entries of the algorithm store of vantage6 4.x (``algorithm_store.json``), turned into cards.

What a card has no place for is left out, and told in a note: nothing that an entry says is guessed.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from vantage6.common.cards.card import Card
from vantage6.common.cards.documents import CardError, parse
from vantage6.common.terminal_text import harmless, one_line

#: The types of arguments in an entry, as schemas.
TYPES: dict[str, dict[str, Any]] = {
    "string": {"type": "string"},
    "string_list": {"type": "array", "items": {"type": "string"}},
    "integer": {"type": "integer"},
    "integer_list": {"type": "array", "items": {"type": "integer"}},
    "float": {"type": "number"},
    "float_list": {"type": "array", "items": {"type": "number"}},
    "boolean": {"type": "boolean"},
    "json": {},
    "column": {"type": "string", "x-is": "column"},
    "column_list": {"type": "array", "items": {"type": "string"}, "x-is": "columns"},
    "organization": {"type": "integer", "x-is": "organizations"},
    "organization_list": {
        "type": "array",
        "items": {"type": "integer"},
        "x-is": "organizations",
    },
}

_KINDS = {"central": "central", "federated": "partial"}
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_.]{0,99}")
_COMPARISONS = {
    ">": "exclusiveMinimum",
    ">=": "minimum",
    "<": "exclusiveMaximum",
    "<=": "maximum",
}
_LONGEST_TITLE = 300


@dataclass(frozen=True, slots=True)
class Imported:
    """A card that was made of an entry of a store."""

    card: Card
    #: What the card does not say although the entry does.
    notes: tuple[str, ...]


def from_store(entry: Any, *, version: str = "0") -> Card:
    """Return the card that an entry of a store makes; see `convert_entry`."""
    return convert_entry(entry, version=version).card


def convert_entry(entry: Any, *, version: str = "0") -> Imported:
    """Return the card that an entry of a store makes, and what is left out.

    Parameters
    ----------
    entry
        The parsed ``algorithm_store.json``, or an algorithm as the store's API shows it.
    version
        Version of the functions, which an entry does not have.

    Raises
    ------
    CardError
        If it is no such entry, or has no function that a card can describe.
    """
    if not isinstance(entry, dict) or not isinstance(entry.get("functions"), list):
        raise CardError("This is no entry of an algorithm store: it has no list `functions`.")
    notes: list[str] = []
    functions = [made for one in entry["functions"] if (made := _function(one, notes))]
    if not functions:
        raise CardError(
            "The entry has no function that a card can describe: one of type central or federated."
        )
    name = _line(entry.get("name"))
    description = _text(entry.get("description"))
    if address := _line(entry.get("documentation_url")):
        description += f"\n\nDocumentation: {address}"
    document: dict[str, Any] = {
        "card": 1,
        "name": re.sub(r"[^a-z0-9_.-]+", "-", name.lower()).strip("-_.")[:100] or "algorithm",
        "version": version,
        "title": name,
        "description": description,
        "source": _line(entry.get("code_url")),
        "images": [_image(entry)] if entry.get("image") else [],
        "functions": functions,
    }
    return Imported(parse(document), tuple(dict.fromkeys(notes)))


def _function(entry: Any, notes: list[str]) -> dict[str, Any] | None:
    if not isinstance(entry, dict):
        return None
    name, kind = entry.get("name"), _KINDS.get(str(entry.get("type")))
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        notes.append("A function without a name that tasks can use was left out.")
        return None
    if kind is None:
        notes.append(f"The function {name} was left out: its type is not central or federated.")
        return None
    given = [one for one in _list(entry, "arguments") if isinstance(one, dict)]
    arguments = _Arguments(name, given, notes)
    return {
        "name": name.removeprefix("RPC_"),
        "kind": kind,
        "title": _line(entry.get("display_name")),
        "description": _text(entry.get("description")),
        "arguments": arguments.schema(),
        "database": "one" if _list(entry, "databases") else "none",
        "views": list(_views(entry)),
    }


class _Arguments:
    """The arguments of one function."""

    def __init__(self, function: str, entries: list[dict[str, Any]], notes: list[str]) -> None:
        self._function = function
        self._notes = notes
        self._entries: dict[str, dict[str, Any]] = {}
        for entry in entries:
            name = entry.get("name")
            if not isinstance(name, str) or not name.isidentifier():
                notes.append(f"{function}: an argument without a usable name was left out.")
            elif entry.get("is_frontend_only") is True:
                self._note(name, "was left out: only the web pages of the store use it")
            else:
                self._entries[name] = entry

    def schema(self) -> dict[str, Any]:
        """Return the JSON Schema of all of them."""
        schema: dict[str, Any] = {
            "type": "object",
            "properties": {name: self._property(name) for name in self._entries},
            "additionalProperties": False,
        }
        required, conditions = [], []
        for name, entry in self._entries.items():
            condition = self._condition(name)
            if condition is not None:
                conditions.append(condition)
            elif not entry.get("has_default_value") and not entry.get("conditional_on"):
                required.append(name)
        if required:
            schema["required"] = required
        if conditions:
            schema["allOf"] = conditions
        return schema

    def _note(self, name: str, text: str) -> None:
        self._notes.append(f"{self._function}: the argument {name} {text}.")

    def _property(self, name: str) -> dict[str, Any]:
        entry = self._entries[name]
        found = TYPES.get(str(entry.get("type")))
        if found is None:
            self._note(name, "takes any value: the entry says no type that is known")
        schema: dict[str, Any] = json.loads(json.dumps(found or {}))
        if options := [_typed(entry, one) for one in _list(entry, "allowed_values")]:
            schema.get("items", schema)["enum"] = options
        if entry.get("has_default_value"):
            default = _default(entry)
            schema["default"] = default
            if default is None:
                _allow_none(schema)
        schema["title"] = _line(entry.get("display_name"))
        schema["description"] = _text(entry.get("description"))
        return {key: value for key, value in schema.items() if value != "" or key == "default"}

    def _condition(self, name: str) -> dict[str, Any] | None:
        """Return what an argument asks of another one; None if it asks nothing."""
        entry = self._entries[name]
        other = entry.get("conditional_on")
        if not isinstance(other, str) or not other:
            return None
        above = self._entries.get(other)
        operator = str(entry.get("conditional_operator"))
        wanted = None if above is None else _typed(above, entry.get("conditional_value"))
        test = _test(operator, wanted)
        if above is None or test is None:
            self._note(name, "may always be given: its condition cannot be checked here")
            return None
        holds: dict[str, Any] = {"properties": {other: test}}
        # An argument that is not given has its default.
        if not (above.get("has_default_value") and _holds(operator, _default(above), wanted)):
            holds["required"] = [other]
        needed = {} if entry.get("has_default_value") else {"required": [name]}
        # Where the condition does not hold, the argument is empty.
        empty = list(dict.fromkeys([None, _scalar(_default(entry))]))
        return {"if": holds, "then": needed, "else": {"properties": {name: {"enum": empty}}}}


def _test(operator: str, wanted: Any) -> dict[str, Any] | None:
    """Return the schema of the values for which a comparison holds."""
    if isinstance(wanted, list | dict):
        return None
    if operator == "==":
        return {"const": wanted}
    if operator == "!=":
        return {"not": {"const": wanted}}
    if operator in _COMPARISONS and isinstance(wanted, int | float):
        return {"type": "number", _COMPARISONS[operator]: wanted}
    return None


def _holds(operator: str, value: Any, wanted: Any) -> bool:
    if operator in ("==", "!="):
        return bool(value == wanted) == (operator == "==")
    if not isinstance(value, int | float) or not isinstance(wanted, int | float):
        return False
    return {
        ">": value > wanted,
        ">=": value >= wanted,
        "<": value < wanted,
        "<=": value <= wanted,
    }[operator]


def _default(entry: dict[str, Any]) -> Any:
    value = entry.get("default_value")
    # The pages of the store write texts into their files, and leave them empty for None.
    return None if value == "" and entry.get("type") != "string" else _typed(entry, value)


def _typed(entry: dict[str, Any], value: Any) -> Any:
    """Return a value as its argument has it; files hold texts for numbers and for true."""
    kind = str(entry.get("type")).removesuffix("_list")
    if isinstance(value, list):
        return [_typed(entry, one) for one in value]
    if not isinstance(value, str) or kind in ("string", "column"):
        return value
    try:
        found = json.loads(value.lower() if kind == "boolean" else value)
    except (ValueError, RecursionError):
        return value
    return found


def _scalar(value: Any) -> Any:
    return None if isinstance(value, list | dict) else value


def _allow_none(schema: dict[str, Any]) -> None:
    if "type" in schema:
        schema["type"] = [schema["type"], "null"]
    if "enum" in schema and None not in schema["enum"]:
        schema["enum"].append(None)


def _views(entry: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for one in _list(entry, "ui_visualizations"):
        kind = one.get("type") if isinstance(one, dict) else None
        if not isinstance(kind, str) or not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", kind):
            continue
        # Two names are in use for the same thing.
        found = one.get("schema") or one.get("properties") or {}
        found = found if isinstance(found, dict) else {}
        steps = [str(step) for step in _list(found, "location")]
        path = "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in steps)
        view: dict[str, Any] = {"kind": kind, "path": path, "title": _line(one.get("name"))}
        view |= {"description": _text(one.get("description"))}
        view |= {key: _line(found[key]) for key in ("x", "y") if found.get(key)}
        if columns := [_line(column) for column in _list(found, "columns")]:
            view["columns"] = columns
        yield {key: value for key, value in view.items() if value}


def _image(entry: dict[str, Any]) -> str:
    image, digest = _line(entry.get("image")), _line(entry.get("digest"))
    return f"{image}@{digest}" if digest and "@" not in image else image


def _list(entry: dict[str, Any], name: str) -> list[Any]:
    found = entry.get(name)
    return found if isinstance(found, list) else []


def _line(value: Any) -> str:
    return one_line(value)[:_LONGEST_TITLE] if isinstance(value, str) else ""


def _text(value: Any) -> str:
    return harmless(value.replace("\r\n", "\n")) if isinstance(value, str) else ""
