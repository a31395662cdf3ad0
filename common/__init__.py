"""Words that server, node and client share. Imports nothing else of ours."""

from vantage6.common.compatibility import (
    ClickLogger,
    Fore,
    Singleton,
    Style,
    check_config_writeable,
    generate_apikey,
    get_database_config,
    is_ip_address,
    logger_name,
)
from vantage6.common.console import debug, echo, error, info, warning
from vantage6.common.encoding import base64s_to_bytes, bytes_to_base64s
from vantage6.common.identity import WhoAmI

__version__ = "3.12.0"

__all__ = [
    "ClickLogger",
    "Fore",
    "Singleton",
    "Style",
    "WhoAmI",
    "__version__",
    "base64s_to_bytes",
    "bytes_to_base64s",
    "check_config_writeable",
    "debug",
    "echo",
    "error",
    "generate_apikey",
    "get_database_config",
    "info",
    "is_ip_address",
    "logger_name",
    "warning",
]
