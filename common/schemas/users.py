"""Users, roles and rules."""

from typing import Annotated

from pydantic import BeforeValidator, Field, SecretStr

from vantage6.common.enums import Operation, Scope
from vantage6.common.schemas.base import (
    Id,
    Link,
    Moment,
    PageQuery,
    Repeated,
    Reply,
    Request,
    one_or_more,
)
from vantage6.common.schemas.organizations import Flag


class UserCreate(Request):
    """A new user."""

    username: str = Field(min_length=1, max_length=255)
    firstname: str = Field(max_length=255)
    lastname: str = Field(max_length=255)
    password: SecretStr = Field(max_length=1024)
    email: str = Field(max_length=255)
    organization_id: Id | None = None
    roles: list[Id] | None = None
    rules: list[Id] | None = None


class UserFilter(PageQuery):
    """Which users."""

    username: str | None = None
    firstname: str | None = None
    lastname: str | None = None
    email: str | None = None
    organization_id: Id | None = None
    role_id: Id | None = None
    rule_id: Id | None = None


class UserReply(Reply):
    """A user."""

    id: int
    type: str
    username: str
    firstname: str | None
    lastname: str | None
    email: str | None
    status: str | None
    last_seen: Moment | None
    ip: str | None
    otp_secret: None = Field(description="always null; kept for clients of 3.11")
    organization: Link | None
    roles: list[Link] | None
    rules: list[Link] | None
    created_tasks: list[int]


class RoleFilter(PageQuery):
    """Which roles."""

    organization_id: Annotated[list[Id], BeforeValidator(one_or_more)] = []
    name: Repeated = []
    include_root: Flag = False
    rule_id: Id | None = None
    user_id: Id | None = None


class RoleReply(Reply):
    """A role."""

    id: int
    name: str
    description: str
    organization: Link | None
    rules: list[Link] | None
    users: list[Link] | None


class RuleFilter(PageQuery):
    """Which rules."""

    name: str | None = None
    operation: Operation | None = None
    scope: Scope | None = None
    role_id: Id | None = None


class RuleReply(Reply):
    """A rule."""

    id: int
    name: str
    operation: Operation
    scope: Scope
    description: str
    users: list[Link] | None
