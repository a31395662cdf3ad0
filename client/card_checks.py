"""The input of a task is held against the function cards of its image, before it is encrypted."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from vantage6.client.preflight import CannotCompute
from vantage6.client.protocols import Requests
from vantage6.client.session import NotTheServer
from vantage6.common.errors import Forbidden, NotFound, SerializationError, V6Error
from vantage6.common.serialization import deserialize, serialize
from vantage6.common.terminal_text import one_line

if TYPE_CHECKING:
    from vantage6.common.cards import Card

_MOST_IMAGES = 256
#: A server says no more cards of an image.
_MOST_CARDS = 5


class CardChecks:
    """Knows the cards of the images that a client has used.

    Parameters
    ----------
    client
        Which asks the server.
    """

    def __init__(self, client: Requests) -> None:
        self._client = client
        self._known: dict[tuple[int, str], Sequence[Card]] = {}

    def check(self, image: str, collaboration_id: int, payload: bytes) -> None:
        """Refuse an input that fits none of the reviewed cards of an image.

        One request for each image and collaboration. An image that the shelf does not know is not
        checked, and neither is one at a server without a shelf. Whether a station takes a pickle is
        for the station to say: scripts of 3.11 send nothing else.

        Parameters
        ----------
        image
            As the task names it.
        collaboration_id
            Where the task runs.
        payload
            The input as bytes, before it is encrypted.

        Raises
        ------
        CannotCompute
            If it fits none, or the image must not be used any more.
        """
        known = self.cards(image, collaboration_id)
        if not known:
            return
        # PERF: loaded only where there is a card; it takes as long as the rest of the client.
        from vantage6.common import cards

        if not payload.startswith(b"json."):
            try:
                payload = serialize(deserialize(payload, allow_plain_pickle=True), "json")
            except SerializationError:
                return  # left to the node
        faults = cards.find_faults_of_each(known, payload)
        if not faults:
            return
        # A card that is wrong may be another one by the next time.
        self._known.pop((collaboration_id, image), None)
        raise CannotCompute(" ".join(faults), code=cards.BAD_ARGUMENTS)

    def cards(self, image: str, collaboration_id: int) -> "Sequence[Card]":
        """Return the reviewed cards of an image, newest first; none where none can be seen.

        Parameters
        ----------
        image
            As a task names it.
        collaboration_id
            Where the task runs.

        Raises
        ------
        CannotCompute
            If the image must not be used any more.
        """
        key = collaboration_id, image
        if key not in self._known:
            if len(self._known) >= _MOST_IMAGES:
                self._known.pop(next(iter(self._known)))
            self._known[key] = self._ask(image, collaboration_id)
        return self._known[key]

    def _ask(self, image: str, collaboration_id: int) -> "Sequence[Card]":
        query = {"image": image, "collaboration_id": collaboration_id}
        try:
            found = self._client.call("get", "algorithm/match", params=query)
        except (Forbidden, NotFound, NotTheServer):
            return ()  # not for this user, or a server without a shelf
        if refusal := found.get("refusal"):
            # SECURITY: a reviewer wrote the reason in it, and it is mostly shown at a terminal.
            raise CannotCompute(one_line(str(refusal)), code="card_retired")
        return [
            card
            for each in found["cards"][:_MOST_CARDS]
            for card in self._read(image, each["card"])
        ]

    def _read(self, image: str, document: Any) -> "Sequence[Card]":
        from vantage6.common import cards

        try:
            return [cards.parse(document)]
        except V6Error as error:
            self._client.log.warning(
                "The server has a function card of %s that this client cannot read, so the input "
                "is not checked here: %s",
                image,
                error.message,
            )
            return []
