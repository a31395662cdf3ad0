"""A function card for tests, as the author of an image writes it."""

from typing import Any

from tests.models.factories import IMAGE
from vantage6.common.enums import CardState
from vantage6.models.store import algorithms
from vantage6.models.tables import Algorithm, Collaboration, User

COLUMN = {
    "type": "object",
    "properties": {"column_name": {"type": "string", "x-is": "column", "title": "Column"}},
    "required": ["column_name"],
    "additionalProperties": False,
}


def card(**changes: Any) -> dict[str, Any]:
    """Return the card of an image that computes an average, changed."""
    about = {"title": "Average", "description": "The mean.", "since": "1.0.0"}
    central = {
        **about,
        "name": "master",
        "kind": "central",
        "stability": "stable",
        "arguments": COLUMN,
        "database": "none",
        "calls": ["average_partial"],
        "rounds": {"at_least": 1, "at_most": 1},
        "minimum_organizations": 1,
    }
    partial = {
        **about,
        "name": "average_partial",
        "kind": "partial",
        "stability": "stable",
        "arguments": COLUMN,
        "database": "one",
        "shares": [
            {"path": "/sum", "class": "sum", "of": "/count"},
            {"path": "/count", "class": "count"},
        ],
    }
    whole = {
        "card": 1,
        "name": "average",
        "version": "1.0.0",
        "title": "Average",
        "description": "The mean of a column.",
        "licence": "Apache-2.0",
        "source": "https://example.org/average",
        "contact": "somebody@example.org",
        "images": [IMAGE],
        "functions": [central, partial],
    }
    return whole | changes


def shelve(
    collaboration: Collaboration | None = None,
    *,
    author: User | None = None,
    state: CardState = CardState.REVIEWED,
    reason: str = "",
    **changes: Any,
) -> Algorithm:
    """Put a card on the shelf, without the work of a review."""
    row = algorithms.create(
        algorithms.read(card(**changes)),
        collaboration_id=collaboration and collaboration.id,
        organization_id=author and author.organization_id,
        user_id=author and author.id,
        state=CardState.DRAFT if state is CardState.RETIRED else state,
    )
    return algorithms.retire(row, reason) if state is CardState.RETIRED else row
