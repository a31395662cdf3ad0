"""The web pages of a server; ``make web`` builds them from the TypeScript beside this file."""

from pathlib import Path

#: Where the built pages lie.
BUILT = Path(__file__).with_name("built")


def built() -> Path | None:
    """Return the folder of the built pages, or None where ``make web`` has not run."""
    return BUILT if (BUILT / "index.html").is_file() else None
