"""What a node has told of itself, in a form that node and server can compare."""

import hashlib
import json
from collections.abc import Iterable


def digest_settings(config: Iterable[tuple[str, str]], ip: str | None) -> str:
    """Return a hash of what a node tells of itself.

    Parameters
    ----------
    config
        Keys and values, in any order.
    ip
        Its address in the VPN.
    """
    text = json.dumps([sorted(config), ip])
    return hashlib.sha256(text.encode()).hexdigest()
