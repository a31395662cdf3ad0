"""What the console knows of its node: what the commands know, asked in the same ways."""

import os
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

from vantage6.common import clock
from vantage6.common.errors import V6Error
from vantage6.node.control import KILL_SECONDS, ask, ask_node
from vantage6.node.databases import Database, Databases
from vantage6.node.instance import Instance
from vantage6.node.release.held_outputs import HeldOutputs
from vantage6.node.reports.record import check
from vantage6.node.reports.rules import readers
from vantage6.node.reports.runs import runs
from vantage6.node.requests.held import HeldRequests, State
from vantage6.node.rules.audit import FILE_NAME, Verification, entries
from vantage6.node.rules.kept_outputs import copy_of
from vantage6.node.sketch.tables import kind_of, read_columns

T = TypeVar("T")

#: A node compares with its server each minute. Without an answer for so long it is not online.
_SILENT = timedelta(seconds=150)
#: Columns of a table that are shown.
MOST_COLUMNS = 500
#: Of a copy of an output: what is shown on a page. The whole can be downloaded.
_MOST_SHOWN_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class NodeState:
    """Whether a node works at this moment."""

    #: `online`, `offline` (the server does not answer), `silent` (the node does not answer),
    #: `stopped`, or `elsewhere` (of another account).
    word: str
    sentence: str
    running: tuple[dict[str, Any], ...] = ()

    @property
    def is_online(self) -> bool:
        """Whether node and server talk."""
        return self.word == "online"


@dataclass(frozen=True, slots=True)
class Source:
    """A database, as far as the node itself looks at it."""

    label: str
    kind: str
    #: The file without its folder, or the host.
    place: str
    size_bytes: int | None
    changed_at: datetime | None
    columns: tuple[str, ...] | None
    readers: tuple[str, ...]
    #: Why it cannot be read; empty if it can.
    fault: str = ""


