"""Whether the server lives."""

from vantage6.api.schemas.base import Reply


class VersionReply(Reply):
    """What the server is."""

    version: str


class HealthReply(Reply):
    """Whether it lives."""

    database: bool


class ReadyReply(Reply):
    """Whether everything it needs is there."""

    database: bool
    migrations: bool
    broker: bool
    workers: bool
