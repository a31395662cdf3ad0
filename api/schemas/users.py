"""Users."""

from typing import Annotated

from pydantic import BeforeValidator, Field, SecretStr
from typing_extensions import TypedDict

from vantage6.api.schemas.base import Id, Moment, Name, OptionalIds, PageQuery, Request, Text
from vantage6.common.documents import Link, WrittenMoment, exact


def _strip(value: object) -> object:
    return value.strip() if isinstance(value, str) else value


#: Spaces around a name are not seen.
Username = Annotated[Name, BeforeValidator(_strip)]


class UserCreate(Request):
    """A new user."""

    username: Username
    firstname: Text | None
    lastname: Text | None
    password: SecretStr = Field(max_length=1024)
    email: Text | None
    organization_id: Id | None = None
    roles: OptionalIds = None
    rules: OptionalIds = None


class UserUpdate(Request):
    """Changes to a user. Absent and null leave a field as it is; the organization stays."""

    username: Username | None = Field(None, description="only of oneself")
    firstname: Text | None = None
    lastname: Text | None = None
    email: Name | None = None
    current_password: SecretStr | None = Field(
        None,
        max_length=1024,
        description="for another username or e-mail address of oneself, where the login is not of "
        "this moment",
    )
    roles: OptionalIds = Field(None, description="all roles from now on")
    rules: OptionalIds = Field(None, description="all rules beside the roles from now on")
    password: SecretStr | None = Field(
        None, description="refused: use `PATCH /password/change` or `POST /recover/lost`"
    )


class UserFilter(PageQuery):
    """Which users."""

    username: str | None = None
    firstname: str | None = None
    lastname: str | None = None
    email: str | None = None
    organization_id: Id | None = None
    role_id: Id | None = None
    rule_id: Id | None = None
    last_seen_from: Moment | None = None
    last_seen_till: Moment | None = None


@exact
class UserReply(TypedDict):
    """A user."""

    id: int
    type: str
    username: str
    firstname: str | None
    lastname: str | None
    email: str | None
    status: str | None
    last_seen: WrittenMoment | None
    ip: str | None
    otp_secret: Annotated[None, Field(description="always null; kept for clients of 3.11")]
    organization: Link | None
    roles: list[Link] | None
    rules: list[Link] | None
    created_tasks: list[int]
