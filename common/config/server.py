"""The configuration of a server."""

from typing import Literal

from pydantic import Field, SecretStr

from vantage6.common.config.base import LogConfig, Section


class PasswordPolicy(Section):
    """How many wrong passwords are tolerated."""

    max_failed_attempts: int = Field(5, ge=1, description="wrong passwords until an account locks")
    inactivation_minutes: int = Field(15, ge=1, description="minutes for which it stays locked")


class FlowerConfig(Section):
    """The monitor of the workers."""

    port: int = Field(5555, ge=1, le=65535, description="port on 127.0.0.1")
    password: SecretStr | None = Field(
        None, description="password of the user `flower`; default: a random one, kept with the data"
    )


class ServerConfig(Section):
    """Everything a server can be told."""

    description: str = Field("", description="free text")
    type: Literal["dev", "test", "acc", "prod"] | None = Field(
        None, description="kind of environment; in `test` access tokens live one day"
    )
    ip: str = Field("127.0.0.1", description="address on which the API listens")
    port: int = Field(5000, ge=1, le=65535, description="port on which the API listens")
    api_path: str = Field("/api", pattern=r"^(/[\w.-]+)*$", description="prefix of all routes")
    uri: str = Field(
        "sqlite:///default.sqlite",
        description="database: sqlite:///file or postgresql://user:password@host/name; a relative "
        "file lies in the data folder",
    )
    broker: SecretStr | None = Field(
        None,
        description="Redis as redis://user:password@host:port/0; without one the server runs a "
        "private Redis of its own on loopback",
    )
    broker_for_nodes: str | None = Field(
        None, description="host:port under which nodes reach Redis; default: as in `broker`"
    )
    data_dir: str | None = Field(None, description="folder for everything the server writes")
    allow_drop_all: bool = Field(False, description="permit `vserver import --drop-all`")
    jwt_secret_key: SecretStr | None = Field(
        None, description="key that signs tokens; default: a random one, kept in the data folder"
    )
    token_expires_hours: float = Field(6, ge=0.5, description="life of an access token")
    refresh_token_expires_hours: float = Field(48, ge=0.5, description="life of a refresh token")
    lease_seconds: int = Field(
        180, ge=10, description="time after which a result whose node is silent is offered again"
    )
    max_body_bytes: int = Field(
        512 * 2**20, ge=2**20, description="largest request body that is accepted"
    )
    workers: int = Field(2, ge=1, le=64, description="API processes")
    threads: int = Field(8, ge=1, le=64, description="requests that one API process serves at once")
    password_policy: PasswordPolicy = Field(PasswordPolicy(), description="lock-out of accounts")
    flower: FlowerConfig | None = Field(FlowerConfig(), description="Celery Flower; null: none")
    logging: LogConfig = Field(LogConfig(), description="logs")
