"""Algorithms as bare processes on this machine: for demonstrations and for development.

Nothing isolates them: they read what the node's user reads. A small shell writes the exit code
to a file, so that a node that was restarted meanwhile still learns it.
"""

import hashlib
import json
import os
import select
import shlex
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from datetime import UTC, datetime
from pathlib import Path

from vantage6.common import clock, logs
from vantage6.common.config.node import LimitConfig
from vantage6.common.durable_files import write_durably
from vantage6.common.task_status import TaskStatus
from vantage6.node.claims import folder_name
from vantage6.node.outcomes import SIGKILL_CODE, Exit, RefusalError
from vantage6.node.rules.registries import Registries
from vantage6.node.runtime.base import (
    Answer,
    ContainerPaths,
    Handle,
    Image,
    Pulling,
    RunSpec,
    end_of,
    environment,
)
from vantage6.node.runtime.namespace_helper import listen

log = logs.get(__name__)

_HOST = "127.0.0.1"
#: How long a shell may take from claiming a run to leaving its number.
_CLAIM_SECONDS = 5.0
#: The bookkeeping around the algorithm. Only the shell that makes the file `claimed` goes on, so
#: that a node may start a second one when it cannot know whether its earlier life did. Field 22
#: of the process's status is its birth. A node that is killed meanwhile reads no more of what the
#: shell says; that must not end the shell. ``ulimit -f`` counts 512 bytes, ``-v`` kB.
_SCRIPT = """
set -C; {{ : >claimed; }} 2>/dev/null || exit; set +C
read -r status </proc/$$/stat; set -f; set -- $status
echo "$$ ${{22}}" >pid.new && mv pid.new pid
trap '' PIPE; echo running 2>/dev/null; exec >&-; trap - PIPE
ulimit -c 0; ulimit -f {blocks}; ulimit -v {kilobytes}
{command} >log 2>&1 </dev/null
echo $? >exit.new && mv exit.new exit
"""


