"""What the server tells a node: that something happened to a result.

A message is a doorbell. It carries numbers, never an input and never a secret, and losing or
doubling one does no harm, because the node asks the server before it acts.
"""

import re
from dataclasses import asdict, dataclass, field
from typing import Any, TypeGuard

from vantage6.common.errors import Invalid

#: Version of the format. A node drops what it does not know and learns of it when it reconciles.
VERSION = 1
#: Longest body that is worth reading, in bytes of JSON. Ours are a tenth of that.
MAX_BYTES = 1024
#: An id of a request that is harmless in a log and a header.
REQUEST_ID = re.compile(r"[\w.-]{1,64}", re.ASCII)
#: Largest number that both SQLite and PostgreSQL hand out as an identifier.
MAX_ID = 2**63 - 1


@dataclass(frozen=True, slots=True)
class ResultReady:
    """A result waits to be claimed."""

    result_id: int
    task_id: int
    #: The request that caused it, for the logs.
    request_id: str | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class ResultKilled:
    """A result was killed."""

    result_id: int
    task_id: int
    request_id: str | None = field(default=None, compare=False)


Message = ResultReady | ResultKilled

_KINDS: dict[str, type[Message]] = {"result_ready": ResultReady, "result_killed": ResultKilled}
_NAMES = {kind: name for name, kind in _KINDS.items()}


class DecodeError(Invalid):
    """Not a message of this system."""

    code = "undecodable"


def encode(message: Message) -> dict[str, Any]:
    """Return the body of a message, ready to be written as JSON.

    Raises
    ------
    DecodeError
        If no node could read it.
    """
    facts = {name: value for name, value in asdict(message).items() if value is not None}
    body = {"v": VERSION, "kind": _NAMES[type(message)], **facts}
    decode(body)
    return body


def decode(body: object) -> Message:
    """Return the message in a body that came out of a queue.

    Fields that this version does not know are ignored, so that later versions may add some.

    Raises
    ------
    DecodeError
        If the body is anything but a message of this version; nothing else is raised.
    """
    if not isinstance(body, dict):
        raise DecodeError(f"A message is an object, not {type(body).__name__}.")
    if not _is_integer(body.get("v")) or body["v"] != VERSION:
        raise DecodeError("The message has another version.")
    name = body.get("kind")
    kind = _KINDS.get(name) if isinstance(name, str) else None
    if kind is None:
        raise DecodeError("The message has an unknown kind.")
    return kind(
        result_id=_identifier(body, "result_id"),
        task_id=_identifier(body, "task_id"),
        request_id=_request(body.get("request_id")),
    )


def _identifier(body: dict[Any, Any], name: str) -> int:
    value = body.get(name)
    if not _is_integer(value) or not 0 < value <= MAX_ID:
        raise DecodeError(f"The message has no valid {name}.")
    return value


def _request(value: object) -> str | None:
    """Return the id of a request, or None: a message with a wrong one is not dropped."""
    return value if isinstance(value, str) and REQUEST_ID.fullmatch(value) else None


def _is_integer(value: object) -> TypeGuard[int]:
    # In Python, and only there, `true` is a number.
    return isinstance(value, int) and not isinstance(value, bool)
