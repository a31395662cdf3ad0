"""Who is logged in."""

from pydantic import Field

from vantage6.api.schemas.base import Id, Moment, PageQuery, Reply, Request


class SessionFilter(PageQuery):
    """Whose sessions."""

    user_id: Id | None = Field(None, description="default: one's own")


class SessionsEnd(Request):
    """Whose sessions end."""

    user_id: Id | None = Field(None, description="default: one's own, but for this one")


class SessionReply(Reply):
    """A session, which holds all tokens that follow from one login."""

    id: int
    user_id: int
    began_at: Moment
    renewed_at: Moment = Field(description="when its tokens were replaced last")
    expires_at: Moment = Field(description="when it ends unless its tokens are replaced")
    address: str = Field(description="where the login came from")
    agent: str | None = Field(description="what the client calls itself")
    is_current: bool = Field(description="whether it is the session of this request")
