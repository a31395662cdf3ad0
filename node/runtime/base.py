"""What the node asks of a way to run algorithms, and what it promises to an algorithm.

Existing images find everything through environment variables; `environment` writes them for
every runtime, so that they cannot drift apart.
"""

import json
import socket
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from vantage6.common.disclosure import FLOORS_FILE, PARTIES_FILE
from vantage6.common.errors import Unavailable
from vantage6.node.databases import Database
from vantage6.node.outcomes import Exit
from vantage6.node.rules.registries import Registries
from vantage6.node.runtime.links import Link


class EngineUnavailable(Unavailable):
    """The container engine does not answer."""

    code = "engine_unavailable"


#: Bytes that engines add to a line of a log.
_AROUND_LINE = 70

#: Called with a listening socket on which the algorithm's requests arrive.
Answer = Callable[[socket.socket], None]


#: Entered while an image is pulled, which may take long.
Pulling = Callable[[], AbstractContextManager[object]]


@dataclass(frozen=True, slots=True)
class Image:
    """The exact thing that will run."""

    id: str
    #: The id, and the digests that registries know it by.
    digests: frozenset[str] = frozenset()
    #: The label with its card, as its author wrote it.
    card: str | None = None


@dataclass(frozen=True, slots=True)
class RunSpec:
    """One algorithm to run."""

    result_id: int
    #: Id of what `Runtime.fetch` returned for the task's image.
    image: str
    #: Host folder with ``input``, ``token``, ``floors``, ``parties`` and ``output``.
    io: Path
    #: Host file that it writes; `io` has another one of that name in its place.
    output: Path
    #: Host folder that all results of the run share.
    temporary: Path
    database: Database
    #: Labels of all databases of the node; names only.
    labels: tuple[str, ...]
    #: Services besides the database that it may reach.
    links: tuple[Link, ...] = ()
    #: Whether it takes part in the VPN.
    vpn: bool = False
    #: Variables of the station's own; override the standard ones, except for the two files about
    #: disclosure.
    extra: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Handle:
    """An algorithm that was created, whether or not it runs."""

    result_id: int
    #: The runtime's own name for it.
    id: str
    #: Port of the node's proxy as the algorithm sees it.
    port: int
    #: None before the start.
    started_at: datetime | None = None
    #: Its first process as this machine numbers it, where the kernel counts for it alone.
    pid: int | None = None
    #: The proxy, where it had to be built before the start.
    listener: socket.socket | None = None


class Runtime(Protocol):
    """A way to run algorithms.

    Starting takes two steps so that the node can write down, between them, that a result must
    never be started again. Every method may raise `EngineUnavailable` if the engine is away for a
    while, and may then be called again.
    """

    def fetch(
        self,
        image: str,
        cancelled: Callable[[], bool],
        pulling: Pulling = nullcontext,
        registries: Registries | None = None,
    ) -> Image:
        """Make an image available and return the exact thing that will run.

        Parameters
        ----------
        image
            Its reference.
        cancelled
            Tells whether the image is no longer needed.
        pulling
            Entered while it is pulled.
        registries
            Those that may be asked for it; default: as the configuration said at the start.

        Raises
        ------
        RefusalError
            If there is no such image.
        """

    def find_image(self, image: str) -> Image | None:
        """Return what `fetch` would return, if that asks no registry; else None."""

    def create(self, spec: RunSpec) -> Handle:
        """Prepare an algorithm without running it; one that exists already is returned.

        Raises
        ------
        RefusalError
            If the runtime refuses.
        """

    def start(self, handle: Handle, answer: Answer) -> Handle:
        """Run what was created, once; `answer` gets the proxy."""

    def find(self, result_id: int, answer: Answer) -> Handle | None:
        """Return what an earlier life of the node created; its proxy is opened again."""

    def log(self, result_id: int, most: int) -> str:
        """Return the last bytes of what a running algorithm has printed, as text."""

    def wait(self, handle: Handle) -> Exit:
        """Block until the algorithm ends, or end it when its time is over."""

    def kill(self, result_id: int) -> None:
        """End an algorithm at once; harmless if there is none."""

    def memory_bytes(self, result_id: int) -> int | None:
        """Return how much memory an algorithm uses; None where that is not known."""

    def remove(self, result_id: int) -> None:
        """Forget an algorithm; harmless if there is none."""

    def sweep(self, keep: set[int]) -> None:
        """End and forget everything of this node whose result is not in `keep`."""

    def sweep_images(self) -> None:
        """Remove an image that was not used for long, if there is one."""

    def close(self) -> None:
        """Let go of the engine; algorithms run on."""


@dataclass(frozen=True, slots=True)
class ContainerPaths:
    """Where the algorithm finds things, from its own point of view."""

    io: str
    temporary: str
    #: Address or path of the requested database.
    database: str
    host: str
    port: int


def environment(spec: RunSpec, paths: ContainerPaths) -> dict[str, str]:
    """Return the variables of the container contract.

    Only the requested database has an address: the others are not mounted, so none is promised.
    """
    label = spec.database.label
    variables = {
        "INPUT_FILE": f"{paths.io}/input",
        "OUTPUT_FILE": f"{paths.io}/output",
        "TOKEN_FILE": f"{paths.io}/token",
        "TEMPORARY_FOLDER": paths.temporary,
        "HOST": paths.host,
        "PORT": str(paths.port),
        "API_PATH": "",
        "USER_REQUESTED_DATABASE_LABEL": label,
        "DB_LABELS": json.dumps(list(spec.labels)),
        "DATABASE_URI": paths.database,
        f"{label.upper()}_DATABASE_URI": paths.database,
        "HOME": "/tmp",  # noqa: S108 (the only writable place of a container)
    }
    if spec.database.type is not None:
        variables[f"{label.upper()}_DATABASE_TYPE"] = spec.database.type
    # SECURITY: last, so that no other variable stands in their place; an image sets none of them.
    return (
        variables
        | dict(spec.extra)
        | {
            FLOORS_FILE: f"{paths.io}/floors",
            PARTIES_FILE: f"{paths.io}/parties",
        }
    )


def end_of(raw: bytes, most: int) -> str:
    """Return the last `most` bytes of an algorithm's log as text."""
    return raw[-most:].decode("utf-8", "replace")


def is_cut(raw: bytes, most: int) -> bool:
    """Tell whether there was more of a log than is kept.

    Engines drop the oldest lines from four times `most` on, counting what they put around each.
    """
    return len(raw) > most or len(raw) + _AROUND_LINE * raw.count(b"\n") >= 4 * most
