"""A responder gets what it names: the request and the response only where it needs them."""

from collections.abc import Callable
from typing import Any

import pytest

from vantage6.api.endpoint import USER, endpoint
from vantage6.api.schemas.base import Message, PageQuery


def unused(self: Any, _: Any, __: Any) -> None: ...
def no_caller(self: Any, id_: int) -> None: ...
def misspelt(self: Any, caller: Any, request: Any) -> None: ...
def undeclared(self: Any, caller: Any, query: Any) -> None: ...


@pytest.mark.parametrize("function", [unused, no_caller, misspelt, undeclared])
def test_a_responder_that_names_what_nobody_gives_is_refused(function: Callable[..., None]):
    with pytest.raises(TypeError, match=f"{function.__name__} takes .*It has to take caller and"):
        endpoint(USER, reply=Message)(function)


def test_a_responder_that_leaves_out_what_it_declares_is_refused():
    with pytest.raises(TypeError, match="has to take caller, query and"):
        endpoint(USER, query=PageQuery, reply=Message)(misspelt)
