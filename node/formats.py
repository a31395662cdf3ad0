"""In which format inputs and results are, as far as the node looks at them: their first bytes.

The wrappers inside images read what is named ``json.`` as JSON, by the very same rule, and take
everything else for a pickle, or for a format of their own. So what is named JSON cannot run code
by being read, whether it turns out to be JSON or not; of everything else the node cannot say so.
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
    name = format_of(payload)
    return name if _WORD.fullmatch(name) else LEGACY


def is_json(payload: bytes) -> bool:
    """Tell whether a payload is read as JSON, or is none at all.

    SECURITY: a payload of 100 MiB is not parsed here: its name decides how it is read.
    """
    return name_of(payload) in (JSON, EMPTY)
