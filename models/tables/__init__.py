"""The tables, in the order in which they depend on each other."""

from vantage6.models.tables.node import Node
from vantage6.models.tables.organization import Collaboration, Membership, Organization
from vantage6.models.tables.outbox import Outbox
from vantage6.models.tables.role import Role, RoleRule, Rule
from vantage6.models.tables.task import Payload, Result, Run, Task
from vantage6.models.tables.user import User, UserRole, UserRule

TABLES = (
    Organization,
    Collaboration,
    Membership,
    Rule,
    Role,
    RoleRule,
    User,
    UserRole,
    UserRule,
    Node,
    Run,
    Task,
    Result,
    Payload,
    Outbox,
)

__all__ = [
    "TABLES",
    "Collaboration",
    "Membership",
    "Node",
    "Organization",
    "Outbox",
    "Payload",
    "Result",
    "Role",
    "RoleRule",
    "Rule",
    "Run",
    "Task",
    "User",
    "UserRole",
    "UserRule",
]
