"""The Python client: what a researcher, and an algorithm in its container, see of the server."""

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
