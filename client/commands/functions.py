"""Functions of images, as the cards on the shelf of a server describe them."""

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from vantage6.client.session import NotTheServer
from vantage6.common.addresses import without_tag
from vantage6.common.errors import Forbidden, Invalid, NotFound, V6Error
from vantage6.common.terminal_text import one_line

if TYPE_CHECKING:
    from vantage6.client.client import UserClient
    from vantage6.common.cards import Function

Document = dict[str, Any]

#: The name that a central function has in many images.
_CENTRAL = "master"
#: So many images, or cards, are named or shown.
_MOST_SHOWN = 10


def cards_with(client: "UserClient", name: str, collaboration_id: int | None = None) -> list[Any]:
    """Return the reviewed cards that have a function, newest first, without their documents.

    Parameters
    ----------
    client
        The client of the login.
    name
        Name of the function.
    collaboration_id
        Only cards for this collaboration, and those for all.

    Raises
    ------
    NotFound
        If there is none, or the server shows no cards.
    """
    try:
        found = client.algorithm.list(state="reviewed", all_pages=True)
    except (Forbidden, NotFound, NotTheServer) as error:
        raise NotFound(
            "The server shows no function cards to this login. Name the image with --image."
        ) from error
    chosen = [
        one
        for one in found
        if name in one["functions"]
        and one["images"]
        and _is_for(one["collaboration"], collaboration_id)
    ]
    if not chosen:
        raise NotFound(
            f"No reviewed card of the shelf has a function {name!r}. `vantage6 shelf list` shows "
            "the functions. For an image without a card, add --image."
        )
    return sorted(chosen, key=lambda one: int(one["id"]), reverse=True)


def find_image(client: "UserClient", name: str, collaboration_id: int) -> str:
    """Return the image of the reviewed cards that have a function.

    A card can name several: the first one counts, with its digest. Of several cards of an image
    the newest one counts.

    Raises
    ------
    NotFound
        If no card has the function.
    Invalid
        If the cards name different images.
    """
    # By name: of several versions of an image the newest one counts.
    known: dict[str, tuple[str, str]] = {}
    for one in cards_with(client, name, collaboration_id):
        image = one["images"][0]
        card = f"{one['name']} {one['version']}"
        known.setdefault(_name_of(image["reference"]), (_reference(image), card))
    if len(known) == 1:
        ((image, _),) = known.values()
        return image
    shown = ", ".join(f"{image} ({card})" for image, card in [*known.values()][:_MOST_SHOWN])
    more = len(known) - _MOST_SHOWN
    # SECURITY: the server, or an author, wrote the names, and they are shown at a terminal.
    shown = one_line(shown)
    raise Invalid(
        f"Several images have a function {name!r}: {shown}{f' and {more} more' if more > 0 else ''}"
        ". Name one with --image.",
        code="several_images",
    )


def find(
    known: Sequence[Any], name: str, *, central: bool | None
) -> tuple[bool, "Function | None"]:
    """Return whether a function is central, and what the newest card of its image says of it.

    Parameters
    ----------
    known
        The cards of the image.
    name
        Name of the function.
    central
        What the user says.

    Raises
    ------
    Invalid
        If the image has a central and a partial one, and the user does not say which.
    """
    kinds = {one.is_central for card in known for one in card.functions if one.name == name}
    if central is None and len(kinds) == 2:
        raise Invalid(
            f"The image has a central and a partial function {name!r}: add --central or --partial.",
            code="several_functions",
        )
    if central is None:
        central = kinds.pop() if kinds else name == _CENTRAL
    found = (card.find(name, is_central=central) for card in known)
    return central, next(filter(None, found), None)


def of_task(client: "UserClient", task: Document, results: Iterable[Document]) -> "Function | None":
    """Return the function that a task asked for; None where that, or its card, is not known.

    Parameters
    ----------
    client
        The client of the login.
    task
        The task.
    results
        Its results: the input is in them.
    """
    place = task["collaboration"]
    inputs = (one.get("input") for one in results)
    payload = next((one for one in inputs if isinstance(one, bytes)), b"").removeprefix(b"json.")
    try:
        input_ = json.loads(payload)
        name, is_central = str(input_["method"]), input_.get("master") is True
        known = client.card_checks.cards(task["image"], place["id"])
        return find(known, name, central=is_central)[1]
    except (V6Error, ValueError, RecursionError, TypeError, KeyError, AttributeError):
        # Another kind of input, or a card that was retired: then the results are shown as they are.
        return None


def short_name(image: str) -> str:
    """Return the last part of the name of an image, without tag and digest."""
    return _name_of(image).rpartition("/")[2] or "task"


def _name_of(image: str) -> str:
    """Return the name of an image without tag and digest."""
    return without_tag(image.partition("@")[0])


def _is_for(link: Document | None, collaboration_id: int | None) -> bool:
    return link is None or collaboration_id is None or link["id"] == collaboration_id


def _reference(image: Document) -> str:
    digest = image["digest"]
    return f"{image['reference']}@{digest}" if digest else str(image["reference"])
