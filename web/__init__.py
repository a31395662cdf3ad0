"""The web pages of a server; ``make web`` builds them from the TypeScript beside this file."""

from importlib import resources
from importlib.resources.abc import Traversable

#: Where the built pages lie.
BUILT = resources.files(__name__).joinpath("built")


def built() -> Traversable | None:
    """Return the folder of the built pages, or None where ``make web`` has not run."""
    return BUILT if BUILT.joinpath("index.html").is_file() else None
