"""Names that scripts for vantage6 3.11 import."""

import importlib
from enum import StrEnum
from typing import NamedTuple

from vantage6.client.two_factor import show as print_qr_code

__all__ = ["LogLevel", "ServerInfo", "print_qr_code", "show_qr_code_image"]


class ServerInfo(NamedTuple):
    """Where a server is."""

    host: str
    port: int
    path: str


class LogLevel(StrEnum):
    """What a client writes to its log at least."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARN = "WARN"
    ERROR = "ERROR"
    CRITICAL = "CRITICAL"


def show_qr_code_image(qr_uri: str) -> None:
    """Open a picture of a QR code; needs ``pip install qrcode[pil]``."""
    importlib.import_module("qrcode").make(qr_uri).show()
