"""The cards of the algorithms that come with a server."""

import json
from collections.abc import Iterator
from importlib.resources import files

from vantage6.common import __version__
from vantage6.common.enums import CardState
from vantage6.models.store import algorithms

#: The migration that makes the shelf.
SHELF = "0009_function_cards"


def put_on_shelf(*, is_new: bool) -> list[str]:
    """Put the cards of our own algorithms on the shelf, for all collaborations, as reviewed.

    A version that is there already stays as it is. The operator decides: a later version is added
    only beside a reviewed one, so not where all of an algorithm was retired or removed.

    Parameters
    ----------
    is_new
        Whether the shelf is new, so that each card is put there.

    Returns
    -------
    list
        Name and version of each card that was put there.
    """
    added = []
    for text in _texts():
        card = json.loads(text)
        versions = algorithms.versions_for_all(card["name"])
        if card["version"] in versions:
            continue
        if not is_new and CardState.REVIEWED not in versions.values():
            continue
        document = algorithms.read_text(text)
        note = f"Comes with version {__version__} of the server."
        algorithms.create_reviewed(document, note)
        added.append(f"{document.name} {document.version}")
    return added


def _texts() -> Iterator[bytes]:
    """Yield the documents in the packages of the algorithms, by name."""
    for folder in sorted(files("vantage6.algorithms").iterdir(), key=lambda each: each.name):
        file = folder / "card.json"
        if file.is_file():
            yield file.read_bytes()
