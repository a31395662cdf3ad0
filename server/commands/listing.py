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
    instance = _load(found, environment)
    if _runs(instance):
        return "Running"
    # As in a container of the API, where each process is a service of its own.
    is_elsewhere = instance.config.broker is not None and supervision.answers(instance)
    return "Running (started otherwise)" if is_elsewhere else "Not running"


def _load(found: instances.Found, environment: str) -> Instance:
    return Instance.load(found.file, environment, system=found.system)


def _runs(instance: Instance) -> bool:
    return supervision.supervisor(instance).running() is not None
