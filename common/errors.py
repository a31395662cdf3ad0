"""Everything that can go wrong in our own words.

::

    V6Error
    ├── Invalid            the request or the configuration is wrong; says what to do
    │   ├── ConfigurationError
    │   └── SerializationError
    │       └── PickleRefused
    ├── Unauthenticated    without a valid login
    ├── Forbidden          logged in, but not allowed
    ├── NotFound           no such thing
    ├── Conflict           the thing is in another state than the request assumes
    ├── TooMany            too often; says when to come back
    ├── NotConfigured      the server is not set up for it
    └── Unavailable        a part we depend on does not answer

The docstring of a class is its default message. ``code`` is stable and meant for programs,
the message for people. How a class becomes an HTTP status is decided in `vantage6.api`.
"""

from typing import ClassVar

#: Code of the refusal of a token that the server did not sign, as after a change of its secret.
#: The connection ended before the body did: the same request may be sent again.
BODY_INCOMPLETE = "body_incomplete"
BAD_TOKEN = "bad_token"  # noqa: S105


class V6Error(Exception):
    """Something went wrong."""

    code: ClassVar[str] = "error"

    def __init__(self, message: str | None = None, *, code: str | None = None) -> None:
        self.message = message or (self.__doc__ or "").strip()
        self.error_code = code or self.code
        super().__init__(self.message)


class Invalid(V6Error):
    """The request is not valid."""

    code = "invalid"


class ConfigurationError(Invalid):
    """The configuration is not valid."""

    code = "configuration"


class SerializationError(Invalid):
    """The payload cannot be written or read in this format."""

    code = "serialization"


class PickleRefused(SerializationError):
    """A Python pickle is only read with allow_pickle=True."""

    code = "pickle_refused"


class Unauthenticated(V6Error):
    """Log in first."""

    code = "unauthenticated"


class Forbidden(V6Error):
    """You lack the permission to do that."""

    code = "forbidden"


class NotFound(V6Error):
    """There is no such thing."""

    code = "not_found"


class Conflict(V6Error):
    """The thing is not in a state that allows this."""

    code = "conflict"


class NotConfigured(V6Error):
    """The server is not configured for this."""

    code = "not_configured"


class TooMany(V6Error):
    """Too many requests; try again later."""

    code = "rate_limited"

    def __init__(
        self, message: str | None = None, *, code: str | None = None, retry_after: int = 60
    ) -> None:
        super().__init__(message, code=code)
        #: Seconds after which a request may succeed.
        self.retry_after = retry_after


class Unavailable(V6Error):
    """A service that is needed does not answer; try again later."""

    code = "unavailable"
    #: Seconds after which a request may succeed, where somebody said so.
    retry_after: int | None = None
