"""Roles and rules."""

from typing import Annotated

from pydantic import BeforeValidator

from vantage6.common.enums import Operation, Scope
from vantage6.common.schemas.base import (
    Flag,
    Id,
    Link,
    PageQuery,
    Repeated,
    Reply,
    one_or_more,
)


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
