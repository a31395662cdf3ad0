"""The configuration of a server."""

from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AliasChoices,
    BeforeValidator,
    Field,
    HttpUrl,
    SecretStr,
    ValidationInfo,
    field_validator,
)

from vantage6.common import addresses
from vantage6.common.config.base import BesideFile, DirectoriesConfig, LogConfig, Section

#: A key that signs with SHA-256 must be as long as what it signs with.
LEAST_SECRET_BYTES = 32

#: Of one client address to one API process, where no proxy counts them.
_CONNECTIONS_PER_ADDRESS = 256


def _prefix(value: Any) -> Any:
    return addresses.prefix(value) if isinstance(value, str) else value


Listening = Annotated[str, AfterValidator(addresses.listening)]


class PasswordPolicy(Section):
    """How many wrong passwords are tolerated."""

    max_failed_attempts: int = Field(
        5,
        ge=1,
        description="wrong passwords, or codes, for one account from one network until that "
        "network has to wait. All unknown networks together have 20 times as many passwords, and "
        "as many codes",
    )
    inactivation_minutes: int = Field(
        15, ge=1, description="minutes within which they count, and after which they are forgotten"
    )


class RateLimits(Section):
    """How often something may happen before it is refused for a while."""

    failed_logins: int = Field(
        30,
        ge=1,
        description="failed logins of users per client address and minute; as many of nodes",
    )
    logins: int = Field(
        120, ge=1, description="right passwords of one account per client address and minute"
    )
    recoveries: int = Field(
        30, ge=1, description="requests to recover an account per client address and hour"
    )
    mails: int = Field(5, ge=1, description="recovery mails of one kind per account and hour")


class SmtpConfig(Section):
    """The mail server that the server's mails go through."""

    server: str = Field("localhost", description="name of the mail server")
    port: int = Field(1025, ge=1, le=65535, description="its port")
    username: str | None = Field(
        None, description="account at the mail server; default: mail is sent without logging in"
    )
    password: SecretStr | None = Field(None, description="password of the account")
    sender: str | None = Field(
        None, description="address that mails come from; default: `username`, if it is an address"
    )
    use_tls: bool = Field(
        True,
        validation_alias=AliasChoices("use_tls", "MAIL_USE_TLS"),
        description="encrypt with STARTTLS; also as `MAIL_USE_TLS`",
    )
    use_ssl: bool = Field(
        False,
        validation_alias=AliasChoices("use_ssl", "MAIL_USE_SSL"),
        description="encrypt from the first byte instead; also as `MAIL_USE_SSL`",
    )
    ca_file: BesideFile | None = Field(
        None,
        description="certificates of the authority to trust; relative to the folder of this file; "
        "default: those of the operating system",
    )
    email_token_validity_minutes: int | None = Field(
        None, ge=1, description="the same as at the top level, which comes first"
    )


class FlowerConfig(Section):
    """The monitor of the workers."""

    ip: Listening = Field("127.0.0.1", description="address on which it listens")
    port: int | None = Field(
        None,
        ge=1,
        le=65535,
        description="port on which it listens; default: 5555, or a free one if that is taken",
    )
    password: SecretStr | None = Field(
        None, description="password of the user `flower`; default: a random one, kept with the data"
    )
    housekeeping: bool = Field(
        False, description="show the rounds of the server's own schedule, every two seconds, too"
    )


class MetricsConfig(Section):
    """Numbers for Prometheus, at `/metrics` below the prefix of all routes."""

    token: SecretStr | None = Field(
        None,
        min_length=16,
        description="Bearer token that Prometheus sends; default: a random one, kept in the "
        "file `metrics.key` with the data",
    )


class WebConfig(Section):
    """The web pages of the server."""

    enabled: bool = Field(True, description="show the web pages at `/app/`, where they are built")
    name: str = Field(
        "vantage6", min_length=1, max_length=60, description="name that the pages show"
    )
    contact: str | None = Field(
        None,
        max_length=200,
        description="mail address, telephone number or page of the people who help users",
    )
    imprint: HttpUrl | None = Field(
        None, description="address of the page that says who runs this server"
    )


class VpnServer(Section):
    """The portal of an EduVPN server, which gives nodes their VPN configuration."""

    url: HttpUrl = Field(description="address of the portal, with the path of its first page")
    redirect_url: str = Field(min_length=1, description="redirect URI of the OAuth client")
    client_id: str = Field(min_length=1, description="name of the OAuth client at the portal")
    client_secret: SecretStr = Field(description="password of the OAuth client")
    portal_username: str = Field(min_length=1, description="user of the portal")
    portal_userpass: SecretStr = Field(description="password of this user")


