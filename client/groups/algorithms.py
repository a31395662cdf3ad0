"""Commands about function cards: what the functions of an image take and share."""

import json
from pathlib import Path
from typing import Any

from vantage6.client.documents import read_document
from vantage6.client.filter import post_filtering
from vantage6.client.groups.group import Group, included
from vantage6.common.errors import Invalid

#: A longer file is no card, and no entry of a store.
_MOST_BYTES = 2**20


class Algorithm(Group):
    """Function cards on the shelf of the server.

    A card says what the functions of an image take and what they share. It is a draft until another
    user than its author has reviewed it. Inputs of tasks are checked against reviewed cards.
    """

    @post_filtering(iterable=False)
    def get(self, id_: int) -> Any:
        """Return one function card, with its document in ``card``.

        Parameters
        ----------
        id_
            Id of the function card.
        """
        return self._get(f"algorithm/{id_}")

    @post_filtering()
    def list(
        self,
        name: str | None = None,
        image: str | None = None,
        state: str | None = None,
        collaboration: int | None = None,
        user: int | None = None,
        page: int = 1,
        per_page: int = 20,
        include_metadata: bool = True,
    ) -> Any:
        """List the function cards that you may see, without their documents.

        Parameters
        ----------
        name, image
            Text to look for; ``%`` stands for anything.
        state
            ``draft``, ``reviewed`` or ``retired``.
        collaboration
            Id of a collaboration, for its own cards; those for all are left out.
        user
            Id of the author.
        page
            Page number.
        per_page
            Number of items on a page.
        include_metadata
            Return ``{"data": [...], "links": {...}}`` instead of the bare list.

        Returns
        -------
        dict or list
            The function cards.
        """
        return self._get(
            "algorithm",
            {
                "name": name,
                "image": image,
                "state": state,
                "collaboration_id": collaboration,
                "user_id": user,
                "page": page,
                "per_page": per_page,
                "include": included(include_metadata),
            },
        )

    @post_filtering(iterable=False)
    def create(self, card: dict[str, Any] | str | Path, collaboration: int | None = None) -> Any:
        """Put a function card on the shelf, as a draft.

        Parameters
        ----------
        card
            The card, or the path of a JSON file with it, such as ``card.json``.
        collaboration
            Id of the collaboration that it is for; without one it is for all, which takes the rule
            to create function cards with scope GLOBAL.

        Returns
        -------
        dict
            The function card.
        """
        document = card if isinstance(card, dict) else _parsed(read_document(card, _MOST_BYTES))
        return self._send(
            "post", "algorithm", {"card": document, "collaboration_id": collaboration}
        )

    @post_filtering(iterable=False)
    def import_(
        self, source: str | Path, collaboration: int | None = None, version: str = "0"
    ) -> Any:
        """Put an algorithm of a vantage6 4.x algorithm store on the shelf, as a draft.

        The log names what the entry says and a card has no place for.

        Parameters
        ----------
        source
            Path of its file, such as ``algorithm_store.json``, or address, which begins with
            ``https://``.
        collaboration
            Id of the collaboration that it is for; without one it is for all.
        version
            Version of the functions, which an entry does not name.

        Returns
        -------
        dict
            The function card.

        Raises
        ------
        vantage6.common.errors.Invalid
            If it is no such file, is larger than 1 MiB, or cannot be fetched within a minute.
        """
        # PERF: cards take long to load, and few scripts need them.
        from vantage6.common import cards

        entry = _parsed(read_document(source, _MOST_BYTES))
        made = cards.convert_entry(entry, version=version)
        for note in made.notes:
            self.parent.log.warning("%s: %s", source, note)
        return self.create(json.loads(cards.write(made.card)), collaboration)

    @post_filtering(iterable=False)
    def update(
        self,
        id_: int,
        card: dict[str, Any] | str | Path | None = None,
        state: str | None = None,
        note: str = "",
    ) -> Any:
        """Change the document of a function card, retire it, or make it a draft again.

        Another document makes it a draft, and its reviews are gone.

        Parameters
        ----------
        id_
            Id of the function card.
        card
            Another document, or the path of a JSON file with it.
        state
            ``retired``: tasks of its image are refused unless another card of the image was
            reviewed. ``draft``: nothing is checked, and the reviews are gone.
        note
            Why it is retired; each refused task shows it.

        Returns
        -------
        dict
            The function card.
        """
        if card is not None and not isinstance(card, dict):
            card = _parsed(read_document(card, _MOST_BYTES))
        body = {"card": card, "state": state, "note": note}
        return self._send("patch", f"algorithm/{id_}", body)

    @post_filtering(iterable=False)
    def review(self, id_: int, sha256: str, note: str = "") -> Any:
        """Say that you have read a function card, and that its functions are as it says.

        Inputs of tasks are checked against it from then on. The author of a card does not review
        it.

        Parameters
        ----------
        id_
            Id of the function card.
        sha256
            ``sha256`` of the function card as you read it. It is refused if it has changed since.
        note
            What you have checked; shown with the review.

        Returns
        -------
        dict
            The function card, with its reviews.

        Examples
        --------
        >>> read = client.algorithm.get(3)
        >>> client.algorithm.review(3, read["sha256"], note="Compared with the code of 1.2.0.")
        """
        body = {"state": "reviewed", "sha256": sha256, "note": note}
        return self._send("patch", f"algorithm/{id_}", body)

    def delete(self, id_: int) -> Any:
        """Take a function card off the shelf; tasks of its image are not checked any more.

        Parameters
        ----------
        id_
            Id of the function card.
        """
        return self._send("delete", f"algorithm/{id_}")


def _parsed(content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise Invalid(f"This is not valid JSON: {error}") from error
    if not isinstance(found, dict):
        raise Invalid("This is not the card of an algorithm: it has to be a JSON object.")
    return found
