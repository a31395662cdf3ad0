"""Waiting until something at the server has happened, and showing how far it is."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, TextIO

from vantage6.client.session import Document
from vantage6.common.errors import TooMany, Unavailable, V6Error
from vantage6.common.task_status import UNFINISHED, TaskStatus
from vantage6.common.terminal_text import one_line

if TYPE_CHECKING:
    from rich.console import Console

#: How long a server that does not answer is asked again before the wait is given up.
_PATIENCE_SECONDS = 300.0


#: What a station waits for, by the code of its reason, in words that an organization follows.
HOLDS = {
    "awaiting_approval": "waits for approval at",
    "awaiting_release": "waits for a look at its output at",
    "station_paused": "waits for the end of a pause at",
}


class StillRunning(V6Error, TimeoutError):
    """The task is not complete yet; it goes on."""

    code = "still_running"


class Results(list[Document]):
    """Results as a list. A notebook shows a line for each, and not all their bytes."""

    def _repr_pretty_(self, printer: Any, _: bool) -> None:
        """Print a line for each result; IPython calls it for the last value of a cell."""
        lines = [
            f"result {one.get('id')}: {one.get('status')}, {len(one.get('result') or '')} bytes"
            for one in self
        ]
        known = {str(one["task"]["id"]) for one in self if isinstance(one.get("task"), dict)}
        task = known.pop() if len(known) == 1 else "task_id"
        lines.append(f"client.result.from_task({task}) returns them as Python objects.")
        printer.text("\n".join(map(one_line, lines)))


class Display(Protocol):
    """Somewhere to show how far a task is."""

    def show(self, status: Document, elapsed: float) -> None:
        """Show the status of a task after a number of seconds."""


class TerminalDisplay(AbstractContextManager["TerminalDisplay"]):
    """A bar that grows with each organization that ends, for a person at a terminal.

    Parameters
    ----------
    console
        The terminal; standard output when absent.
    """

    def __init__(self, console: "Console | None" = None) -> None:
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn

        self._progress = Progress(
            SpinnerColumn(),
            BarColumn(bar_width=20),
            TextColumn("{task.description}", markup=False),
            console=console,
            transient=True,
        )
        self._bar = self._progress.add_task("Waiting for results", total=None)

    def show(self, status: Document, elapsed: float) -> None:
        """Show the status of a task after a number of seconds."""
        states = _states(status)
        ended = len(states) - sum(state in UNFINISHED for state in states)
        self._progress.update(
            self._bar,
            description=summary(status, elapsed),
            total=len(states) or None,
            completed=ended,
        )

    def __enter__(self) -> "TerminalDisplay":
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()


class NotebookDisplay(AbstractContextManager["NotebookDisplay"]):
    """A line that is written over, for a person at a notebook, who needs no widgets for it.

    Parameters
    ----------
    out
        What the notebook shows below the cell; standard output when absent.
    """

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stdout
        self._line = ""

    def show(self, status: Document, elapsed: float) -> None:
        """Show the status of a task after a number of seconds."""
        line = summary(status, elapsed)
        if line != self._line:
            # Blanks cover what is left of a longer line.
            self._out.write(f"\r{line:<{len(self._line)}}")
            self._out.flush()
            self._line = line

    def __exit__(self, *_: object) -> None:
        self._out.write("\n" if self._line else "")
        self._out.flush()


class SilentDisplay:
    """Shows nothing, for programs."""

    def show(self, status: Document, elapsed: float) -> None:
        """Show nothing."""


def display() -> AbstractContextManager[Display]:
    """Return the display that fits where this program runs."""
    if sys.stdout.isatty():
        return TerminalDisplay()
    # A notebook puts its own stream there.
    if type(sys.stdout).__module__.startswith("ipykernel."):
        return NotebookDisplay()
    return nullcontext(SilentDisplay())


def _states(status: Document) -> list[str]:
    """Return the status of each result; nothing from a server that sends only links."""
    return [result["status"] for result in status.get("results") or [] if "status" in result]


def summary(status: Document, elapsed: float) -> str:
    """Return one line about a task: how many organizations have come how far."""
    states = _states(status)
    clock = f"{int(elapsed) // 60}:{int(elapsed) % 60:02}"
    line = f"Task {status['id']}"
    if states:
        done = states.count(TaskStatus.COMPLETED)
        waiting = states.count(TaskStatus.PENDING)
        held = [one.get("waits_for") for one in status["results"]].count("awaiting_approval")
        running = sum(state in UNFINISHED for state in states) - waiting
        failed = len(states) - done - waiting - running
        line += f": {done} of {len(states)} organizations done"
        line += f", {running} running" if running else ""
        line += f", {waiting} waiting" if waiting else ""
        line += f" ({held} for approval)" if held else ""
        line += f", {failed} failed" if failed else ""
    return one_line(f"{line} ({clock})")


def pauses(
    shortest: float, longest: float, clock: Callable[[], float] = time.monotonic
) -> Iterator[float]:
    """Yield seconds to sleep between two questions: a twentieth of the time so far.

    A long wait asks seldom, and learns the end at most a twentieth of its length late.
    """
    started = clock()
    while True:
        yield min(max(shortest, (clock() - started) / 20), longest)


def until_complete(
    status: Callable[[], Document],
    sleeps: Iterator[float],
    *,
    timeout: float | None = None,
    on: Display | None = None,
) -> Document:
    """Ask for the status of a task until it is complete, and return the last one.

    Parameters
    ----------
    status
        Asks once; the answer has ``id`` and ``complete``.
    sleeps
        Seconds between two questions, such as `pauses`.
    timeout
        Seconds after which to give up; None to wait for ever.
    on
        Where to show how far the task is.

    Raises
    ------
    StillRunning
        If the time is up.
    Unavailable, TooMany
        If the server has not answered for minutes.
    """
    started = heard = time.monotonic()
    while True:
        pause = next(sleeps)
        try:
            now = status()
            heard = time.monotonic()
            if on is not None:
                on.show(now, heard - started)
            if now["complete"]:
                return now
        except (Unavailable, TooMany) as error:
            # A server that restarts must not end a wait of hours.
            if time.monotonic() - heard > _PATIENCE_SECONDS:
                raise
            if isinstance(error, TooMany):
                pause = max(pause, min(error.retry_after, _PATIENCE_SECONDS))
        if timeout is not None:
            left = started + timeout - time.monotonic()
            if left <= 0:
                raise StillRunning(
                    f"The task was not complete within {timeout:g} seconds; it goes on."
                )
            pause = min(pause, left)
        time.sleep(pause)
