"""A call of the published client, and what 3.11 answers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from tests.peer.expect import difference
from tests.peer.published import PublishedClient, Raised


@dataclass(frozen=True)
class Call:
    """One row of a table.

    Attributes
    ----------
    who
        The user who calls.
    method
        Dotted name of the method.
    arguments
        By name.
    expected
        What it returns; see `expect`.
    status
        With which the server refuses it; the client then returns the reply.
    raises
        Name of the exception that the client raises.
    """

    who: str
    method: str
    arguments: Mapping[str, Any]
    expected: Any = None
    status: int | None = None
    raises: str | None = None

    def __str__(self) -> str:
        arguments = ", ".join(f"{name}={value!r}" for name, value in self.arguments.items())
        return f"{self.who}: {self.method}({arguments})"

    def check(self, client: PublishedClient) -> None:
        """Make the call, and fail unless it comes out as expected."""
        if self.raises:
            with pytest.raises(Raised) as raised:
                client.call(self.method, **self.arguments)
            assert raised.value.kind == self.raises
        else:
            expected = {"msg": str} if self.status else self.expected
            returned(client, self.method, expected, **self.arguments)
        if self.status:
            assert client.exchanged[-1][2] == self.status, client.exchanged


def returned(client: PublishedClient, method: str, expected: Any, /, **arguments: Any) -> Any:
    """Fail unless a call returns what is expected; return it."""
    found = client.call(method, **arguments)
    differs = difference(found, expected)
    assert not differs, differs
    return found


def refused(client: PublishedClient, status: int, method: str, /, **arguments: Any) -> None:
    """Fail unless the server refuses a call with this status."""
    Call("", method, arguments, status=status).check(client)
