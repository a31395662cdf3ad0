"""Logging in."""

from pydantic import Field, SecretStr

from vantage6.common.schemas.base import Id, Reply, Request


class UserLogin(Request):
    """Who wants to log in."""

    username: str = Field(min_length=1, max_length=255)
    password: SecretStr = Field(max_length=1024)
    mfa_code: str | int | None = None


class NodeLogin(Request):
    """Which node wants to log in."""

    api_key: SecretStr = Field(max_length=255)


class ContainerTokenRequest(Request):
    """For which algorithm a token is wanted."""

    task_id: Id
    image: str


class TokenReply(Reply):
    """The tokens of a user or a node."""

    access_token: str
    refresh_token: str
    refresh_url: str
    user_url: str | None = None
    node_url: str | None = None


class ContainerTokenReply(Reply):
    """The token of an algorithm."""

    container_token: str


class BrokerReply(Reply):
    """How a node reaches its queue."""

    url: str
    queue: str
