"""The input of a new task is held against the function cards of its image."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from functools import lru_cache

from vantage6.common import cards
from vantage6.common.encoding import base64s_to_bytes
from vantage6.common.encryption import is_sealed
from vantage6.common.errors import Invalid, NotFound
from vantage6.models.store import shelf

#: Code of the refusal of an image that must not be used any more.
RETIRED = "card_retired"

#: Longer inputs are checked by the nodes only. So are further inputs of a task, and the rest after
#: so many steps: less than half a second of work.
_MOST_CHARACTERS = 2**18
_MOST_INPUTS = 20
_MOST_STEPS = 100_000
#: The first characters of an input in JSON as it travels: the beginning of ``json.`` in base64.
_JSON = "anNvbi"


def check(
    image: str,
    collaboration_id: int,
    inputs: Iterable[tuple[int, str | None]],
    *,
    is_sub_task: bool,
) -> None:
    """Refuse a task that the image could not compute, or must not compute any more.

    An input that the server cannot read is not checked here: an encrypted one, and a pickle. One
    query where the image has no card.

    Parameters
    ----------
    image
        As the task names it.
    collaboration_id
        Where the task runs.
    inputs
        Organization and input, for each target.
    is_sub_task
        An algorithm asks. Its task goes on although the image was retired meanwhile.

    Raises
    ------
    Invalid
        With code ``bad_arguments`` if an input fits no reviewed card of the image, with
        ``card_retired`` if all of them are retired.
    """
    found = shelf.match(image, collaboration_id)
    if found.refusal and not is_sub_task:
        raise Invalid(found.refusal, code=RETIRED)
    if not found.reviewed:
        return
    payloads = list(_readable(text for _, text in inputs))
    if not payloads:
        return
    known = _read(found.reviewed)
    # SECURITY: the sender of a task and the author of a card decide how long a check takes, so
    # all inputs and all cards of a task share these.
    steps = cards.Steps(_MOST_STEPS)
    for payload in payloads:
        try:
            faults = cards.find_faults_of_each(known, payload, steps=steps)
        except cards.TooMuch:
            return  # left to the nodes
        if faults:
            raise Invalid(" ".join(faults), code=cards.BAD_ARGUMENTS)


def _readable(texts: Iterable[str | None]) -> Iterator[bytes]:
    """Yield the inputs that are JSON for everybody to read, each once."""
    # PERF: most tasks send all organizations the same.
    for text in list(dict.fromkeys(texts))[:_MOST_INPUTS]:
        # SECURITY: no pickle, and nothing long.
        if not text or not text.startswith(_JSON) or len(text) > _MOST_CHARACTERS:
            continue
        if is_sealed(text):
            continue
        try:
            payload = base64s_to_bytes(text)
        except ValueError:
            continue
        if payload.startswith(b"json."):
            yield payload


def _read(reviewed: Sequence[tuple[int, str]]) -> list[cards.Card]:
    """Return cards, as far as they are still there."""
    found = []
    for id_, sha256 in reviewed:
        # A card that was valid for an older server is left to the nodes.
        with suppress(NotFound, cards.CardError):
            found.append(_card(id_, sha256))
    return found


# PERF: a card is read and checked once, and not for each task.
@lru_cache(maxsize=32)
def _card(algorithm_id: int, sha256: str) -> cards.Card:
    """Return a card that is on the shelf, as long as its document is the one that is meant."""
    return cards.read(shelf.document(algorithm_id, sha256))
