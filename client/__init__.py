"""The Python client: what a researcher, and an algorithm in its container, see of the server.

The names are loaded when they are used: the command `vantage6` shows its help without them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__all__ = [
    "APPNAME",
    "LEGACY",
    "AlgorithmClient",
    "AuthenticationException",
    "Client",
    "ClientBase",
    "ContainerClient",
    "DummyCryptor",
    "LogLevel",
    "NoReply",
    "RSACryptor",
    "ServerInfo",
    "StillRunning",
    "UserClient",
    "WhoAmI",
    "base64s_to_bytes",
    "bytes_to_base64s",
    "deserialization",
    "post_filtering",
    "print_qr_code",
    "serialization",
]

if TYPE_CHECKING:
    from vantage6.client import deserialization, serialization
    from vantage6.client.algorithm_client import AlgorithmClient
    from vantage6.client.base import ClientBase
    from vantage6.client.client import Client, UserClient
    from vantage6.client.container_client import ContainerClient
    from vantage6.client.encryption import DummyCryptor, RSACryptor
    from vantage6.client.filter import post_filtering
    from vantage6.client.session import NoReply
    from vantage6.client.utils import LogLevel, ServerInfo, print_qr_code
    from vantage6.client.waiting import StillRunning
    from vantage6.common.encoding import base64s_to_bytes, bytes_to_base64s
    from vantage6.common.exceptions import AuthenticationException
    from vantage6.common.globals import APPNAME
    from vantage6.common.identity import WhoAmI
    from vantage6.common.serialization import LEGACY
else:
    _MODULES = {
        "APPNAME": "vantage6.common.globals",
        "LEGACY": "vantage6.common.serialization",
        "AlgorithmClient": "vantage6.client.algorithm_client",
        "AuthenticationException": "vantage6.common.exceptions",
        "Client": "vantage6.client.client",
        "ClientBase": "vantage6.client.base",
        "ContainerClient": "vantage6.client.container_client",
        "DummyCryptor": "vantage6.client.encryption",
        "LogLevel": "vantage6.client.utils",
        "NoReply": "vantage6.client.session",
        "RSACryptor": "vantage6.client.encryption",
        "ServerInfo": "vantage6.client.utils",
        "StillRunning": "vantage6.client.waiting",
        "UserClient": "vantage6.client.client",
        "WhoAmI": "vantage6.common.identity",
        "base64s_to_bytes": "vantage6.common.encoding",
        "bytes_to_base64s": "vantage6.common.encoding",
        "post_filtering": "vantage6.client.filter",
        "print_qr_code": "vantage6.client.utils",
    }
    #: Modules that scripts reach through the package, without an import of their own.
    _SUBMODULES = frozenset(
        {
            *("algorithm_client", "base", "client", "container_client", "deserialization"),
            *("encryption", "exceptions", "filter", "groups", "serialization", "session"),
            *("utils", "waiting"),
        }
    )

    def __getattr__(name: str) -> Any:
        """Load a name when it is used."""
        if name in _SUBMODULES:
            return import_module(f"{__name__}.{name}")
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(_MODULES[name]), name)

    def __dir__() -> list[str]:
        """Return the names that scripts may use, also those that are not loaded yet."""
        return sorted(__all__)
