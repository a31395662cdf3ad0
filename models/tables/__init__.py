"""The tables, in the order in which they depend on each other."""

from vantage6.models.tables.algorithm import (
    Algorithm,
    AlgorithmCard,
    AlgorithmImage,
    AlgorithmReview,
)
from vantage6.models.tables.idempotency import IdempotencyKey
from vantage6.models.tables.node import Node, NodeConfig
from vantage6.models.tables.organization import Collaboration, Membership, Organization
from vantage6.models.tables.outbox import Outbox
from vantage6.models.tables.role import Role, RoleRule, Rule
from vantage6.models.tables.session import Session
from vantage6.models.tables.task import AlgorithmPort, Payload, Result, Run, Task
from vantage6.models.tables.user import (
    Invitation,
    RecoveryCode,
    RecoveryToken,
    User,
    UserRole,
    UserRule,
)

TABLES = (
    Organization,
    Collaboration,
    Membership,
    Rule,
    Role,
    RoleRule,
    User,
    RecoveryToken,
    Invitation,
    RecoveryCode,
    UserRole,
    UserRule,
    Node,
    NodeConfig,
    Session,
    Run,
    Task,
    Result,
    Payload,
    AlgorithmPort,
    Outbox,
    Algorithm,
    AlgorithmCard,
    AlgorithmImage,
    AlgorithmReview,
    IdempotencyKey,
)

__all__ = [
    "TABLES",
    "Algorithm",
    "AlgorithmCard",
    "AlgorithmImage",
    "AlgorithmPort",
    "AlgorithmReview",
    "Collaboration",
    "IdempotencyKey",
    "Invitation",
    "Membership",
    "Node",
    "NodeConfig",
    "Organization",
    "Outbox",
    "Payload",
    "RecoveryCode",
    "RecoveryToken",
    "Result",
    "Role",
    "RoleRule",
    "Rule",
    "Run",
    "Session",
    "Task",
    "User",
    "UserRole",
    "UserRule",
]
