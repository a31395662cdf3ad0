"""In which format inputs and results are, as far as the node looks at them: their first bytes.

What begins with exactly ``json.`` cannot run code by being read: wrappers read it as JSON, and a
reader of pickles stops at its first byte, which asks for an object that is not there. Of everything
else the node cannot say so. ``JSON.`` and ``Json.`` are beginnings of pickles that run: `J` is
followed by four bytes of a number.
"""

import re

from vantage6.common.serialization import LEGACY, format_of

#: What is no such word is no name: it comes from outside and gets into sentences.
_WORD = re.compile("[a-z0-9_-]+")

EMPTY = "empty"
JSON = "json"


def name_of(payload: bytes) -> str:
    """Return the name of a format, ``legacy`` where the payload has none, or ``empty``."""
    if not payload:
        return EMPTY
    # SECURITY: in small letters only, see above; another spelling is no name.
    name = format_of(payload)
    return name if _WORD.fullmatch(name) else LEGACY


def is_json(payload: bytes) -> bool:
    """Tell whether a payload is read as JSON, or is none at all.

    SECURITY: a payload of 100 MiB is not parsed here: its name decides how it is read.
    """
    return name_of(payload) in (JSON, EMPTY)
