"""Logging in."""

from typing import Annotated, Self

from pydantic import Field, SecretStr, model_validator

from vantage6.api.schemas.base import Id, Reply, Request
from vantage6.common.identity import MOST_PREVIOUS


class UserLogin(Request):
    """Who wants to log in."""

    username: str = Field(min_length=1, max_length=255)
    password: SecretStr = Field(max_length=1024)
    mfa_code: str | int | None = Field(
        None,
        description="code of the authenticator app, or a recovery code, where the server asks "
        "for one",
    )


class NodeLogin(Request):
    """Which node wants to log in. Without `instance` and `process`, it only looks."""

    api_key: SecretStr = Field(max_length=255)
    instance: str | None = Field(
        None,
        min_length=16,
        max_length=64,
        description="names the data folder of the station: a random text that it keeps; with "
        "`process`, this login is to compute, and one process computes for a node at a time",
    )
    process: str | None = Field(
        None, min_length=16, max_length=64, description="names the process: a random text"
    )
    previous: list[Annotated[str, Field(min_length=16, max_length=64)]] = Field(
        default_factory=list,
        max_length=MOST_PREVIOUS,
        description="at the first login of the process: names the processes that ran before it "
        "with this data folder, of which it takes the place",
    )


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


class LoginReply(Reply):
    """The tokens of a user, or what the user has to do first.

    With two-factor authentication there are answers without tokens: ``msg`` alone asks for the
    code, and ``qr_uri`` and ``otp_secret`` beside it set up an authenticator app.
    """

    access_token: str | None = None
    refresh_token: str | None = None
    refresh_url: str | None = None
    user_url: str | None = None
    msg: str | None = Field(None, description="what to do first; there are no tokens then")
    qr_uri: str | None = Field(None, description="address for a QR code: otpauth://totp/…")
    otp_secret: str | None = Field(None, description="the secret in it, in base32")
    recovery_codes: list[str] | None = Field(
        None,
        description="shown once, with the tokens of the first login with an authenticator app: "
        "each stands in once for the code of a lost app",
    )

    @model_validator(mode="after")
    def _one_of_three(self) -> Self:
        tokens = {"access_token", "refresh_token", "refresh_url", "user_url"}
        forms = (tokens, tokens | {"recovery_codes"}, {"msg"}, {"msg", "qr_uri", "otp_secret"})
        if self.model_fields_set not in forms:
            raise ValueError("neither tokens, nor a message, nor an address for a QR code")
        return self


class ContainerTokenReply(Reply):
    """The token of an algorithm."""

    container_token: str


class BrokerReply(Reply):
    """How a node reaches its queue."""

    url: str
    queue: str
