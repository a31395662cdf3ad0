"""Which servers there are, and which of them run."""

from collections.abc import Iterator

from vantage6.api import supervision
from vantage6.common import listing
from vantage6.common.config import Instance, instances
from vantage6.common.config.files import environments
from vantage6.common.errors import ConfigurationError


def running_servers() -> Iterator[Instance]:
    """Yield the servers of both scopes that run; files that cannot be read have none."""
    for found in instances.listed("server"):
        try:
            for name in environments(found.file):
                instance = Instance.load(found.file, name, system=found.system)
                if supervision.supervisor(instance).running():
                    yield instance
                    # Environments without a data folder of their own share one.
                    break
        except ConfigurationError:
            continue


def show() -> None:
    """Print all servers."""
    listing.show("server", _status)


def _status(found: instances.Found, environment: str) -> str:
    instance = Instance.load(found.file, environment, system=found.system)
    return "Running" if supervision.supervisor(instance).running() else "Not running"
