"""Results that this node has promised, on disk until the server has them.

One folder per result, named as containers see it::

    task-000000005/
        entry.json      what was claimed, and whether it was started
        tokens.json     what is shown at the server and at the node's proxy in its name
        io/             mounted into the container: input, token, floors, parties, output; only
                        the output is writable, and may be written elsewhere (`Spool.output`)
        subtasks        what it made through its proxy
        room            keeps space for how it ended, also on a disk that it fills
        stopped         why the station stopped it, if it did
        outcome.json    how it ended; exists only once output and log are safe on disk
        log             what the algorithm printed

Each file appears whole or not at all. The plain input and the tokens exist only between
the start of an algorithm and the delivery of its result.
"""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from vantage6.common import clock, logs
from vantage6.common.config.node import LimitConfig
from vantage6.common.durable_files import (
    NotPlain,
    keep_room,
    open_plain,
    sync_folder,
    write_durably,
)
from vantage6.common.task_status import TaskStatus
from vantage6.node.claims import FOLDER_PREFIX, Claim, folder_name
from vantage6.node.outcomes import Outcome
from vantage6.node.proxy.subtasks import SubTasks
from vantage6.node.proxy.tokens import Tokens
from vantage6.node.spool import disk_usage as measured
from vantage6.node.spool import removal, run_disks
from vantage6.node.spool.io_folder import Disclosure, make_io_folder
from vantage6.node.spool.record import Record
from vantage6.node.spool.run_disks import RunDisks

log = logs.get(__name__)

#: Space that is kept for the outcome of a result while it is computed.
_OUTCOME_BYTES = 65_536
_LEAVING = "leaving-"


