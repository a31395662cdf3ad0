"""The OpenAPI document, made from the routes and the models behind them."""

import inspect
import re
from collections.abc import Iterable, Iterator
from typing import Any, get_args, get_origin

from pydantic import BaseModel, TypeAdapter

from vantage6.api.endpoint import Endpoint
from vantage6.api.http.idempotency import HEADER
from vantage6.api.routes import Route
from vantage6.api.schemas.base import PageQuery, Problem
from vantage6.common import __version__

_VERBS = ("get", "post", "patch", "delete")
#: What stands in paths.
_ID: dict[str, Any] = {"type": "integer"}
_PARTS: dict[str, dict[str, Any]] = {"tag": {"type": "string", "format": "uuid"}}
#: A header of requests that create something.
_KEY = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "schema": {"type": "string", "maxLength": 255},
    "description": "a new UUID for each request, and the same one when it is sent again: within 24 "
    "hours the first answer is repeated, and nothing is created twice",
}
_REFERENCE = "#/components/schemas/{model}"
_REFUSALS = {
    400: "The request is not valid; `msg` says what to change.",
    401: "The request has no valid token, or the permission is lacking.",
    404: "There is no such thing.",
    409: "The thing is not in a state that allows this.",
    413: "The body is too large.",
    415: "The body is not JSON.",
    422: "The token is malformed, of the wrong kind, or not of this server; or an Idempotency-Key "
    "came with another request before.",
    429: "Too many requests; the header `Retry-After` says when to come back.",
    500: "Another service answered nonsense.",
    501: "The server is not configured for this.",
    502: "Another service answered nonsense.",
    503: "A service that is needed does not answer; try again later.",
}


def document(routes: Iterable[Route], prefix: str) -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of some routes below a prefix."""
    routes = tuple(routes)
    models = {Problem} | {
        model for route in routes for _, _, found in _operations(route) for model in _models(found)
    }
    references, definitions = TypeAdapter.json_schemas(
        [
            (model, "validation", TypeAdapter(model))
            for model in sorted(models, key=lambda model: model.__name__)
        ],
        ref_template=_REFERENCE,
    )
    schemas = {model: schema for (model, _), schema in references.items()}
    paths: dict[str, Any] = {}
    for route in routes:
        path = re.sub(r"\{(\w+)_:[^}]*\}", r"{\1}", route.path)
        for verb, responder, found in _operations(route):
            paths.setdefault(path, {})[verb] = _operation(path, responder, found, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "vantage6",
            "version": __version__,
            "description": "Brings the computation to data that may not leave the building.",
        },
        "servers": [{"url": prefix or "/"}],
        "paths": paths,
        "components": {
            "schemas": definitions.get("$defs", {}),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
            },
        },
    }


def _operations(route: Route) -> Iterator[tuple[str, Any, Endpoint]]:
    for verb in _VERBS:
        name = f"on_{verb}_{route.suffix}" if route.suffix else f"on_{verb}"
        responder = getattr(route.resource, name, None)
        if responder is not None:
            yield verb, responder, responder.endpoint


def _models(found: Endpoint) -> Iterator[type[BaseModel]]:
    for model in (found.body, found.query, _item(found.reply), *found.problems.values()):
        if model is not None:
            yield model


def _item(reply: Any) -> type[BaseModel] | None:
    item: type[BaseModel] | None = get_args(reply)[0] if get_origin(reply) is list else reply
    return item


def _operation(
    path: str, responder: Any, found: Endpoint, schemas: dict[Any, Any]
) -> dict[str, Any]:
    summary, _, text = (inspect.getdoc(responder) or "").partition("\n")
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": _PARTS.get(name, _ID)}
        for name in re.findall(r"\{(\w+)\}", path)
    ]
    if found.query is not None:
        parameters += _query(found.query)
    if found.creates:
        parameters.append(_KEY)
    operation: dict[str, Any] = {
        "operationId": responder.__qualname__.replace(".on_", "_").lower(),
        "tags": [path.split("/")[1]],
        "summary": summary,
        "description": _description(text.strip(), found),
        "parameters": parameters,
        "responses": {str(found.status): _good(found, schemas)}
        | ({"204": {"description": "There is nothing."}} if found.may_be_empty else {})
        | _refusals(path, found, schemas),
    }
    if found.callers:
        operation["security"] = [{"bearer": []}]
    if found.body is not None:
        operation["requestBody"] = {"required": True, **_json(schemas[found.body])}
    return operation


def _good(found: Endpoint, schemas: dict[Any, Any]) -> dict[str, Any]:
    if found.reply is None:
        return {"description": "Done."}
    schema = schemas[_item(found.reply)]
    if get_origin(found.reply) is not list:
        return {"description": "Done.", **_json(schema)}
    schema = {"type": "array", "items": schema}
    if found.query is None or not issubclass(found.query, PageQuery):
        return {"description": "Everything.", **_json(schema)}
    envelope = {
        "type": "object",
        "properties": {
            "data": schema,
            "links": {"type": "object", "additionalProperties": {"type": "string"}},
        },
        "required": ["data", "links"],
        "additionalProperties": False,
    }
    return {
        "description": "A page; with `include=metadata` in an envelope.",
        "headers": {
            "total-count": {
                "description": "number of rows on all pages",
                "schema": {"type": "integer"},
            },
            "Link": {
                "description": "paths of the first, previous, next and last page",
                "schema": {"type": "string"},
            },
        },
        **_json({"anyOf": [schema, envelope]}),
    }


def _refusals(path: str, found: Endpoint, schemas: dict[Any, Any]) -> dict[str, Any]:
    return {
        str(status): {"description": _REFUSALS[status], **_json(schemas[model])}
        for status, model in sorted(found.refusals(path).items())
    }


def _description(text: str, found: Endpoint) -> str:
    parts = [text] if text else []
    parts.append(f"For: {', '.join(found.callers) or 'everybody'}.")
    if found.permission is not None:
        parts.append(f"Permission: {found.permission}.")
    return "\n\n".join(parts)


def _json(schema: Any) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": schema}}}


def _query(model: type[BaseModel]) -> list[dict[str, Any]]:
    properties = model.model_json_schema(ref_template=_REFERENCE)["properties"]
    return [
        {"name": name, "in": "query", "required": False, "schema": schema}
        for name, schema in properties.items()
    ]
