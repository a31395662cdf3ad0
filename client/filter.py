"""Keywords that every reading method understands, to keep only a part of the reply or get all."""

import functools
import inspect
import logging
from collections.abc import Callable, Iterable
from typing import Any

from vantage6.client.session import Document

log = logging.getLogger("vantage6.client")

Method = Callable[..., Any]

_ONE: dict[str, Any] = {"field": str | None, "fields": Iterable[str] | None}
_MANY: dict[str, Any] = {
    **_ONE,
    "filter_": tuple[str, Any] | None,
    "filters": Iterable[tuple[str, Any]] | None,
    "all_pages": bool,
}

#: What `help` shows below the documentation of each method.
_ABOUT_ONE = """

Other Parameters
----------------
field, fields
    Key, or list of keys, that are kept; the others are left out.
"""
_ABOUT_MANY = (
    _ABOUT_ONE.replace("are kept;", "are kept of each item;")
    + """filter_, filters
    Pair of key and value, or list of such pairs, that an item must have to be kept.
all_pages
    Get page after page instead of one, and return all items as a bare list.

Notes
-----
With any of these keywords the bare list is returned. Filters look at the page that was asked for;
add ``all_pages=True`` to find what is on the others.
"""
)

#: Number of items that are got at once for all pages.
_PER_PAGE = 100


def post_filtering(iterable: bool = True) -> Callable[[Method], Method]:
    """Give a method the keywords ``field`` and ``fields``, to keep only these keys.

    Parameters
    ----------
    iterable
        The method returns a list, or an envelope around one: add ``filter_``, a pair of key and
        value, and ``filters``, a list of such pairs, to keep only the items that have them all;
        and ``all_pages``, to get more than the page. A filtered envelope becomes a plain list.
    """
    keywords, about = (_MANY, _ABOUT_MANY) if iterable else (_ONE, _ABOUT_ONE)

    def decorate(method: Method) -> Method:
        @functools.wraps(method)
        def filtered(*args: Any, **kwargs: Any) -> Any:
            asked = {name: kwargs.pop(name, None) for name in keywords}
            reply = (_all_pages if asked.get("all_pages") else _call)(method, args, kwargs)
            if not any(asked.values()) or _is_refusal(reply):
                return reply
            keys = [asked["field"]] if asked["field"] else list(asked["fields"] or ())
            if not iterable:
                _warn_of_unknown([reply], keys)
                return _reduce(reply, keys)
            _warn_of_unknown(_items(reply), keys)
            pairs = [asked["filter_"]] if asked["filter_"] else asked["filters"] or []
            return [
                _reduce(item, keys)
                for item in _items(reply)
                if all(item[key] == value for key, value in pairs)
            ]

        filtered.__signature__ = _with_keywords(method, keywords)  # type: ignore[attr-defined]
        filtered.__doc__ = inspect.cleandoc(method.__doc__ or "") + about
        return filtered

    return decorate


def _call(method: Method, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return method(*args, **kwargs)


def _all_pages(method: Method, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Return the items of all pages, or the refusal of one."""
    asked = inspect.signature(method).bind(*args, **kwargs)
    asked.arguments.setdefault("per_page", _PER_PAGE)
    asked.arguments |= {"page": 1, "include_metadata": True}
    # What is created meanwhile moves an item to the next page, where it comes a second time.
    found: dict[Any, Document] = {}
    while True:
        reply = method(*asked.args, **asked.kwargs)
        if _is_refusal(reply):
            return reply
        items = _items(reply)
        found |= {item["id"]: item for item in items}
        # A bare list is everything; and a page without items is the last, whatever the links say.
        if reply is items or not items or "next" not in reply["links"]:
            return list(found.values())
        asked.arguments["page"] += 1


def _items(reply: Any) -> list[Document]:
    """Return the items in an envelope or a bare list."""
    items: list[Document] = reply["data"] if isinstance(reply, dict) and "data" in reply else reply
    return items


def _is_refusal(reply: Any) -> bool:
    return isinstance(reply, dict) and "msg" in reply and "data" not in reply


def _warn_of_unknown(items: Iterable[Any], keys: Iterable[str] | None) -> None:
    """Say which keys are in none of the items, as a misspelt one is."""
    there = {name: None for item in items if isinstance(item, dict) for name in item}
    if there and (unknown := [key for key in keys or () if key not in there]):
        log.warning("No item has %s. There are: %s.", ", ".join(unknown), ", ".join(there))


def _reduce(item: Document, keys: Iterable[str] | None) -> Document:
    return {key: item[key] for key in keys if key in item} if keys else item


def _with_keywords(method: Method, keywords: dict[str, Any]) -> inspect.Signature:
    signature = inspect.signature(method)
    added = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=False if annotation is bool else None,
            annotation=annotation,
        )
        for name, annotation in keywords.items()
    ]
    return signature.replace(parameters=[*signature.parameters.values(), *added])
