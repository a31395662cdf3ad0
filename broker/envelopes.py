"""An entry of a queue: kombu's envelope around the body of a message."""

import json
from typing import Any, cast
from uuid import UUID

from vantage6.common import logs

log = logs.get(__name__)

#: How much of a foreign entry is worth a line in the log.
LOGGED_CHARACTERS = 200


def parse(entry: bytes | str) -> dict[str, Any]:
    """Return the envelope in an entry, checked for what kombu takes for granted.

    Raises
    ------
    Exception
        Of many kinds, if it is anything else; the reader drops such an entry.
    """
    envelope = json.loads(entry)
    properties = envelope["properties"]
    # A tag may become part of an address: so it must be what kombu makes, letter by letter.
    if properties["delivery_tag"] != str(UUID(properties["delivery_tag"])):
        raise ValueError("the delivery tag is no UUID")
    if not isinstance(properties["delivery_info"], dict):
        raise TypeError("the delivery information is not an object")
    return cast("dict[str, Any]", envelope)


def tag(envelope: dict[str, Any]) -> str:
    """Return the delivery tag of an envelope."""
    return cast("str", envelope["properties"]["delivery_tag"])


def report_foreign(queue: str, entry: bytes | str, error: Exception) -> None:
    """Write a line on what was in a queue and is no envelope."""
    log.error(
        "foreign entry dropped",
        queue=queue,
        reason=repr(error)[:LOGGED_CHARACTERS],
        entry=repr(entry[:LOGGED_CHARACTERS])[:LOGGED_CHARACTERS],
        size_bytes=len(entry),
    )