class Station:
    """One node. Safe for threads.

    Parameters
    ----------
    instance
        The node.
    """

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._lock = threading.Lock()
        #: What was computed from the record, by name, with the state of the file then.
        self._kept: dict[str, tuple[object, Any]] = {}

    @property
    def name(self) -> str:
        """Name of the node."""
        return self._instance.name

    @property
    def folder(self) -> Path:
        """Where the node keeps its files."""
        return self._instance.data

    def instance(self) -> Instance:
        """Return the node with its configuration as the file has it now.

        Raises
        ------
        ConfigurationError
            If the file is wrong now.
        """
        return replace(self._instance, config=self._instance.reload())

    def state(self) -> NodeState:
        """Ask the node what it does."""
        try:
            if self._instance.holder() is None:
                return NodeState("stopped", "The node does not run, so nothing can run here.")
        except V6Error as error:
            return NodeState("elsewhere", error.message)
        try:
            running = tuple(ask_node(self._instance, "running"))
            contact = ask_node(self._instance, "contact")
        except V6Error as error:
            return NodeState("silent", error.message)
        answered = contact["answered_at"]
        if contact["failure"]:
            return NodeState(
                "offline", f"The server does not answer: {contact['failure']}", running
            )
        if answered is None or clock.now() - clock.parse(answered) > _SILENT:
            return NodeState("offline", "The node has not heard from its server lately.", running)
        return NodeState("online", f"The server answered last at {answered[11:19]} UTC.", running)

    def log_of(self, result_id: int) -> str:
        """Return the end of what a running algorithm has printed; empty where it is not known."""
        try:
            return str(ask_node(self._instance, "log", result_id=result_id))
        except V6Error:
            return ""

    def stop(self, result_id: int | None, reason: str, person: str) -> dict[str, list[int]]:
        """Stop a result and its run, or everything.

        Raises
        ------
        V6Error
            If the node does not answer, or does not have the result.
        """
        words = {"reason": reason, "person": person}
        answer: dict[str, list[int]]
        if result_id is None:
            answer = ask_node(self._instance, "kill all", KILL_SECONDS, **words)
        else:
            answer = ask_node(self._instance, "kill", KILL_SECONDS, result_id=result_id, **words)
        return answer

    def wake(self) -> None:
        """Have a running node look at what was decided; it looks each minute in any case."""
        with suppress(V6Error):
            ask(self._instance.data, "take up")

    def waiting(self) -> dict[str, int]:
        """Return how many requests and outputs wait for a person."""
        with suppress(V6Error, OSError):
            requests = HeldRequests(self.folder).list()
            asked = sum(1 for one in requests if one.state() is State.WAITING)
            return {"requests": asked, "releases": len(HeldOutputs(self.folder).list())}
        return {"requests": 0, "releases": 0}

    def runs(self) -> list[dict[str, Any]]:
        """Return what the record tells of each result, the newest first."""
        return self._of_record("runs", self._read_runs)

    def verification(self) -> tuple[Verification, bool] | None:
        """Return whether the record is whole, and whether its head is repeated beside it."""
        if not self._path.exists():
            return None
        return self._of_record("verification", self._verify)

    def events(self, words: str = "", kind: str = "", before: int | None = None) -> Iterator[Any]:
        """Yield the events of the record that hold all words, the oldest first."""
        if not self._path.exists():
            return
        wanted = words.casefold().split()
        for event in entries(self._path):
            if before is not None and event["number"] >= before:
                continue
            if kind and event["event"] != kind:
                continue
            if not wanted or _holds(event, wanted):
                yield event

    def newest(self, most: int, **chosen: Any) -> list[dict[str, Any]]:
        """Return the last events of `events`, the newest first."""
        return list(reversed(deque(self.events(**chosen), maxlen=most)))

    def content(self, result_id: int, kind: str) -> tuple[str, int] | None:
        """Return the beginning of a copy of what left, and its length; None if none is kept."""
        path = copy_of(self._instance.data, result_id, kind)
        try:
            with path.open("rb") as file:
                shown = file.read(_MOST_SHOWN_BYTES)
                return shown.decode("utf-8", "replace"), os.fstat(file.fileno()).st_size
        except OSError:
            return None

    def sources(self) -> list[Source]:
        """Return the databases of the station."""
        instance = self.instance()
        found = Databases(instance.config.databases, instance.base).all()
        return [_source(one, readers(instance.config, one.label)) for one in found]

    @property
    def _path(self) -> Path:
        return self._instance.data / FILE_NAME

    def _verify(self) -> tuple[Verification, bool]:
        found = check(self._path)
        # The node may be in the middle of its last line.
        return found if found[0].broken is None else check(self._path)

    def _read_runs(self) -> list[dict[str, Any]]:
        if not self._path.exists():
            return []
        found = sorted(runs(entries(self._path)), key=lambda row: str(row["at"]))
        return found[::-1]

    def _of_record(self, name: str, compute: Callable[[], T]) -> T:
        """Compute something of the record, once for each state of the file."""
        with self._lock:
            mark = _mark(self._path)
            kept = self._kept.get(name)
            if kept is None or kept[0] != mark or mark is None:
                kept = self._kept[name] = (mark, compute())
            found: T = kept[1]
            return found


def _mark(path: Path) -> object:
    try:
        found = path.stat()
    except OSError:
        return None
    # SECURITY: an account that writes to the file can set the time of its last change, and not
    # that of its entry in the file system.
    return found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _holds(event: dict[str, Any], wanted: list[str]) -> bool:
    text = "\n".join(_texts(event)).casefold()
    return all(word in text for word in wanted)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, one in value.items():
            yield str(name)
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)
    elif value is not None:
        yield str(value)


def _source(database: Database, images: tuple[str, ...]) -> Source:
    kind = database.type or "unknown kind"
    if database.path is None:
        host, port = database.service or ("an address", None)
        place = f"{host}, port {port}" if port else host
        return Source(database.label, kind, place, None, None, None, images)
    path = database.path
    try:
        found = path.stat()
        columns = _columns(path, database.type)
    except OSError as error:
        fault = f"It cannot be read: {error.strerror}."
        return Source(database.label, kind, path.name, None, None, None, images, fault)
    changed = datetime.fromtimestamp(found.st_mtime, UTC)
    return Source(database.label, kind, path.name, found.st_size, changed, columns, images)


def _columns(path: Path, type_: str | None) -> tuple[str, ...] | None:
    kind = kind_of(path, type_)
    try:
        names = None if kind is None else read_columns(path, kind)
    except OSError:
        raise
    except Exception:
        # Each library has errors of its own. An algorithm will meet them, and say so.
        return None
    return None if names is None else tuple(names[:MOST_COLUMNS])
