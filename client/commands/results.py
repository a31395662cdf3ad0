"""The results of a task: collected, judged, and shown to a person."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from vantage6.client import causes
from vantage6.client.commands import names
from vantage6.client.commands.connection import Connection
from vantage6.client.commands.endings import STILL_RUNNING, TASK_FAILED
from vantage6.common.cli import console, table
from vantage6.common.encoding import bytes_to_base64s
from vantage6.common.encryption import is_sealed
from vantage6.common.errors import Forbidden, NotFound
from vantage6.common.serialization import to_json
from vantage6.common.task_status import has_task_failed, has_task_finished
from vantage6.common.terminal_text import one_line

Document = dict[str, Any]

#: A longer input is not shown with the results.
_MOST_INPUT = 2**16
#: Wider or longer results are shown as JSON; longer JSON is cut.
_MOST_COLUMNS, _MOST_LINES, _MOST_LETTERS = 8, 200, 400


def set_up_for_task(connection: Connection, task_id: int, *, unencrypted: bool) -> Document:
    """Use the key of the login, or none, as the collaboration of a task needs; return the task.

    Raises
    ------
    Invalid
        If the login does not fit the collaboration.
    """
    client = connection.client
    task: Document = client.task.get(task_id)
    place = task["collaboration"]
    try:
        if place is None:
            raise NotFound("The collaboration is gone.")
        found = client.collaboration.get(place["id"])
        encrypted, name = bool(found["encrypted"]), f"Collaboration {found['name']}"
    except (Forbidden, NotFound):
        # What cannot be looked up is what the login says.
        encrypted = connection.profile.key is not None and not unencrypted
        name = "The collaboration"
    connection.set_up_encryption(encrypted=encrypted, unencrypted=unencrypted, where=name)
    return task


def fetch(connection: Connection, task: Document) -> list[Document]:
    """Return the results of a task as the client reads them, by their ids."""
    found = connection.client.result.from_task(task["id"])
    return sorted(found, key=lambda one: int(one["id"]))


def collect(connection: Connection, task: Document, found: list[Document]) -> Document:
    """Return a task with its results, as programs read them.

    Parameters
    ----------
    connection
        The login, with encryption set up.
    task
        The task.
    found
        What `fetch` has returned.
    """
    client = connection.client
    place = task["collaboration"]
    members: dict[int, str] = {}
    if place is not None:
        members = dict(names.names_of(names.members_of(client, place["id"])))
    complete = all(has_task_finished(one["status"]) for one in found)
    rows = [_result(one, members) for one in found]
    document = {
        **{"task": task["id"], "name": task["name"], "complete": complete},
        # A result is of use later only with what was asked for.
        **{"image": task["image"], "database": task["database"], "input": input_of(found)},
        "results": rows,
    }
    if any(has_task_failed(one["status"]) for one in found):
        document["cause"] = causes.of_task(client.call, task["id"], found)
    return document


def input_of(found: Iterable[Document]) -> Document | None:
    """Return what a task asks for, with method and arguments, where it is JSON that can be read."""
    payload = next((one["input"] for one in found if isinstance(one.get("input"), bytes)), b"")
    if len(payload) > _MOST_INPUT:
        return None
    try:
        input_ = json.loads(payload.removeprefix(b"json."))
    except (ValueError, RecursionError):
        return None
    return input_ if isinstance(input_, dict) else None


def _result(one: Document, members: dict[int, str]) -> Document:
    value, why = one["result"], one.get("refused")
    if isinstance(value, str) and is_sealed(value):
        value, why = None, "It is encrypted for another organization, or for another key."
    elif isinstance(value, bytes):
        # Neither JSON nor plain values: what it is, its algorithm says.
        value = {"base64": bytes_to_base64s(value)} if value else None
    elif value == "":
        value = None
    keys = ("id", "status", "reason", "started_at", "finished_at", "log")
    if has_task_failed(one["status"]) and not why:
        why = causes.cause_line(one) or causes.cause(one)
    return {
        **{key: one[key] for key in keys},
        "organization": names.named(members, one["organization"]["id"]),
        "result": value,
        **({"cause": why} if why else {}),
    }


def code_of(document: Document) -> int:
    """Return the exit code for a task."""
    if any(has_task_failed(one["status"]) for one in document["results"]):
        return TASK_FAILED
    return 0 if document["complete"] else STILL_RUNNING


def show(document: Document, views: Sequence[Any] = ()) -> None:
    """Print the results of a task, as a table where they make one.

    Parameters
    ----------
    document
        What `collect` has returned.
    views
        The views of the function, as its card has them.
    """
    rows = document["results"]
    values = [one for one in rows if one["result"] is not None]
    if not (views and _show_views(values, views, document["task"], is_alone=len(rows) == 1)):
        _show_values(values, document["task"], is_alone=len(rows) == 1)
    for one in rows:
        if one["result"] is None:
            console.say(one_line(f"{one['organization']['name']}: {_why_none(one)}"))


def _show_views(
    values: Sequence[Document], views: Sequence[Any], task_id: int, *, is_alone: bool
) -> bool:
    """Print results as the views say, unless one of them has another form."""
    from vantage6.client.commands.views import lines

    shown = [lines(one["result"], views) for one in values]
    if any(one is None for one in shown):
        return False
    for one, said in zip(values, shown, strict=True):
        if not is_alone:
            console.say(one_line(f"{one['organization']['name']}:"))
        _say_lines(said or [], task_id)
    return True


def _show_values(values: Sequence[Document], task_id: int, *, is_alone: bool) -> None:
    """Print results by their own form."""
    columns = _columns([one["result"] for one in values])
    if columns and not is_alone:
        cells = [
            (one["organization"]["name"], *(_text(one["result"][key]) for key in columns))
            for one in values
        ]
        table.show(("Organization", *columns), cells)
    elif columns:
        for key in columns:
            console.say(f"{one_line(key)}  {one_line(_text(values[0]['result'][key]))}")
    else:
        for one in values:
            _show_as_json(one, task_id, is_alone=is_alone)


def _columns(values: list[Any]) -> list[str]:
    """Return the keys of results that are rows of the same table; nothing for other ones."""
    if not values or not all(isinstance(value, dict) for value in values):
        return []
    keys = list(values[0])
    same = all(list(value) == keys for value in values)
    plain = all(_is_plain(cell) for value in values for cell in value.values())
    few = len(keys) <= _MOST_COLUMNS or len(values) == 1
    return [str(key) for key in keys] if same and plain and few else []


def _is_plain(value: Any) -> bool:
    return value is None or isinstance(value, str | int | float | bool)


def _text(value: Any) -> str:
    said = value if isinstance(value, str) else to_json(value).decode()
    return said if len(said) <= _MOST_LETTERS else f"{said[:_MOST_LETTERS]}..."


def _show_as_json(one: Document, task_id: int, *, is_alone: bool) -> None:
    if not is_alone:
        console.say(one_line(f"{one['organization']['name']}:"))
    _say_lines(json.dumps(json.loads(to_json(one["result"])), indent=2).splitlines(), task_id)


def _say_lines(lines: Sequence[str], task_id: int) -> None:
    for line in lines[:_MOST_LINES]:
        console.say(line)
    if len(lines) > _MOST_LINES:
        more = len(lines) - _MOST_LINES
        console.say(f"... {more} more lines: `vantage6 result save {task_id} FILE` keeps them all.")


def _why_none(one: Document) -> str:
    reason = (one["reason"] or {}).get("msg")
    parts: Iterable[str | None] = (one["status"], one.get("cause") or reason)
    return ": ".join(part for part in parts if part)
