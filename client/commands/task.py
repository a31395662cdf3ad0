"""``vantage6 task``: tasks that were sent."""

from typing import Any

import click

from vantage6.client.commands.connection import Connection, unencrypted_option, with_login
from vantage6.common.cli import console
from vantage6.common.cli.program import examples

_HEADER = ("Id", "Name", "Status", "Image", "Sent", "Organizations")
#: Tasks are looked through in so many pages of this size at most.
_PAGE, _MOST_PAGES = 100, 10


@click.group()
def task() -> None:
    """List, show, stop and repeat tasks."""


@task.command(
    "list",
    epilog=examples(
        "vantage6 task list",
        "vantage6 task list --status failed --limit 5 --json",
    ),
)
@click.option("-c", "--collaboration", help="Name or id of a collaboration.")
@click.option("--status", help="Only those in a status, such as completed or failed.")
@click.option("--image", help="Only those of an image; % stands for anything.")
@click.option("--limit", default=20, show_default=True, help="So many, newest first.")
@click.option("--subtasks", is_flag=True, help="Also those that central functions have sent.")
@with_login
def list_(
    connection: Connection,
    collaboration: str | None,
    status: str | None,
    image: str | None,
    limit: int,
    subtasks: bool,
) -> None:
    """List tasks, newest first, without their sub-tasks."""
    from vantage6.client.commands import names
    from vantage6.common.cli import table

    client = connection.client
    id_ = names.find_collaboration(client, collaboration)["id"] if collaboration else None
    limit = max(1, min(limit, _PAGE))
    found: list[dict[str, Any]] = []
    for page in range(1, _MOST_PAGES + 1):
        rows = client.task.list(
            collaboration=id_,
            status=status,
            image=image,
            page=page,
            per_page=limit if subtasks else _PAGE,
            include_metadata=False,
        )
        found += [one for one in rows if subtasks or one["parent"] is None]
        if len(found) >= limit or len(rows) < _PAGE:
            break
    found = found[:limit]

    def show() -> None:
        table.show(_HEADER, [_row(one) for one in found])

    connection.answer([_summary(one) for one in found], show)


@task.command(
    epilog=examples(
        "vantage6 task show 12",
    )
)
@click.argument("id_", metavar="TASK", type=int)
@with_login
def show(connection: Connection, id_: int) -> None:
    """Show a task, and how far each organization is."""
    from vantage6.client.commands import names
    from vantage6.common.cli import table

    client = connection.client
    found = client.task.get(id_)
    results = client.result.list(task=id_, payload=False, include_metadata=False)
    members = _names(connection, found)
    rows = [
        {
            "id": one["id"],
            "organization": names.named(members, one["organization"]["id"]),
            "status": one["status"],
            "reason": one["reason"],
            "started_at": one["started_at"],
            "finished_at": one["finished_at"],
        }
        for one in sorted(results, key=lambda one: int(one["id"]))
    ]

    def show() -> None:
        for title, value in _described(found):
            console.say(f"{title:<14} {value}")
        console.say()
        header = ("Result", "Organization", "Status", "Finished", "Reason")
        table.show(header, [_progress_row(one) for one in rows])

    connection.answer({**_summary(found), "results": rows}, show)


@task.command(
    epilog=examples(
        "vantage6 task kill 12",
    )
)
@click.argument("id_", metavar="TASK", type=int)
@with_login
def kill(connection: Connection, id_: int) -> None:
    """Stop a task and its sub-tasks."""
    said = connection.client.task.kill(id_)
    connection.answer({"task": id_, "message": said["msg"]}, lambda: console.say(said["msg"]))


@task.command(
    epilog=examples(
        "vantage6 task repeat 12",
    )
)
@click.argument("id_", metavar="TASK", type=int)
@unencrypted_option
@click.option("--no-wait", is_flag=True, help="Print the number of the new task, and end.")
@click.option("--timeout", type=float, help="Seconds to wait at most; the task goes on.")
@with_login
def repeat(
    connection: Connection, id_: int, unencrypted: bool, no_wait: bool, timeout: float | None
) -> None:
    """Send a task again, to the same organizations, and show the results.

    Where the collaboration is encrypted, your own organization must have been among the
    receivers: only what it received can be read.
    """
    from vantage6.client.commands import results, waiting

    client = connection.client
    results.set_up_for_task(connection, id_, unencrypted=unencrypted)
    fresh = client.task.repeat(id_)
    connection.note(f"Task {fresh['id']} was sent, a repetition of task {id_}.")
    waiting.finish(connection, fresh["id"], wait=not no_wait, timeout=timeout)


def _summary(found: dict[str, Any]) -> dict[str, Any]:
    keys = ("id", "name", "description", "status", "complete", "image", "database")
    return {
        **{key: found[key] for key in keys},
        "collaboration": (found["collaboration"] or {}).get("id"),
        "parent": (found["parent"] or {}).get("id"),
        "user": found["init_user"],
        "created_at": found["created_at"],
        "finished_at": found["finished_at"],
    }


def _row(found: dict[str, Any]) -> tuple[object, ...]:
    sent = (found["created_at"] or "")[:16].replace("T", " ")
    count = len(found["results"] or ())
    return (found["id"], found["name"], found["status"], found["image"], sent, count)


def _described(found: dict[str, Any]) -> list[tuple[str, object]]:
    from vantage6.common.terminal_text import one_line

    shown = _summary(found) | {"task": found["id"]}
    keys = [
        *("task", "name", "description", "status", "image", "database", "collaboration"),
        *("parent", "created_at", "finished_at"),
    ]
    return [
        (key.replace("_at", "").capitalize(), one_line(str(shown[key])))
        for key in keys
        if shown[key] not in (None, "")
    ]


def _progress_row(one: dict[str, Any]) -> tuple[object, ...]:
    finished = (one["finished_at"] or "")[:19].replace("T", " ")
    reason = (one["reason"] or {}).get("msg")
    return (one["id"], one["organization"]["name"], one["status"], finished, reason)


def _names(connection: Connection, found: dict[str, Any]) -> dict[int, str]:
    from vantage6.client.commands import names

    place = found["collaboration"]
    if place is None:
        return {}
    return dict(names.names_of(names.members_of(connection.client, place["id"])))
