"""JSON from outside, looked at before it is parsed: small as text, it can be huge as objects."""

from typing import Any, Protocol

from vantage6.client.body import parse
from vantage6.common.json_values import has_more_values

#: Texts, objects, lists and their items in a request: more than 10,000 receivers need.
REQUEST_VALUES = 100_000
#: The same of a reply: 10,000 results, or a page of 1,000 organizations, have less.
REPLY_VALUES = 2_000_000


class Readable(Protocol):
    """What a body is read from."""

    def read(self, size: int, /) -> bytes:
        """Return at most so many bytes, and none at the end."""


class TooComplex(ValueError):
    """The text has more objects and items than anything that makes sense."""


def read(stream: Readable, length: int) -> bytearray:
    """Return the bytes of a body; fewer if it ends before."""
    content = bytearray(length)
    count = 0
    with memoryview(content) as view:
        while count < length and (more := stream.read(min(length - count, 2**18))):
            view[count : count + len(more)] = more
            count += len(more)
    del content[count:]
    return content


def value_of(content: bytearray, most: int) -> Any:
    """Return the value behind JSON.

    SECURITY: an empty list takes two bytes as text, and sixty as an object. So what could become
    an object is counted first, which takes milliseconds.

    Raises
    ------
    TooComplex
        If there are too many objects and items.
    ValueError
        If it is no JSON, or nested too deeply.
    """
    if has_more_values(content, most):
        raise TooComplex("It has too many objects.")
    return parse(content)
