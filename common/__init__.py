"""What all sides share. Imports nothing else of ours.

The names of vantage6 3.11 are loaded when they are used: most processes need none of them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

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

if TYPE_CHECKING:
    from vantage6.common.cli.console import debug, echo, error, info, warning
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
    from vantage6.common.encoding import base64s_to_bytes, bytes_to_base64s
    from vantage6.common.identity import WhoAmI
else:
    _MODULES = {
        "WhoAmI": "identity",
        "base64s_to_bytes": "encoding",
        "bytes_to_base64s": "encoding",
        **dict.fromkeys(("debug", "echo", "error", "info", "warning"), "cli.console"),
    }

    def __getattr__(name: str) -> Any:
        """Load a name when it is used."""
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        module = import_module(f"{__name__}.{_MODULES.get(name, 'compatibility')}")
        return getattr(module, name)

    def __dir__() -> list[str]:
        """Return the names that scripts may use, also those that are not loaded yet."""
        return sorted(__all__)
