"""Who is logged in."""

from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from vantage6.api.schemas.base import Id, PageQuery, Request
from vantage6.common.documents import WrittenMoment, exact


class SessionFilter(PageQuery):
    """Whose sessions."""

    user_id: Id | None = Field(None, description="default: one's own")


class SessionsEnd(Request):
    """Whose sessions end."""

    user_id: Id | None = Field(None, description="default: one's own, but for this one")


@exact
class SessionReply(TypedDict):
    """A session, which holds all tokens that follow from one login."""

    id: int
    user_id: int
    began_at: WrittenMoment
    renewed_at: Annotated[WrittenMoment, Field(description="when its tokens were replaced last")]
    expires_at: Annotated[
        WrittenMoment, Field(description="when it ends unless its tokens are replaced")
    ]
    address: Annotated[str, Field(description="where the login came from")]
    agent: Annotated[str | None, Field(description="what the client calls itself")]
    is_current: Annotated[bool, Field(description="whether it is the session of this request")]