class ServerConfig(Section):
    """Everything a server can be told."""

    old_keys = frozenset({"debug", "image", "images", "rabbitmq", "rabbitmq_uri", "ui"})

    description: str = Field("", description="free text")
    type: Literal["dev", "test", "acc", "prod"] | None = Field(
        None,
        description="kind of environment. `test` is only for trying things out: access tokens "
        "live one day; the first password of `root` and a short `jwt_secret_key` are accepted",
    )
    ip: Listening = Field("127.0.0.1", description="address on which the API listens")
    port: int = Field(5000, ge=1, le=65535, description="port on which the API listens")
    api_path: Annotated[str, BeforeValidator(_prefix)] = Field(
        "/api", pattern=r"^(/[\w.-]+)*$", description="prefix of all routes"
    )
    uri: str = Field(
        "sqlite:///default.sqlite",
        pattern=r"^(sqlite:///|postgres(ql)?(\+\w+)?://)",
        description="database: sqlite:///file or postgresql://user:password@host/name; a relative "
        "file lies in the data folder",
    )
    broker: SecretStr | None = Field(
        None,
        description="Redis as redis://user:password@host:port/0, with a user for all keys and "
        "channels. Default: the server runs a private Redis of its own on loopback",
    )
    broker_for_nodes: str | None = Field(
        None, description="host:port under which nodes reach Redis; default: as in `broker`"
    )
    data_dir: BesideFile | None = Field(
        None,
        description="folder for everything the server writes; relative to the folder of this file",
    )
    directories: DirectoriesConfig = Field(
        DirectoriesConfig(), description="folders as in older files; `data_dir` comes first"
    )
    allow_drop_all: bool = Field(False, description="permit `vserver import --drop-all`")
    jwt_secret_key: SecretStr | None = Field(
        None,
        description=f"key that signs tokens, of {LEAST_SECRET_BYTES} bytes or more; default: a "
        "random one, kept in the data folder",
    )
    token_expires_hours: float = Field(6, ge=0.5, description="life of an access token")
    refresh_token_expires_hours: float = Field(48, ge=0.5, description="life of a refresh token")
    longest_session_hours: float = Field(
        720,
        ge=1,
        description="time after which a user has to log in again, however often the tokens were "
        "renewed; nodes are excepted",
    )
    two_factor_auth: bool = Field(
        False, description="ask users for a code of their authenticator app too"
    )
    root_password: SecretStr | None = Field(
        None,
        min_length=8,
        description="password of the user `root` that the first start makes; default: `root`, "
        "which logs in on the server's own machine only",
    )
    trusted_proxies: int = Field(
        0,
        ge=0,
        description="number of proxies in front of the server; with it the client's address is "
        "taken from X-Forwarded-For",
    )
    rate_limits: RateLimits = Field(RateLimits(), description="limits on guessing and on mails")
    smtp: SmtpConfig | None = Field(
        None, description="mail server; without one lost passwords cannot be recovered by mail"
    )
    support_email: str | None = Field(
        None, description="address that mails name for questions; default: their sender"
    )
    email_token_validity_minutes: int | None = Field(
        None, ge=1, description="life of a mailed recovery token; default: 60"
    )
    lease_seconds: int = Field(
        180, ge=10, description="time after which a result whose node is silent is offered again"
    )
    max_body_bytes: int = Field(
        512 * 2**20, ge=2**20, description="largest request body that is accepted"
    )
    workers: int = Field(2, ge=1, le=64, description="API processes")
    threads: int = Field(8, ge=1, le=64, description="requests that one API process serves at once")
    waiting_nodes: int = Field(
        1000,
        ge=0,
        le=20_000,
        description="nodes that may wait for messages at one API process, beside `threads`",
    )
    allowed_origins: list[str] = Field(
        [],
        description="origins of web pages that may call the API from browsers, as "
        "https://ui.example.org, or `*` for all; default: none but the server's own",
    )
    connections_per_address: int | None = Field(
        None,
        ge=0,
        description="connections that one client address, or one IPv6 network of 64 bits, may have "
        "to one API process; 0: any number. Default: 256. On loopback, and with "
        "`trusted_proxies`, the default is any number, since the proxy counts there",
    )
    password_policy: PasswordPolicy = Field(PasswordPolicy(), description="guesses at accounts")
    flower: FlowerConfig | None = Field(
        FlowerConfig(), description="Celery Flower; null: none, and nothing is told to one"
    )
    metrics: MetricsConfig | None = Field(
        MetricsConfig(), description="numbers for Prometheus; null: none"
    )
    vpn_server: VpnServer | None = Field(None, description="EduVPN portal; null: no VPN")
    web: WebConfig = Field(WebConfig(), description="pages for people, beside the API")
    logging: LogConfig = Field(LogConfig(), description="logs")

    @field_validator("jwt_secret_key")
    @classmethod
    def _long_secret(cls, secret: SecretStr | None, given: ValidationInfo) -> SecretStr | None:
        # SECURITY: who guesses the key can be anybody. `type` was read before.
        if (
            secret is not None
            and len(secret.get_secret_value().encode()) < LEAST_SECRET_BYTES
            and given.data.get("type") != "test"
        ):
            raise ValueError(
                f"it has fewer than {LEAST_SECRET_BYTES} bytes and may be guessed. Take one of "
                "`openssl rand -hex 32`, or leave it out: a random one is kept in the data folder"
            )
        return secret

    @property
    def most_connections_of_an_address(self) -> int | None:
        """Connections that one client address may have to one API process; None: any number."""
        if self.connections_per_address is not None:
            return self.connections_per_address or None
        is_alone = self.ip == "localhost" or self.ip.startswith("127.") or self.ip == "::1"
        return None if is_alone or self.trusted_proxies else _CONNECTIONS_PER_ADDRESS

    @property
    def recovery_minutes(self) -> int:
        """Life of a mailed recovery token."""
        inner = self.smtp.email_token_validity_minutes if self.smtp else None
        return self.email_token_validity_minutes or inner or 60