class ProcessRuntime:
    """Runs the command that the configuration names for an image.

    Parameters
    ----------
    folder
        Where the runtime keeps what it knows about each process.
    commands
        Image to command line.
    """

    def __init__(
        self, folder: Path, commands: Mapping[str, tuple[str, ...]], limits: LimitConfig
    ) -> None:
        self._folder = folder
        self._commands = commands
        self._limits = limits
        self._children: dict[int, subprocess.Popen[bytes]] = {}
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        log.warning("runtime `process`: algorithms are NOT isolated; never use it with real data")

    def fetch(
        self,
        image: str,
        cancelled: Callable[[], bool],  # noqa: ARG002
        pulling: Pulling = nullcontext,  # noqa: ARG002
        registries: Registries | None = None,  # noqa: ARG002
    ) -> Image:
        """Return the image if a command is configured for it."""
        if image not in self._commands:
            raise RefusalError(
                TaskStatus.NO_DOCKER_IMAGE,
                "image_not_found",
                f"This node has no program for the image {image} (setting `processes`).",
            )
        # What runs is the command: another command is another image.
        digest = hashlib.sha256(json.dumps(self._commands[image]).encode()).hexdigest()
        return Image(image, frozenset({f"sha256:{digest}"}))

    def find_image(self, image: str) -> Image | None:
        """Return the image if a command is configured for it."""
        return self.fetch(image, lambda: False) if image in self._commands else None

    def create(self, spec: RunSpec) -> Handle:
        """Write down what will run, and open its listener."""
        folder = self._folder / folder_name(spec.result_id)
        if (folder / "state.json").exists():
            return self._handle(spec.result_id)
        folder.mkdir(mode=0o700, exist_ok=True)
        listener = listen(_HOST)
        port = listener.getsockname()[1]
        state = {
            "command": list(self._commands[spec.image]),
            "port": port,
            "environment": self._environment(spec, port),
        }
        write_durably(folder / "state.json", json.dumps(state).encode())
        return Handle(spec.result_id, str(folder), port, listener=listener)

    def start(self, handle: Handle, answer: Answer) -> Handle:
        """Run the command in a session of its own, once."""
        folder = Path(handle.id)
        try:
            answer(handle.listener or listen(_HOST, handle.port))
        except OSError as error:
            # Not every algorithm needs the listener.
            log.error("listener not open", result_id=handle.result_id, reason=str(error))
        if not (folder / "pid").exists():
            self._run(handle.result_id, folder)
        return self._handle(handle.result_id)

    def _run(self, result_id: int, folder: Path) -> None:
        """Start a shell, and return when it, or an earlier one, runs the command."""
        state = json.loads((folder / "state.json").read_bytes())
        script = _SCRIPT.format(
            blocks=self._limits.file_bytes // 512,
            kilobytes=self._limits.memory_bytes // 1024,
            command=shlex.join(state["command"]),
        )
        process = subprocess.Popen(  # noqa: S603 (the station's administrator wrote the command)
            ["/bin/sh", "-c", script],
            cwd=folder,
            env=state["environment"],
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
        )
        with process.stdout as said:  # type: ignore[union-attr]
            if said.readline():
                self._children[result_id] = process
                return
        process.wait()
        deadline = time.monotonic() + _CLAIM_SECONDS
        while not (folder / "pid").exists() and time.monotonic() < deadline:
            time.sleep(0.01)

    def find(self, result_id: int, answer: Answer) -> Handle | None:
        """Return what an earlier life created; what was only created is started."""
        folder = self._folder / folder_name(result_id)
        if not (folder / "state.json").exists():
            return None
        return self.start(self._handle(result_id), answer)

    def log(self, result_id: int, most: int) -> str:
        """Return the end of what a process has printed."""
        return self._log(self._folder / folder_name(result_id), most)

    def wait(self, handle: Handle) -> Exit:
        """Sleep until the kernel says that the process ended."""
        folder = Path(handle.id)
        timed_out = False
        descriptor = _descriptor(folder)
        if descriptor is not None:
            try:
                if not _has_ended(descriptor, self._milliseconds_left(handle)):
                    timed_out = True
                    self.kill(handle.result_id)
                    _has_ended(descriptor, None)
            finally:
                os.close(descriptor)
        self._reap(handle.result_id)
        return Exit(
            _exit_code(folder, timed_out),
            self._log(folder, self._limits.log_bytes),
            timed_out=timed_out,
        )

    def kill(self, result_id: int) -> None:
        """End the process and everything it started in its session."""
        folder = self._folder / folder_name(result_id)
        descriptor = _descriptor(folder)
        if descriptor is None:
            return
        try:
            if not _has_ended(descriptor, 0):
                os.killpg(_identity(folder)[0], signal.SIGKILL)
        except ProcessLookupError:
            pass
        finally:
            os.close(descriptor)

    def memory_bytes(self, result_id: int) -> int | None:
        """Return how much memory a process uses, without those that it started."""
        folder = self._folder / folder_name(result_id)
        try:
            pages = Path(f"/proc/{_identity(folder)[0]}/statm").read_text().split()[1]
        except (OSError, ValueError, IndexError):
            return None
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def remove(self, result_id: int) -> None:
        """Forget a process."""
        self.kill(result_id)
        self._reap(result_id)
        shutil.rmtree(self._folder / folder_name(result_id), ignore_errors=True)

    def sweep(self, keep: set[int]) -> None:
        """End and forget what no result needs."""
        for folder in self._folder.iterdir():
            result_id = int(folder.name.rpartition("-")[2])
            if result_id not in keep:
                self.remove(result_id)

    def sweep_images(self) -> None:
        """Do nothing: there are no images."""

    def close(self) -> None:
        """Do nothing: there is no engine."""

    def _handle(self, result_id: int) -> Handle:
        folder = self._folder / folder_name(result_id)
        state = json.loads((folder / "state.json").read_bytes())
        return Handle(result_id, str(folder), state["port"], _read_start(folder))

    def _environment(self, spec: RunSpec, port: int) -> dict[str, str]:
        database = spec.database
        paths = ContainerPaths(
            io=str(spec.io),
            temporary=str(spec.temporary),
            database=str(database.path) if database.path else database.uri,
            host=f"http://{_HOST}",
            port=port,
        )
        return {"PATH": os.environ.get("PATH", os.defpath)} | environment(spec, paths)

    def _milliseconds_left(self, handle: Handle) -> float | None:
        if self._limits.seconds is None:
            return None
        started_at = handle.started_at or clock.now()
        spent = (clock.now() - started_at).total_seconds()
        return max(0.0, self._limits.seconds - spent) * 1000

    def _reap(self, result_id: int) -> None:
        """Collect our own child; an adopted process is collected by init."""
        child = self._children.pop(result_id, None)
        if child is not None:
            child.wait()

    def _log(self, folder: Path, most: int) -> str:
        try:
            with (folder / "log").open("rb") as file:
                file.seek(max(0, os.fstat(file.fileno()).st_size - most))
                return end_of(file.read(most), most)
        except FileNotFoundError:
            return ""


def _identity(folder: Path) -> tuple[int, str]:
    """Return number and birth of a process."""
    number, birth = (folder / "pid").read_text().split()
    return int(number), birth


def _read_start(folder: Path) -> datetime | None:
    """Return when the shell left its number, just before it ran the command."""
    try:
        return datetime.fromtimestamp((folder / "pid").stat().st_mtime, UTC)
    except FileNotFoundError:
        return None


def _birth(pid: int) -> str:
    """Return when a process started, in clock ticks since boot; with the number it is unique."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (FileNotFoundError, ProcessLookupError):
        return "0"


def _descriptor(folder: Path) -> int | None:
    """Return a descriptor of the process, or None if it is gone."""
    try:
        number, birth = _identity(folder)
        descriptor = os.pidfd_open(number)
    except (FileNotFoundError, ProcessLookupError):
        return None
    # SECURITY: asked after opening, so that the number cannot have been given away in between.
    if _birth(number) != birth:
        os.close(descriptor)
        return None
    return descriptor


def _has_ended(descriptor: int, milliseconds: float | None) -> bool:
    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(milliseconds))


def _exit_code(folder: Path, timed_out: bool) -> int | None:
    try:
        return int((folder / "exit").read_text())
    except (FileNotFoundError, ValueError):
        # The shell was killed together with the algorithm, or the machine stopped.
        return SIGKILL_CODE if timed_out else None
