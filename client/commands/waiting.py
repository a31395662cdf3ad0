"""Waiting for a task at a terminal: a line for each station, and a way back after Ctrl-C."""

import json
import os
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from vantage6.client import waiting
from vantage6.client.commands import names, results
from vantage6.client.commands.connection import Connection
from vantage6.client.commands.endings import INTERRUPTED
from vantage6.common.cli import console
from vantage6.common.task_status import UNFINISHED
from vantage6.common.terminal_text import one_line

if TYPE_CHECKING:
    from vantage6.common.cards import Function

Document = dict[str, Any]

#: With more stations than this, a terminal shows one line for all.
_MOST_LINES = 20
#: What the functions of the library say of a column that a station does not have.
_NO_COLUMN = "unknown_column: "


def finish(
    connection: Connection,
    task_id: int,
    *,
    wait: bool,
    timeout: float | None,
    function: "Function | None" = None,
) -> None:
    """Wait for a task that was sent, show its results, and end with the code that fits.

    Parameters
    ----------
    connection
        The login that sent it, with encryption set up.
    task_id
        Id of the task.
    wait
        Otherwise only the id is printed.
    timeout
        Seconds to wait at most.
    function
        What a card says of the function that the task asks for, if that is known already.

    Raises
    ------
    StillRunning
        If the time is up.
    """
    if not wait:
        connection.answer({"task": task_id}, lambda: console.say(task_id))
        return
    task = connection.client.task.get(task_id)
    until_complete(connection, task, timeout)
    show(connection, task, function)


def show(connection: Connection, task: Document, function: "Function | None" = None) -> None:
    """Show the results of a task, and end with the code that fits.

    Parameters
    ----------
    connection
        The login, with encryption set up.
    task
        The task.
    function
        As in `finish`.
    """
    from vantage6.client.commands import functions

    found = results.fetch(connection, task)
    document = results.collect(connection, task, found)

    def show_all() -> None:
        asked = function or functions.of_task(connection.client, task, found)
        results.show(document, asked.views if asked else ())

    connection.answer(document, show_all)
    if said := document.get("cause"):
        connection.note(f"vantage6: {said}")
        if place := task["collaboration"]:
            members = names.names_of(names.members_of(connection.client, place["id"]))
            if who := names.explained(said, members):
                connection.note(who)
        if _NO_COLUMN in said:
            database = task.get("database") or "default"
            connection.note(f"The task read the database {database}; --database names another.")
    if code := results.code_of(document):
        sys.exit(code)


def until_complete(connection: Connection, task: Document, timeout: float | None) -> None:
    """Wait until all organizations have ended.

    Raises
    ------
    StillRunning
        If the time is up; the task goes on.
    """
    client, id_ = connection.client, task["id"]
    place = task["collaboration"]
    members = names.names_of(names.members_of(client, place["id"])) if place else {}
    try:
        with _display(members) as screen:
            waiting.until_complete(
                lambda: client.task.status(id_),
                waiting.pauses(0.05, 2.0),
                timeout=timeout,
                on=screen,
            )
    except waiting.StillRunning as error:
        raise waiting.StillRunning(f"{error.message} {_way_back(id_)}") from error
    except KeyboardInterrupt:
        said = f"Task {id_} goes on. {_way_back(id_)}"
        if connection.as_json:
            why = {"code": "interrupted", "message": said}
            console.say(json.dumps({"task": id_, "error": why}))
        connection.note(f"\nvantage6: {said}".lstrip())
        sys.exit(INTERRUPTED)


def _way_back(task_id: int) -> str:
    return (
        f"Come back with `vantage6 result show {task_id} --wait`, or stop it with "
        f"`vantage6 task kill {task_id}`."
    )


def _display(members: Mapping[int, str]) -> AbstractContextManager[waiting.Display]:
    # A terminal that cannot write over lines gets a line for each change, like a file.
    if sys.stderr.isatty() and os.environ.get("TERM", "dumb") not in ("dumb", "unknown"):
        return ScreenOfStations(members)
    return nullcontext(LinesOfStations(members))


class LinesOfStations:
    """Writes a line to standard error for each change at a station.

    Parameters
    ----------
    members
        Names of organizations by id.
    """

    def __init__(self, members: Mapping[int, str]) -> None:
        self._members = members
        self._before: dict[int, str] = {}

    def show(self, status: Document, elapsed: float) -> None:
        """Show what has changed since the last time."""
        holds = _holds(status)
        for id_, state in _states(status).items():
            name = names.named(self._members, id_)["name"]
            said = f"{holds[id_]} {name}" if id_ in holds else f"{name}: {state}"
            if self._before.get(id_) != said:
                self._before[id_] = said
                console.say(one_line(f"{_clock(elapsed)}  {said}"), err=True)


class ScreenOfStations(AbstractContextManager["ScreenOfStations"]):
    """A line for each station, written over as it gets on; for a person at a terminal.

    Parameters
    ----------
    members
        Names of organizations by id.
    """

    def __init__(self, members: Mapping[int, str]) -> None:
        from rich.console import Console
        from rich.progress import Progress, SpinnerColumn, TextColumn

        self._members = members
        self._progress = Progress(
            SpinnerColumn(finished_text=" "),
            TextColumn("{task.description}", markup=False),
            console=Console(stderr=True),
        )
        self._lines: dict[int, Any] = {}

    def show(self, status: Document, elapsed: float) -> None:
        """Show how far each station is."""
        states = _states(status)
        if len(states) > _MOST_LINES:
            self._set(0, waiting.summary(status, elapsed), is_done=bool(status["complete"]))
            return
        width = max((len(self._name(id_)) for id_ in states), default=0)
        holds = _holds(status)
        for id_, state in states.items():
            is_done = state not in UNFINISHED
            clock = "" if is_done else f"  {_clock(elapsed)}"
            said = f"{holds[id_]} the station" if id_ in holds else state
            self._set(id_, one_line(f"{self._name(id_):<{width}}  {said}{clock}"), is_done=is_done)

    def __enter__(self) -> "ScreenOfStations":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def _name(self, id_: int) -> str:
        return str(names.named(self._members, id_)["name"])

    def _set(self, id_: int, line: str, *, is_done: bool) -> None:
        if id_ not in self._lines:
            self._lines[id_] = self._progress.add_task(line, total=1)
        self._progress.update(self._lines[id_], description=line, completed=int(is_done))


def _states(status: Document) -> dict[int, str]:
    """Return the status of each organization; nothing from a server that sends only links."""
    found = (one for one in status.get("results") or () if "status" in one)
    return {one["organization"]: str(one["status"]) for one in found if "organization" in one}


def _holds(status: Document) -> dict[int, str]:
    """Return in words what stations wait for, by organization, where one holds a result back."""
    found = ((one.get("organization"), one.get("waits_for")) for one in status.get("results") or ())
    return {id_: waiting.HOLDS[code] for id_, code in found if code in waiting.HOLDS}


def _clock(elapsed: float) -> str:
    return f"{int(elapsed) // 60}:{int(elapsed) % 60:02}"
