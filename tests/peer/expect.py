"""What a reply is expected to look like, said by an example of it.

A dictionary names the keys that matter, a set names all keys, a list has an expectation for each
item, a type stands for any value of it, a function says itself whether it is content, and
everything else is equal, type included.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any


class AllOf:
    """Several expectations of one value."""

    def __init__(self, *expectations: Any) -> None:
        self.expectations = expectations


class Each:
    """A list that is not empty, with the same expectation of each item."""

    def __init__(self, item: Any) -> None:
        self.item = item


def difference(found: Any, expected: Any, where: str = "it") -> str | None:
    """Return how a value differs from what is expected, and None if it does not."""
    match expected:
        case AllOf():
            return _first(difference(found, one, where) for one in expected.expectations)
        case Each():
            if not isinstance(found, list) or not found:
                return f"{where} is {_shown(found)}, not a list of something"
            return _of_items(found, [expected.item] * len(found), where)
        case list():
            if not isinstance(found, list) or len(found) != len(expected):
                return f"{where} is {_shown(found)}, not a list of {len(expected)}"
            return _of_items(found, expected, where)
        case dict():
            return _of_keys(found, expected, where)
        case set():
            matches = isinstance(found, dict) and set(found) == expected
            return (
                None if matches else f"{where} is {_shown(found)}, not with keys {sorted(expected)}"
            )
        case type():
            matches = type(found) is expected
            return (
                None if matches else f"{where} is {_shown(found)}, not of type {expected.__name__}"
            )
    if callable(expected):
        return None if expected(found) else f"{where} is {_shown(found)}"
    same = found == expected and type(found) is type(expected)
    return None if same else f"{where} is {_shown(found)}, not {expected!r}"


def one_of(*values: Any) -> Callable[[Any], bool]:
    """Expect one of some values or types."""
    return lambda found: any(difference(found, value) is None for value in values)


def ids(*expected: int) -> Callable[[Any], bool]:
    """Expect a list of things with these ids, in this order."""
    return lambda found: [item["id"] for item in found] == list(expected)


def link(kind: str, id_: int | type[int] = int) -> AllOf:
    """Expect the short form of something that is elsewhere."""
    return AllOf(
        {"id", "link", "methods"},
        {
            "id": id_,
            "link": str if isinstance(id_, type) else f"/api/{kind}/{id_}",
            "methods": Each(str),
        },
    )


def page(data: Any, *others: str) -> AllOf:
    """Expect an envelope, with links to the first page, to itself, and to `others`."""
    names = {"first", "self", *others}
    return AllOf(
        {"data", "links"}, {"data": data, "links": AllOf(names, dict.fromkeys(names, str))}
    )


def _shown(found: Any) -> str:
    text = repr(found)
    return text if len(text) < 400 else f"{text[:400]} …"


def _first(differences: Iterable[str | None]) -> str | None:
    return next((one for one in differences if one), None)


def _of_items(found: list[Any], expected: list[Any], where: str) -> str | None:
    pairs = enumerate(zip(found, expected, strict=True))
    return _first(difference(a, b, f"{where}[{number}]") for number, (a, b) in pairs)


def _of_keys(found: Any, expected: Mapping[str, Any], where: str) -> str | None:
    if not isinstance(found, dict):
        return f"{where} is {_shown(found)}, not an object"
    for key, value in expected.items():
        if key not in found:
            return f"{where} is {_shown(found)}, without {key!r}"
        if differs := difference(found[key], value, f"{where}[{key!r}]"):
            return differs
    return None
