"""Function cards on the shelf."""

from typing import Annotated, Any

from pydantic import AfterValidator, Field
from typing_extensions import TypedDict

from vantage6.api.schemas.base import Id, PageQuery, Request
from vantage6.common.cards.texts import check_text
from vantage6.common.documents import Link, WrittenMoment, exact
from vantage6.common.enums import CardState
from vantage6.common.errors import Invalid

Image = Annotated[str, Field(min_length=1, max_length=1024)]
# SECURITY: a note is shown at the terminals of those whose task is refused.
Note = Annotated[str, Field(max_length=4096), AfterValidator(check_text)]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class AlgorithmCreate(Request):
    """A new function card."""

    card: dict[str, Any] = Field(description="the card, as docs/cards.md describes it")
    collaboration_id: Id | None = Field(None, description="default: for all collaborations")


class AlgorithmUpdate(Request):
    """Changes of a function card: another document, or another state; null means unchanged."""

    card: dict[str, Any] | None = Field(None, description="makes it a draft without any review")
    state: CardState | None = None
    sha256: Sha256 | None = Field(
        None, description="of the document that was read; with state `reviewed`"
    )
    note: Note = Field("", description="of a review, or why the card is retired")

    def require_one_change(self) -> None:
        """Raise `Invalid` unless it says one thing."""
        if (self.card is None) == (self.state is None):
            raise Invalid("Send either `card`, another document, or `state`, another state.")
        if self.state is CardState.REVIEWED and self.sha256 is None:
            raise Invalid(
                "sha256: name the document that you have read; GET /algorithm/<id> shows it"
            )


class AlgorithmFilter(PageQuery):
    """Which function cards."""

    name: str | None = None
    image: str | None = None
    state: str | None = None
    collaboration_id: Id | None = None
    user_id: Id | None = None


class MatchQuery(Request):
    """For which image, in which collaboration."""

    image: Image
    collaboration_id: Id


@exact
class AlgorithmImageReply(TypedDict):
    """Where the image of a card is published."""

    reference: str
    digest: str | None


@exact
class ReviewReply(TypedDict):
    """A user has read the card."""

    user: Annotated[Link | None, Field(description="null where the caller may not see that user")]
    organization: Annotated[
        Link | None, Field(description="null where the server itself brings the card")
    ]
    sha256: Annotated[str, Field(description="of the document that was read")]
    note: str
    reviewed_at: WrittenMoment


@exact
class AlgorithmReply(TypedDict):
    """A function card without its document."""

    id: int
    name: str
    version: str
    title: str
    functions: list[str]
    images: list[AlgorithmImageReply]
    state: CardState
    reason: Annotated[str | None, Field(description="why it was retired")]
    sha256: Annotated[str, Field(description="of the document")]
    collaboration: Annotated[Link | None, Field(description="null: for all collaborations")]
    organization: Annotated[Link | None, Field(description="of the author")]
    user: Annotated[
        Link | None, Field(description="the author; null where the caller may not see it")
    ]
    created_at: WrittenMoment
    changed_at: WrittenMoment
    reviews: list[ReviewReply]


@exact
class AlgorithmCardReply(AlgorithmReply):
    """A function card with its document."""

    card: dict[str, Any]


@exact
class MatchedCard(TypedDict):
    """A reviewed card of an image."""

    id: int
    sha256: str
    card: dict[str, Any]


@exact
class MatchReply(TypedDict):
    """What the shelf says of an image in a collaboration."""

    cards: Annotated[
        list[MatchedCard],
        Field(
            description="reviewed ones; an input has to fit one of them. Empty: nothing is checked"
        ),
    ]
    refusal: Annotated[
        str | None, Field(description="why tasks of this image are refused; null: they are not")
    ]
