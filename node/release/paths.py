"""Places in an output, as far as they may be named outside the station."""

from typing import Any

from vantage6.common.disclosure.outputs import LONGEST_TEXT

_ANY = "*"


def public_path(path: str, card: dict[str, Any] | None) -> str:
    """Return a place in an output for the researcher.

    SECURITY: a key of an output can be a value of the data, and the place in a list can say one. So
    only words that the card of the image uses in its own paths are told.

    Parameters
    ----------
    path
        JSON pointer.
    card
        The card of the image, if it has one.
    """
    functions = card.get("functions", ()) if card else ()
    known = {
        word
        for function in functions
        for share in function.get("shares", ())
        for word in share["path"].split("/")
    }
    words = path.split("/")[1:]
    return "".join(f"/{word if word in known else _ANY}" for word in words)


def write_step(label: str | int) -> str:
    """Return one step of a path. SECURITY: a key has any length, and is in many paths."""
    return "/" + str(label)[:LONGEST_TEXT].replace("~", "~0").replace("/", "~1")
