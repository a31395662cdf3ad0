"""What the shelf says of an image: which function cards its inputs have to fit."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from vantage6.common import addresses
from vantage6.common.enums import CardState
from vantage6.common.errors import NotFound
from vantage6.models.sql.prepared import Prepared
from vantage6.models.tables import Algorithm, AlgorithmCard, AlgorithmImage

#: So many reviewed cards of an image count, the newest ones.
MOST_CARDS = 5

# SECURITY: drafts are left out. Their author is not trusted, and must not keep others from work.
_FOUND: Prepared[Any] = Prepared(
    lambda collaboration, reference, repository: (
        AlgorithmImage.select(
            AlgorithmImage.reference,
            AlgorithmImage.digest,
            Algorithm.id,
            Algorithm.name,
            Algorithm.version,
            Algorithm.state,
            Algorithm.reason,
            Algorithm.sha256,
            Algorithm.collaboration,
        )
        .join(Algorithm)
        .where(
            ((AlgorithmImage.reference == reference) | (AlgorithmImage.reference == repository))
            & (Algorithm.collaboration.is_null() | (Algorithm.collaboration == collaboration))
            & (Algorithm.state != CardState.DRAFT)
        )
        .order_by(Algorithm.id.desc())
        .namedtuples()
    )
)
_DOCUMENT: Prepared[Any] = Prepared(
    lambda id_, sha256: (
        AlgorithmCard.select(AlgorithmCard.content)
        .join(Algorithm)
        .where((Algorithm.id == id_) & (Algorithm.sha256 == sha256))
        .tuples()
    )
)


@dataclass(frozen=True)
class Match:
    """What the shelf says of an image in a collaboration."""

    #: Ids and SHA-256 of reviewed cards: an input has to fit one of them.
    reviewed: Sequence[tuple[int, str]] = ()
    #: Why its tasks are refused.
    refusal: str | None = None


def match(image: str, collaboration_id: int) -> Match:
    """Return what the shelf says of an image in a collaboration.

    Cards that name the digest of the task come first, then those that name its tag, then those that
    name its repository alone. Of these, the cards of the collaboration come before those for all.
    An image is refused where all of them are retired.
    """
    reference, _, digest = image.strip().partition("@")
    reference = addresses.repository(reference)
    rows = _FOUND(collaboration_id, reference, addresses.without_tag(reference))
    # A card of another digest is one of another image.
    rows = [row for row in rows if not (digest and row.digest and row.digest != digest)]
    if not rows:
        return Match()

    def weight(row: Any) -> tuple[bool, bool, bool]:
        is_same = bool(digest) and row.digest == digest
        return is_same, row.reference == reference, row.collaboration is not None

    most = max(map(weight, rows))
    nearest = [row for row in rows if weight(row) == most]
    reviewed = [(row.id, row.sha256) for row in nearest if row.state == CardState.REVIEWED]
    if reviewed:
        return Match(reviewed[:MOST_CARDS])
    retired = nearest[0]
    return Match(
        refusal=f"Image {image} must not be used any more: its function card {retired.name} "
        f"{retired.version} was retired. {retired.reason or 'Ask the reviewers of the card.'}"
    )


def document(algorithm_id: int, sha256: str) -> str:
    """Return the document of a card as JSON.

    Raises
    ------
    NotFound
        If it was removed or changed meanwhile.
    """
    for content in _DOCUMENT(algorithm_id, sha256):
        return str(content[0])
    raise NotFound(f"Function card {algorithm_id} was removed or changed.")
