"""Roles and rules."""

from typing import Annotated

from pydantic import BeforeValidator, Field
from typing_extensions import TypedDict

from vantage6.api.schemas.base import (
    Flag,
    Id,
    Name,
    PageQuery,
    Repeated,
    Request,
    one_or_more,
    one_or_more_or_none,
)
from vantage6.common.documents import Link, exact
from vantage6.common.enums import Operation, Scope

RuleIds = Annotated[
    Annotated[list[Id], Field(max_length=1000)] | None, BeforeValidator(one_or_more_or_none)
]
Description = Annotated[str, Field(max_length=4096)]


class RoleCreate(Request):
    """A new role."""

    name: Name
    description: Description | None
    rules: RuleIds = None
    organization_id: Id | None = Field(None, description="default: that of the caller")


class RoleUpdate(Request):
    """Changes of a role; null means unchanged."""

    name: Name | None = None
    description: Description | None = None
    rules: RuleIds = Field(None, description="all rules that it is to have")


class RoleFilter(PageQuery):
    """Which roles."""

    organization_id: Annotated[list[Id], BeforeValidator(one_or_more)] = []
    name: Repeated = []
    description: Repeated = []
    include_root: Flag = False
    rule_id: Id | None = None
    user_id: Id | None = None


@exact
class RoleReply(TypedDict):
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
    operation: str | None = None
    scope: str | None = None
    role_id: Id | None = None


@exact
class RuleReply(TypedDict):
    """A rule."""

    id: int
    name: str
    operation: Operation
    scope: Scope
    description: str
    users: list[Link] | None
