"""What a JSON web token says of its holder."""

import base64
import json
from typing import Any

from vantage6.common.errors import Invalid


def claims(token: str) -> dict[str, Any]:
    """Return what a token says, unverified: only the server can tell whether it is true.

    Raises
    ------
    Invalid
        If the text is not a JSON web token.
    """
    try:
        payload = token.split(".")[1]
        said = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except (IndexError, ValueError, RecursionError) as error:
        raise Invalid("This is not a JSON web token.") from error
    if not isinstance(said, dict):
        raise Invalid("This is not a JSON web token.")
    return said
