"""Which JSON Schema a card may hold: the part of 2020-12 whose check is bounded by its length.

References, regular expressions, formats and ``unevaluated…`` are left out: a reference can make a
short schema grow without end, and an expression can take time without end.
"""

from collections.abc import Callable, Iterator
from typing import Any

from vantage6.common.cards.texts import check_line, check_text

ROLES = frozenset({"column", "columns", "formula", "organizations", "level", "weights"})
COLUMN_TYPES = frozenset({"numeric", "categorical", "time", "boolean"})
TYPES = frozenset({"number", "integer", "string", "boolean", "array", "object", "null"})

_DEEPEST = 12
_MOST_ARGUMENTS = 100
_MOST_OPTIONS = 1_000
_LONGEST_OPTION = 1_000
_LARGEST_NUMBER = 2.0**1000


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_size(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool)


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


def _is_schema(value: Any) -> bool:
    return isinstance(value, dict | bool)


def _are_schemas(value: Any) -> bool:
    return isinstance(value, list) and len(value) > 0 and all(map(_is_schema, value))


def _is_option(value: Any) -> bool:
    return not isinstance(value, dict | list) and len(str(value)) <= _LONGEST_OPTION


def _are_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def _are_some_of(value: Any, known: frozenset[str]) -> bool:
    return _are_names(value) and known.issuperset(value) and len(set(value)) == len(value) > 0


#: What each keyword has for a value; the others are refused. The library checks a schema itself,
#: too, in a time that grows too fast with its length.
KEYWORDS: dict[str, Callable[[Any], bool]] = {
    "type": lambda value: _are_some_of(value if isinstance(value, list) else [value], TYPES),
    "enum": lambda value: (
        isinstance(value, list) and len(value) <= _MOST_OPTIONS and all(map(_is_option, value))
    ),
    "const": _is_option,
    "required": _are_names,
    "dependentRequired": lambda value: (
        isinstance(value, dict) and all(map(_are_names, value.values()))
    ),
    "multipleOf": lambda value: _is_number(value) and value > 0,
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), _is_number),
    **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems"), _is_size),
    **dict.fromkeys(("minProperties", "maxProperties"), _is_size),
    "uniqueItems": _is_flag,
    **dict.fromkeys(("additionalProperties", "items", "not", "if", "then", "else"), _is_schema),
    **dict.fromkeys(("prefixItems", "anyOf", "oneOf", "allOf"), _are_schemas),
    "properties": lambda value: isinstance(value, dict) and all(map(_is_schema, value.values())),
    # Said, and not checked against.
    **dict.fromkeys(("title", "description", "$comment"), _is_text),
    "default": lambda _: True,
    "examples": _is_list,
    "deprecated": _is_flag,
    "x-is": lambda value: _are_some_of([value], ROLES),
    "x-types": lambda value: _are_some_of(value, COLUMN_TYPES),
}


def nothing() -> dict[str, Any]:
    """Return the schema of a function without arguments."""
    return {"type": "object", "properties": {}, "additionalProperties": False}


def check_arguments(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema of a function's arguments.

    Raises
    ------
    ValueError
        If it is none, or one of which a check is not bounded.
    """
    check_value(schema)
    if schema.get("type") != "object" or schema.get("additionalProperties") is not False:
        raise ValueError("arguments are an object with additionalProperties false")
    properties = schema.setdefault("properties", {})
    if not isinstance(properties, dict) or len(properties) > _MOST_ARGUMENTS:
        raise ValueError(f"arguments has properties, {_MOST_ARGUMENTS} at most")
    if not all(name.isidentifier() or name.replace(".", "_").isidentifier() for name in properties):
        raise ValueError("the name of an argument is an identifier")
    _check(schema, 1)
    return schema


def check_value(value: Any, depth: int = 0) -> None:
    """Refuse what no reader of a card should meet: deep or infinite values, and hidden characters.

    Raises
    ------
    ValueError
        If there is something of it.
    """
    if depth > 3 * _DEEPEST:
        raise ValueError("a value is nested too deeply")
    if isinstance(value, str):
        check_text(value)
    elif isinstance(value, dict):
        for key, entry in value.items():
            check_line(key)
            check_value(entry, depth + 1)
    elif isinstance(value, list):
        for entry in value:
            check_value(entry, depth + 1)
    elif isinstance(value, int | float) and not abs(value) <= _LARGEST_NUMBER:
        raise ValueError("a number is too large")


def _check(schema: dict[str, Any], depth: int) -> None:
    """Refuse a schema with an unknown keyword or a wrong value in it."""
    if depth > _DEEPEST:
        raise ValueError(f"a schema has more than {_DEEPEST} levels")
    for keyword, value in schema.items():
        # SECURITY: what is not known here is refused: $ref, $dynamicRef, $id, pattern, and all that
        # a later version of the library may bring.
        is_valid = KEYWORDS.get(keyword)
        if is_valid is None:
            raise ValueError(
                f"the keyword {keyword[:50]!r} of JSON Schema cannot be used in a card"
            )
        if not is_valid(value):
            raise ValueError(f"the keyword {keyword} of JSON Schema has a wrong value")
        for part in _parts(keyword, value):
            if isinstance(part, dict):
                _check(part, depth + 1)


def _parts(keyword: str, value: Any) -> Iterator[Any]:
    """Yield the schemas in the value of a keyword."""
    if keyword == "properties":
        yield from value.values()
    elif KEYWORDS[keyword] is _is_schema:
        yield value
    elif KEYWORDS[keyword] is _are_schemas:
        yield from value
