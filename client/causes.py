"""Why a task failed, in one line: the first cause, also where it lies in a sub-task."""

from collections import deque
from collections.abc import Callable
from typing import Any

from vantage6.client.session import Document
from vantage6.common.errors import V6Error
from vantage6.common.task_status import FOR_PEOPLE, QUOTE, has_task_failed

#: So many sub-tasks are looked at of each of so many tasks: some thirty requests at most.
_MOST_SUBTASKS, _MOST_TASKS = 5, 5

Call = Callable[..., Any]


def of_task(call: Call, task_id: int, results: list[Document]) -> str | None:
    """Return one line about a task that failed, with its first cause; None if it did not.

    Parameters
    ----------
    call
        Asks the server: method, endpoint, ``params``.
    task_id
        Id of the task.
    results
        Its results, with logs that can be read as far as they can be.
    """
    failed = [result for result in results if has_task_failed(result.get("status"))]
    if not failed:
        return None
    first = next(filter(cause_line, failed), failed[0])
    name, said = _name(call, first), cause_line(first)
    if not said:
        said = _of_subtasks(call, task_id) or cause(first)
    return f"Task {task_id}: {len(failed)} of {len(results)} failed. {name}: {said}"


def cause(result: Document) -> str:
    """Return why one result failed: its reason, or at least its status."""
    reason = result.get("reason")
    return (
        str(reason["msg"])
        if isinstance(reason, dict) and reason.get("msg")
        else (f"{result.get('status')}.")
    )


def cause_line(result: Document) -> str:
    """Return the line that names the cause, and not only that the program ended."""
    reason, log_ = result.get("reason"), result.get("log")
    # Where logs are encrypted, the reason, which is not, quotes none of them. Lines of the other
    # stream can stand behind it.
    for line in reversed(log_.splitlines() if isinstance(log_, str) else []):
        if line.startswith(FOR_PEOPLE):
            return line.removeprefix(FOR_PEOPLE)
    is_bare = not isinstance(reason, dict) or (
        reason.get("code") == "exit_code" and QUOTE not in str(reason.get("msg", ""))
    )
    return "" if is_bare else cause(result)


def _of_subtasks(call: Call, task_id: int) -> str | None:
    """Return the cause in the first sub-task that failed and says why, level by level."""
    above = deque([task_id])
    try:
        for _ in range(_MOST_TASKS):
            if not above:
                break
            page = {"parent_id": above.popleft(), "page": 1, "per_page": _MOST_SUBTASKS}
            below = call("get", "task", params=page)
            for subtask in below if isinstance(below, list) else ():
                above.append(subtask["id"])
                results = call("get", "result", params={"task_id": subtask["id"], "payload": False})
                for result in results if isinstance(results, list) else ():
                    if has_task_failed(result.get("status")) and (said := cause_line(result)):
                        where = _name(call, result)
                        return f"Sub-task {subtask['id']} failed at {where}: {said}"
    except V6Error:  # not everybody may see sub-tasks
        pass
    return None


def _name(call: Call, result: Document) -> str:
    """Return the name of the organization that computed, or its number."""
    given = result.get("organization")
    id_ = given.get("id") if isinstance(given, dict) else given
    try:
        return str(call("get", f"organization/{id_}")["name"])
    except (V6Error, KeyError, TypeError):
        return f"organization {id_}"
