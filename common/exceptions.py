"""The exception that scripts written for vantage6 3.11 catch by name."""

from vantage6.common.errors import Unauthenticated


class AuthenticationException(Unauthenticated):
    """The server refused the user name, the password or the two-factor code."""
