"""``help()`` is the documentation: it says what each parameter of each method is."""

import inspect
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from vantage6.client import AlgorithmClient, ClientBase, ContainerClient, UserClient

_SECTION = re.compile(r"^(\w[\w ]+)\n-+$", re.MULTILINE)


def _documented(docstring: str) -> list[str]:
    """Return the names in the sections about parameters."""
    titles = list(_SECTION.finditer(docstring))
    ends = [*(title.start() for title in titles[1:]), len(docstring)]
    return [
        name.strip(" *")
        for title, end in zip(titles, ends, strict=False)
        if title[1] in ("Parameters", "Other Parameters")
        for line in docstring[title.end() : end].splitlines()
        if re.match(r"[*\w]", line)
        for name in line.partition(":")[0].split(",")
    ]


def _methods(owner: type, name: str) -> Iterator[tuple[str, Callable[..., Any], str]]:
    """Yield the public methods of a class and its groups, with their parameters to document."""
    if "." not in name:  # the client makes its groups itself
        made = owner.__init__  # type: ignore[misc]
        yield f"{name}()", made, inspect.getdoc(owner) or ""
    for key in dir(owner):
        member = getattr(owner, key)
        if key.startswith("_") or isinstance(member, property):
            continue
        if inspect.isclass(member):
            if key != "SubClient":
                yield from _methods(member, f"{name}.{key}")
        else:
            yield f"{name}.{key}", member, inspect.getdoc(member) or ""


METHODS = [
    pytest.param(method, docstring, id=name)
    for owner in (UserClient, ClientBase, AlgorithmClient, ContainerClient)
    for name, method, docstring in _methods(owner, owner.__name__)
]


@pytest.mark.parametrize(("method", "docstring"), METHODS)
def test_every_parameter_is_documented(method: Callable[..., Any], docstring: str) -> None:
    assert len(docstring.partition("\n")[0].split()) > 1
    parameters = [name for name in inspect.signature(method).parameters if name != "self"]
    # Similar ones stand together, whatever their order.
    assert sorted(_documented(docstring)) == sorted(parameters)


def test_all_groups_are_looked_at() -> None:
    names = {str(one.id) for one in METHODS}
    assert len(names) > 100
    assert {"UserClient.Task.create", "UserClient.Util.set_my_password"} < names


def test_names_are_found_in_all_sections_about_parameters() -> None:
    docstring = """Do it.

Parameters
----------
a, b
    Two.
*c
    More.

Returns
-------
int
    One.

Other Parameters
----------------
d
    Four."""
    assert _documented(docstring) == ["a", "b", "c", "d"]
    assert _documented("Do it.") == []
