"""Lost and changed passwords, second factors and API keys."""

from typing import Annotated, Self

from pydantic import Field, SecretStr, model_validator

from vantage6.api.schemas.base import Id, Reply, Request, Text

_Secret = Annotated[SecretStr, Field(min_length=1, max_length=1024)]


class _Account(Request):
    """An account by its name or its address; the name comes first."""

    username: Text | None = None
    email: Text | None = None

    @model_validator(mode="after")
    def _either(self) -> Self:
        if not self.username and not self.email:
            raise ValueError("give the username or the e-mail address of the account")
        return self


class PasswordLost(_Account):
    """Whose password is lost."""


class PasswordReset(Request):
    """A new password, with the token from the mail."""

    reset_token: _Secret
    password: _Secret


class PasswordChange(Request):
    """One's own password, and what replaces it."""

    current_password: _Secret
    new_password: _Secret


class TwoFactorLost(_Account):
    """Whose authenticator app is lost."""

    password: _Secret


class TwoFactorReset(Request):
    """The token from the mail, and a recovery code."""

    reset_token: _Secret = Field(
        description="the token; or the token, a space and a recovery code, for clients of 3.11"
    )
    recovery_code: SecretStr | None = Field(
        None, max_length=255, description="needed where an authenticator app was set up"
    )


class RecoveryCodesRequest(Request):
    """What proves that the authenticator app is still there."""

    mfa_code: str | int = Field(description="code of the authenticator app")


class RecoveryCodesReply(Reply):
    """The only copy of the recovery codes."""

    recovery_codes: list[str]
    msg: str


class TwoFactorReply(Reply):
    """What an authenticator app needs to know."""

    qr_uri: str = Field(description="address for a QR code: otpauth://totp/…")
    otp_secret: str = Field(description="the secret in it, in base32")
    msg: str


class NodeKeyReset(Request):
    """Which node gets a new API key."""

    id: Id


class NodeKeyReply(Reply):
    """The only copy of a node's API key."""

    api_key: str
