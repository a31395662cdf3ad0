"""The functions of the statistics as stations of a sandbox run them without a container engine."""

import sys
from importlib.util import find_spec

#: The image with all functions.
IMAGE = "vantage6/statistics"
#: What that image starts.
PROCESSES = {IMAGE: [sys.executable, "-m", "vantage6.algorithms.statistics"]}
#: What to do about a library that is missing.
#: SECURITY: not by a name alone, which an index may give to somebody else's package.
INSTALL = "call `pip install '.[all,statistics]'` in the folder of the sources"
#: What only they need.
_LIBRARIES = ("scipy", "formulaic")


def missing_library() -> str | None:
    """Return a library that they need and that is not installed."""
    return next((name for name in _LIBRARIES if find_spec(name) is None), None)
