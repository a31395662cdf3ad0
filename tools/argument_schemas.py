"""From the type hint of an argument to its JSON Schema."""

import collections.abc
import inspect
import json
import types
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from vantage6.common.cards import CardError
from vantage6.tools.card import Schema

_NULL = {"type": "null"}
_PLAIN: dict[Any, dict[str, Any]] = {
    Any: {},
    object: {},
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    type(None): _NULL,
    None: _NULL,
    list: {"type": "array"},
    dict: {"type": "object"},
}
_LISTS = (
    *(list, tuple, set, frozenset),
    *(collections.abc.Sequence, collections.abc.Collection, collections.abc.Iterable),
)
_DICTIONARIES = (dict, collections.abc.Mapping)


def schema_of(hint: Any, default: Any = inspect.Parameter.empty) -> dict[str, Any]:
    """Return the schema of an argument.

    Parameters
    ----------
    hint
        Its type hint, with what ``Annotated`` adds.
    default
        Its default, if it has one.

    Raises
    ------
    CardError
        If a card cannot describe it.
    """
    schema = _of(hint)
    if default is not inspect.Parameter.empty:
        if default is None:
            schema = _or_none(schema)
        try:
            schema["default"] = json.loads(json.dumps(default, allow_nan=False))
        except (TypeError, ValueError) as error:
            raise CardError("its default has no form in JSON.") from error
    return schema


def _of(hint: Any) -> dict[str, Any]:
    if isinstance(hint, collections.abc.Hashable) and hint in _PLAIN:
        return dict(_PLAIN[hint])
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Annotated:
        schema = _of(inner[0])
        for extra in inner[1:]:
            if isinstance(extra, Schema):
                schema |= extra.keywords
        return schema
    if origin is Literal:
        return {"enum": list(inner)}
    if origin in (Union, types.UnionType):
        return _any_of([_of(one) for one in inner])
    if origin is tuple and inner[-1] is not Ellipsis:
        parts = [_of(one) for one in inner]
        return {
            "type": "array",
            "prefixItems": parts,
            "items": False,
            "minItems": len(parts),
        }
    if origin in _LISTS:
        return {"type": "array"} | _inner("items", inner[0])
    if origin in _DICTIONARIES:
        return {"type": "object"} | _inner("additionalProperties", inner[1])
    raise CardError(f"a card cannot describe the type {hint}.")


def _inner(keyword: str, hint: Any) -> dict[str, Any]:
    schema = _of(hint)
    return {keyword: schema} if schema else {}


def _any_of(schemas: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the schema of what fits one of several, in one piece where that says the same."""
    if {} in schemas:
        return {}
    others = [schema for schema in schemas if schema != _NULL]
    merged = _merge(others) if others else dict(_NULL)
    return _or_none(merged) if _NULL in schemas else merged


def _merge(schemas: list[dict[str, Any]]) -> dict[str, Any]:
    keywords = [keyword for schema in schemas for keyword in schema if keyword != "type"]
    # A keyword counts for its own type only, apart from those that all types know.
    is_mergeable = all("type" in schema and "enum" not in schema for schema in schemas) and len(
        set(keywords)
    ) == len(keywords)
    if len(schemas) == 1:
        return schemas[0]
    if not is_mergeable:
        return {"anyOf": schemas}
    kinds = [*dict.fromkeys(kind for schema in schemas for kind in _kinds(schema))]
    merged = {"type": kinds if len(kinds) > 1 else kinds[0]}
    for schema in schemas:
        merged |= {keyword: value for keyword, value in schema.items() if keyword != "type"}
    return merged


def _or_none(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema that allows None, too."""
    changed = dict(schema)
    if "type" in schema and "null" not in _kinds(schema):
        changed["type"] = [*_kinds(schema), "null"]
    if "enum" in schema and None not in schema["enum"]:
        changed["enum"] = [*schema["enum"], None]
    if "anyOf" in schema and _NULL not in schema["anyOf"]:
        changed["anyOf"] = [*schema["anyOf"], _NULL]
    return changed


def _kinds(schema: dict[str, Any]) -> list[str]:
    kind = schema["type"]
    return [kind] if isinstance(kind, str) else list(kind)
