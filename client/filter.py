"""Keywords that every reading method understands, to keep only a part of the reply."""

import functools
import inspect
from collections.abc import Callable, Iterable
from typing import Any

from vantage6.client.session import Document

Method = Callable[..., Any]
_KEYWORDS: dict[str, Any] = {
    "field": str | None,
    "fields": Iterable[str] | None,
    "filter_": tuple[str, Any] | None,
    "filters": Iterable[tuple[str, Any]] | None,
}


def post_filtering(iterable: bool = True) -> Callable[[Method], Method]:
    """Give a method the keywords ``field`` and ``fields``, to keep only these keys.

    Parameters
    ----------
    iterable
        The method returns a list, or an envelope around one: add ``filter_``, a pair of key and
        value, and ``filters``, a list of such pairs, to keep only the items that have them all.
        A filtered envelope becomes a plain list.
    """
    names = list(_KEYWORDS)[: None if iterable else 2]

    def decorate(method: Method) -> Method:
        @functools.wraps(method)
        def filtered(*args: Any, **kwargs: Any) -> Any:
            asked = {name: kwargs.pop(name, None) for name in names}
            reply = method(*args, **kwargs)
            if not any(asked.values()) or _is_refusal(reply):
                return reply
            keys = [asked["field"]] if asked["field"] else asked["fields"]
            if not iterable:
                return _reduced(reply, keys)
            pairs = [asked["filter_"]] if asked["filter_"] else asked["filters"] or []
            items = reply["data"] if isinstance(reply, dict) and "data" in reply else reply
            return [
                _reduced(item, keys)
                for item in items
                if all(item[key] == value for key, value in pairs)
            ]

        filtered.__signature__ = _with_keywords(method, names)  # type: ignore[attr-defined]
        return filtered

    return decorate


def _is_refusal(reply: Any) -> bool:
    return isinstance(reply, dict) and "msg" in reply and "data" not in reply


def _reduced(item: Document, keys: Iterable[str] | None) -> Document:
    return {key: item[key] for key in keys if key in item} if keys else item


def _with_keywords(method: Method, names: Iterable[str]) -> inspect.Signature:
    signature = inspect.signature(method)
    keywords = [
        inspect.Parameter(
            name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=_KEYWORDS[name]
        )
        for name in names
    ]
    return signature.replace(parameters=[*signature.parameters.values(), *keywords])
