"""Which servers there are, and which of them run."""

from collections.abc import Iterator

from vantage6.common.cli import listing
from vantage6.common.config import Instance, instances
from vantage6.server import supervision


def running_servers() -> Iterator[Instance]:
    """Yield the servers of both scopes that run."""
    return listing.running("server", _load, _runs)


def show() -> None:
    """Print all servers."""
    listing.show("server", _status)


def _status(found: instances.Found, environment: str) -> str:
    return "Running" if _runs(_load(found, environment)) else "Not running"


def _load(found: instances.Found, environment: str) -> Instance:
    return Instance.load(found.file, environment, system=found.system)


def _runs(instance: Instance) -> bool:
    return supervision.supervisor(instance).running() is not None
