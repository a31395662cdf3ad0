"""Function cards on the shelf, and their reviews."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from vantage6.common import addresses, cards
from vantage6.common.clock import now
from vantage6.common.enums import CardState
from vantage6.common.errors import Conflict, NotFound
from vantage6.models.database import transaction
from vantage6.models.sql.prepared import Prepared
from vantage6.models.store.access import Reach
from vantage6.models.store.queries import Page, among, like, page_of
from vantage6.models.tables import (
    Algorithm,
    AlgorithmCard,
    AlgorithmImage,
    AlgorithmReview,
)

#: Code of the refusal where a card is not as the caller knows it.
CHANGED = "card_changed"

#: Characters of the name of an image, with its tag.
_LONGEST_REFERENCE = 255

_BY_ID = Prepared(lambda id_: Algorithm.select().where(Algorithm.id == id_))


@dataclass(frozen=True)
class Document:
    """What the shelf keeps of the document of a card."""

    name: str
    version: str
    title: str
    functions: Sequence[str]
    #: Reference without digest, and digest where one is named.
    images: Sequence[tuple[str, str | None]]
    #: The document as JSON.
    content: str
    #: Its SHA-256, in hex.
    sha256: str

    def fields(self) -> dict[str, Any]:
        """Return the columns that follow from it."""
        return {
            "name": self.name,
            "version": self.version,
            "title": self.title,
            "functions": json.dumps(list(self.functions)),
            "sha256": self.sha256,
            "changed_at": now(),
        }


def read(card: Any) -> Document:
    """Return what the shelf keeps of a card that a caller sends.

    Raises
    ------
    Invalid
        With code ``bad_card`` if it is none, or names no image.
    """
    return _read(cards.parse(card))


def read_text(text: bytes) -> Document:
    """Return what the shelf keeps of a card in JSON; see `read`."""
    return _read(cards.read(text))


def _read(found: cards.Card) -> Document:
    if not found.images:
        raise cards.CardError(
            "The card names no image. Write the references under which the image is published "
            "into `images`."
        )
    references = [image.partition("@")[::2] for image in found.images]
    if any(len(reference) > _LONGEST_REFERENCE for reference, _ in references):
        raise cards.CardError(f"The name of an image has {_LONGEST_REFERENCE} characters at most.")
    content = cards.write(found)
    return Document(
        found.name,
        found.version,
        found.title or found.name,
        list(dict.fromkeys(function.name for function in found.functions)),
        [(reference, digest or None) for reference, digest in references],
        content,
        hashlib.sha256(content.encode()).hexdigest(),
    )


def get(algorithm_id: int) -> Algorithm:
    """Return a card without its document."""
    row = _BY_ID.first(algorithm_id)
    if row is None:
        raise NotFound(f"There is no function card {algorithm_id}.")
    return row


def is_visible(reach: Reach, row: Algorithm) -> bool:
    """Tell whether a card is within reach: it is for all, or for a collaboration within reach."""
    return (
        reach.everything
        or row.collaboration_id is None
        or Algorithm.select().where((Algorithm.id == row.id) & _visible(reach)).exists()
    )


def _visible(reach: Reach) -> Any:
    # SECURITY: the card of a collaboration tells what is computed there.
    return Algorithm.collaboration.is_null() | Algorithm.collaboration.in_(reach.collaborations())


@transaction
def create(
    document: Document,
    *,
    collaboration_id: int | None,
    organization_id: int | None,
    user_id: int | None,
    state: CardState = CardState.DRAFT,
) -> Algorithm:
    """Put a card on the shelf."""
    row = Algorithm.create(
        **document.fields(),
        state=state,
        collaboration=collaboration_id,
        organization=organization_id,
        user=user_id,
        created_at=now(),
    )
    AlgorithmCard.create(algorithm=row.id, content=document.content)
    _write_images(row.id, document)
    return get(row.id)


@transaction
def create_reviewed(document: Document, note: str) -> Algorithm:
    """Put a card on the shelf that the server brings: for all, and reviewed by no user."""
    row = create(document, collaboration_id=None, organization_id=None, user_id=None)
    return review(row, sha256=row.sha256, note=note, user_id=None, organization_id=None)


def versions_for_all(name: str) -> dict[str, CardState]:
    """Return the versions of a card that are on the shelf for all collaborations, by state."""
    there = (Algorithm.name == name) & Algorithm.collaboration.is_null()
    return {row.version: row.state for row in Algorithm.select().where(there)}


@transaction
def replace(
    row: Algorithm, document: Document, *, organization_id: int | None, user_id: int | None
) -> Algorithm:
    """Change the document of a card, which is a draft from then on.

    SECURITY: a review is of one document. Another one is reviewed again.
    """
    changes = {
        **document.fields(),
        "state": CardState.DRAFT,
        "reason": None,
        "organization": organization_id,
        "user": user_id,
    }
    _change(row, **changes)
    AlgorithmReview.delete().where(AlgorithmReview.algorithm == row.id).execute()
    AlgorithmCard.update(content=document.content).where(
        AlgorithmCard.algorithm == row.id
    ).execute()
    AlgorithmImage.delete().where(AlgorithmImage.algorithm == row.id).execute()
    _write_images(row.id, document)
    return get(row.id)


@transaction
def review(
    row: Algorithm, *, sha256: str, note: str, user_id: int | None, organization_id: int | None
) -> Algorithm:
    """Note that a user has read the document of a card, which is reviewed from then on.

    Raises
    ------
    Conflict
        With code ``card_changed`` if the document is another one, or changes at the same moment.
    """
    if sha256 != row.sha256:
        raise _make_conflict(row)
    _change(row, state=CardState.REVIEWED, reason=None)
    AlgorithmReview.delete().where(
        (AlgorithmReview.algorithm == row.id) & (AlgorithmReview.user == user_id)
    ).execute()
    AlgorithmReview.create(
        algorithm=row.id,
        user=user_id,
        organization=organization_id,
        sha256=sha256,
        note=note,
        reviewed_at=now(),
    )
    return get(row.id)


def retire(row: Algorithm, reason: str) -> Algorithm:
    """Say that a card and its image must not be used any more."""
    _change(row, state=CardState.RETIRED, reason=reason)
    return get(row.id)


@transaction
def withdraw(row: Algorithm) -> Algorithm:
    """Make a card a draft again, without any review."""
    _change(row, state=CardState.DRAFT, reason=None)
    AlgorithmReview.delete().where(AlgorithmReview.algorithm == row.id).execute()
    return get(row.id)


def delete(row: Algorithm) -> None:
    """Take a card off the shelf."""
    if not Algorithm.delete().where(_is_still(row)).execute():
        raise _make_conflict(row)


def _change(row: Algorithm, **fields: Any) -> None:
    if not Algorithm.update(**fields).where(_is_still(row)).execute():
        raise _make_conflict(row)


def _is_still(row: Algorithm) -> Any:
    """Return the condition that a card is as it was when the caller's rules were weighed.

    SECURITY: compared by the database, since an author and a reviewer may write at the same moment.
    """
    return (
        (Algorithm.id == row.id) & (Algorithm.sha256 == row.sha256) & (Algorithm.state == row.state)
    )


def _make_conflict(row: Algorithm) -> Conflict:
    return Conflict(
        f"Function card {row.id} is not the one that you read: it has changed. Read it again, then "
        "decide about it as it is.",
        code=CHANGED,
    )


def _write_images(algorithm_id: int, document: Document) -> None:
    rows = [
        # Tasks may write the name of the same image in another way.
        {
            "algorithm": algorithm_id,
            "reference": addresses.repository(reference),
            "digest": digest,
        }
        for reference, digest in document.images
    ]
    if rows:
        AlgorithmImage.insert_many(rows).execute()


def page(
    reach: Reach,
    page: Page,
    *,
    collaboration: int | None = None,
    state: str | None = None,
    image: str | None = None,
    name: str | None = None,
    user: int | None = None,
) -> tuple[list[Algorithm], int]:
    """Return the cards within reach that fit the filters, without their documents.

    Those for all are no cards of a collaboration. ``image`` and ``name`` are SQL patterns.
    """
    if state not in (None, *CardState):
        return [], 0
    query = Algorithm.select().order_by(Algorithm.id)
    if not reach.everything:
        query = query.where(_visible(reach))
    for column, value in (
        (Algorithm.collaboration, collaboration),
        (Algorithm.state, state),
        (Algorithm.user, user),
    ):
        if value is not None:
            query = query.where(column == value)
    if name is not None:
        query = query.where(like(Algorithm.name, name))
    if image is not None:
        named = AlgorithmImage.select(AlgorithmImage.algorithm).where(
            like(AlgorithmImage.reference, image)
        )
        query = query.where(Algorithm.id.in_(named))
    return page_of(query, page)


def document_of(algorithm_id: int) -> Any:
    """Return the document of a card."""
    row = AlgorithmCard.get_or_none(AlgorithmCard.algorithm == algorithm_id)
    if row is None:
        raise NotFound(f"There is no function card {algorithm_id}.")
    return json.loads(row.content)


def images_of(ids: Sequence[int]) -> dict[int, list[AlgorithmImage]]:
    """Return the images of cards, by card."""
    query = AlgorithmImage.select().where(among(AlgorithmImage.algorithm, ids))
    found: dict[int, list[AlgorithmImage]] = defaultdict(list)
    for row in query.order_by(AlgorithmImage.id):
        found[row.algorithm_id].append(row)
    return found


def reviews_of(ids: Sequence[int]) -> dict[int, list[AlgorithmReview]]:
    """Return the reviews of cards, by card, oldest first."""
    query = AlgorithmReview.select().where(among(AlgorithmReview.algorithm, ids))
    found: dict[int, list[AlgorithmReview]] = defaultdict(list)
    for row in query.order_by(AlgorithmReview.id):
        found[row.algorithm_id].append(row)
    return found