class Entry:
    """One result on disk."""

    def __init__(self, folder: Path, record: Record) -> None:
        self.folder = folder
        self.record = record

    @property
    def io(self) -> Path:
        """The folder that the algorithm gets to see."""
        return self.folder / "io"

    def prepare(self, input_: bytes, tokens: Tokens, disclosure: Disclosure = Disclosure()) -> None:
        """Write what the algorithm reads, and the empty file that it writes."""
        # SECURITY: beside the folder that the algorithm sees, and closed to all others here.
        write_durably(self.folder / "tokens.json", _encode(asdict(tokens)))
        keep_room(self.folder / "room", _OUTCOME_BYTES)
        make_io_folder(self.io, input_, tokens.proxy, disclosure)

    def tokens(self) -> Tokens:
        """Return what is shown in the name of the algorithm."""
        try:
            return Tokens(**json.loads((self.folder / "tokens.json").read_bytes()))
        except FileNotFoundError:
            # An older version of the node started it, and gave it the server's token.
            with open_plain(self.io / "token") as file:
                held = file.read(65536).decode("ascii")
            return Tokens(server=held, proxy=held)

    def sub_tasks(self) -> SubTasks:
        """Return the sub-tasks that the algorithm has made, also before the node started anew."""
        return SubTasks(self.folder / "subtasks")

    def mark_started(self, at: datetime, **known: Any) -> None:
        """Remember durably that the algorithm is about to start, and what is known of it."""
        self.record = replace(self.record, started_at=at.isoformat(), **known)
        write_durably(self.folder / "entry.json", _encode(asdict(self.record)))

    @property
    def started_at(self) -> datetime | None:
        """When the algorithm was started, if it was."""
        return clock.parse(self.record.started_at) if self.record.started_at else None

    def output_bytes(self) -> int | None:
        """Return the length of the output; 0 if there is none, None if it is no plain file."""
        try:
            with open_plain(self.io / "output") as file:
                return os.fstat(file.fileno()).st_size
        except FileNotFoundError:
            return 0
        except OSError:
            return None

    def read_output(self, most: int) -> bytes:
        """Return at most `most` bytes of output; nothing if there is none.

        Raises
        ------
        OSError
            If it cannot be read now.
        """
        try:
            with open_plain(self.io / "output") as file:
                return file.read(most)
        except (FileNotFoundError, NotPlain, PermissionError):
            return b""  # as the algorithm left it

    def finish(self, outcome: Outcome, log: str) -> None:
        """Keep the outcome, after output and log are safe on disk."""
        try:
            with open_plain(self.io / "output") as file:
                os.fsync(file.fileno())
        except OSError:
            pass  # never prepared, or the algorithm spoilt it: there is no output to keep
        (self.folder / "room").unlink(missing_ok=True)
        text = log.encode("utf-8", "replace")
        try:
            write_durably(self.folder / "log", text)
        except OSError:
            # Rather the end of what was printed than an outcome that nobody gets to know.
            write_durably(self.folder / "log", text[-_OUTCOME_BYTES // 4 :])
        write_durably(self.folder / "outcome.json", _encode(outcome.to_json()))

    def mark_stopped(self, reason: str) -> None:
        """Remember durably that the station stopped the result: nothing of it may leave."""
        write_durably(self.folder / "stopped", reason.encode())

    def stop_reason(self) -> str | None:
        """Return why the station stopped the result, if it did."""
        try:
            return (self.folder / "stopped").read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return None

    def withhold(self, outcome: Outcome) -> None:
        """Keep an outcome in place of what was computed and printed, which is removed."""
        for path in (self.io / "output", self.folder / "log"):
            path.unlink(missing_ok=True)
        write_durably(self.folder / "outcome.json", _encode(outcome.to_json()))

    def outcome(self) -> Outcome | None:
        """Return how the result ended, or None while it has not."""
        try:
            return Outcome.from_json(json.loads((self.folder / "outcome.json").read_bytes()))
        except FileNotFoundError:
            return None

    def log(self) -> str:
        """Return what the algorithm printed."""
        try:
            return (self.folder / "log").read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return ""

    def delete(self) -> None:
        """Remove the result from disk; harmless if it is gone."""
        leaving = self.folder.with_name(_LEAVING + self.folder.name)
        try:
            # One rename, so that a crash cannot leave half an entry that looks like a whole one.
            self.folder.rename(leaving)
        except FileNotFoundError:
            return
        with _log_errors("result not removed", result_id=self.record.result_id):
            removal.remove(leaving)


class Spool:
    """All results on disk, and the temporary folders that they share.

    Parameters
    ----------
    folder
        Of everything that the node writes.
    disks
        File systems of the runs; None for plain folders, which are measured.
    """

    def __init__(self, folder: Path, disks: RunDisks | None = None) -> None:
        self._results = folder / "results"
        self._runs = folder / "runs"
        self._disks = disks
        for path in (folder, self._results, self._runs):
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.chmod(0o700)

    def free_bytes(self) -> int:
        """Return how much may still be written to the disk."""
        disk = os.statvfs(self._results)
        return disk.f_bavail * disk.f_frsize

    def create(self, claim: Claim) -> Entry:
        """Keep a claim; returns the existing entry if it is kept already."""
        folder = self._results / folder_name(claim.result_id)
        folder.mkdir(mode=0o700, exist_ok=True)
        entry = _load(folder)
        if entry is None:
            entry = Entry(folder, Record.of(claim))
            write_durably(folder / "entry.json", _encode(asdict(entry.record)))
            sync_folder(self._results)
        return entry

    def entries(self) -> list[Entry]:
        """Return what is on disk, oldest result first; sweeps up what a crash left half-written."""
        found = []
        for folder in sorted(filter(_is_of_spool, self._results.iterdir())):
            entry = _load(folder) if folder.name.startswith(FOLDER_PREFIX) else None
            if entry is None:
                with _log_errors("remains not removed", folder=folder.name):
                    removal.remove(folder)
            else:
                found.append(entry)
        return found

    def find_task(self, task_id: int) -> Entry | None:
        """Return the result of a task that is on disk, without changing anything."""
        for folder in self._results.glob(f"{FOLDER_PREFIX}*"):
            entry = _load(folder)
            if entry is not None and entry.record.task_id == task_id:
                return entry
        return None

    def temporary(self, run_id: int) -> Path:
        """Return the folder that all results of a run share at this node."""
        disk = self._disk(run_id)
        path = disk / "shared" if disk else self._runs / str(run_id)
        path.mkdir(exist_ok=True)
        path.chmod(0o777)
        os.utime(path)
        return path

    def output(self, entry: Entry) -> Path:
        """Return the file that the algorithm of a result writes, which is there then.

        On the file system of its run, where there is one, so that it counts there; `collect`
        brings it home.
        """
        disk = self._disk(entry.record.run_id)
        if disk is None:
            return entry.io / "output"
        path = _output_on(disk, entry)
        path.parent.mkdir(exist_ok=True)
        path.touch()
        path.chmod(0o666)
        return path

    def collect(self, entry: Entry, limits: LimitConfig) -> None:
        """Bring the output of an algorithm that ended home, or so much of it that is too much.

        Raises
        ------
        OSError
            If the disk is full.
        """
        disk = self._disk(entry.record.run_id)
        path = _output_on(disk, entry) if disk else None
        if path is None or not path.exists():
            return  # it was written at home, or is there already
        with open_plain(path) as file:
            write_durably(entry.io / "output", file.read(limits.file_bytes + 1))
        path.unlink()

    def drop_output(self, entry: Entry) -> None:
        """Give back the room of an output that is not sent."""
        disk = self._disk(entry.record.run_id)
        for path in (entry.io / "output", *([_output_on(disk, entry)] if disk else ())):
            with _log_errors("output not removed", result_id=entry.record.result_id):
                path.unlink(missing_ok=True)

    def room(self, entry: Entry, limits: LimitConfig) -> int:
        """Return how many bytes the results of a run may still write.

        Less than zero is too much.
        """
        if self._disks is not None and self._disk(entry.record.run_id) is not None:
            return self._disks.room(entry.record.run_id)
        return measured.room((entry.io, self.temporary(entry.record.run_id)), limits.disk_bytes)

    def rest(self, run_ids_in_use: set[int], idle_seconds: float = 0) -> None:
        """Unmount what no result writes to, nor has used for a while."""
        if self._disks is not None:
            self._disks.rest(run_ids_in_use - self._computed_run_ids(), idle_seconds)

    def _disk(self, run_id: int) -> Path | None:
        return (
            None
            if self._disks is None
            else self._disks.open(run_id, self._writing_run_ids, self._run_ids)
        )

    def _computed_run_ids(self) -> set[int]:
        """Return the runs of which all results are computed, and have their outputs at home."""
        return self._run_ids() - self._writing_run_ids()

    def _writing_run_ids(self) -> set[int]:
        """Return the runs of which a result on disk may still write.

        An output can wait for a person for weeks. The file system of its run would count with all
        that it may hold, and leave no room for others.
        """
        return self._run_ids(_may_write)

    def _run_ids(self, counts: Callable[[Path], bool] = lambda _: True) -> set[int]:
        """Return the runs that have results on disk."""
        found = set()
        for folder in self._results.glob(f"{FOLDER_PREFIX}*"):
            # SECURITY: one that is there and cannot be read is an error. Its run must not make
            # room for others.
            with suppress(FileNotFoundError, ValueError, KeyError):
                if not counts(folder):
                    continue
                found.add(int(json.loads((folder / "entry.json").read_bytes())["run_id"]))
        return found

    def empty_temporary(self, run_id: int) -> None:
        """Remove everything from the folder of a run, which may still be mounted."""
        with _log_errors("shared folder not emptied", run_id=run_id):
            removal.empty(self.temporary(run_id))

    def sweep_temporary(self, run_ids_in_use: set[int], keep_seconds: float) -> None:
        """Remove shared folders that no result uses and none has used for a while."""
        oldest = clock.now().timestamp() - keep_seconds
        idle = []
        computed = set() if self._disks is None else self._computed_run_ids()
        for name in run_disks.names(self._runs):
            # A file system that is just being made changes its name.
            with suppress(FileNotFoundError):
                if name.isdecimal() and int(name) in run_ids_in_use:
                    # One that is mounted comes to rest first.
                    if not (int(name) in computed and os.path.ismount(self._runs / name)):
                        run_disks.keep(self._runs, name)
                else:
                    idle.append((run_disks.last_use(self._runs, name), name))
        self.rest(run_ids_in_use, idle_seconds=60)
        for used, name in sorted(idle):
            if used < oldest:
                with _log_errors("run not removed", run_id=name):
                    run_disks.remove(self._runs, name)
        if self._disks is not None:
            self._disks.make_room(self._writing_run_ids, self._run_ids)


@contextmanager
def _log_errors(what: str, **about: Any) -> Iterator[None]:
    """Let nothing that cannot be removed keep the node from its work."""
    try:
        yield
    except Exception as error:
        log.warning(what, reason=str(error) or repr(error), **about)


def _is_of_spool(path: Path) -> bool:
    """Tell whether the name of a folder is one that a spool gives: `task_dir` can hold others."""
    number = path.name.removeprefix(_LEAVING).removeprefix(FOLDER_PREFIX)
    return number.isdecimal() and path.name.endswith(f"{FOLDER_PREFIX}{number}")


def _output_on(disk: Path, entry: Entry) -> Path:
    return disk / "outputs" / str(entry.record.result_id)


def _may_write(folder: Path) -> bool:
    """Tell whether the algorithm of a result may still write. SECURITY: in doubt, it may."""
    try:
        outcome = Outcome.from_json(json.loads((folder / "outcome.json").read_bytes()))
    except (OSError, ValueError, KeyError, TypeError):
        return True
    # One that failed at the node may still run.
    return outcome.status != TaskStatus.COMPLETED


def _load(folder: Path) -> Entry | None:
    try:
        return Entry(folder, Record.from_json(json.loads((folder / "entry.json").read_bytes())))
    except (OSError, ValueError, TypeError):
        return None


def _encode(values: dict[str, Any]) -> bytes:
    return json.dumps(values, indent=1).encode()
