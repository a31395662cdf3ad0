"""The organizations that are asked together, as the node tells them to an algorithm.

They come from the server and never from the input, so that no researcher can name more.
"""

import json
from collections.abc import Iterable
from typing import Any

#: More than any collaboration has.
MOST = 100_000


def parties_to_bytes(organization_ids: Iterable[int] | None) -> bytes:
    """Return the content of the file that an algorithm reads."""
    ids = None if organization_ids is None else sorted(set(organization_ids))
    return json.dumps({"organizations": ids}).encode("ascii")


def parties_from_json(document: Any) -> tuple[int, ...]:
    """Return the ids of the organizations, sorted; none where they are not known.

    Raises
    ------
    ValueError
        If the document is not what a node writes.
    """
    if not isinstance(document, dict) or "organizations" not in document:
        raise ValueError("There is no list of organizations.")
    ids = document["organizations"]
    if ids is None:
        return ()
    if not isinstance(ids, list) or len(ids) > MOST:
        raise ValueError("The organizations are no list.")
    if not all(isinstance(id_, int) and not isinstance(id_, bool) for id_ in ids):
        raise ValueError("The organizations are no ids.")
    return tuple(sorted(set(ids)))
