"""The states of a result, and through its results of a task."""

from enum import StrEnum


class TaskStatus(StrEnum):
    """State of one organization's execution of a task, as written on the wire."""

    #: Created; no node has taken it yet.
    PENDING = "pending"
    #: A node has claimed it and prepares to run it.
    INITIALIZING = "initializing"
    #: The algorithm runs.
    ACTIVE = "active"
    #: The algorithm ended with exit code 0.
    COMPLETED = "completed"
    #: The node gave up for a reason of its own.
    FAILED = "failed"
    #: The container could not be started.
    START_FAILED = "start failed"
    #: The image does not exist or may not be pulled.
    NO_DOCKER_IMAGE = "non-existing Docker image"
    #: The algorithm ended with another exit code than 0.
    CRASHED = "crashed"
    #: A user killed the task.
    KILLED = "killed by user"
    #: The policy of the node forbids the task.
    NOT_ALLOWED = "not allowed"
    #: The container vanished, or the node never came back.
    UNKNOWN_ERROR = "unknown error"


#: A result in one of these states can still change.
UNFINISHED = frozenset({TaskStatus.PENDING, TaskStatus.INITIALIZING, TaskStatus.ACTIVE})
#: A line of the log of an algorithm that begins so was written for people; a reason may quote it.
FOR_PEOPLE = "reason > "
#: How a reason goes on that quotes such a log: its last words, or its last error.
QUOTE = " Its last "


#: The states of a task, and the states of results that lead to each: the first one that any result
#: is in. A task without results is in none of them.
TASK_STATES: dict[str, frozenset[TaskStatus]] = {
    TaskStatus.FAILED: frozenset(TaskStatus) - UNFINISHED - {TaskStatus.COMPLETED},
    TaskStatus.ACTIVE: frozenset({TaskStatus.ACTIVE}),
    TaskStatus.INITIALIZING: frozenset({TaskStatus.INITIALIZING}),
    TaskStatus.PENDING: frozenset({TaskStatus.PENDING}),
    TaskStatus.COMPLETED: frozenset({TaskStatus.COMPLETED}),
}
#: The state of a task without results.
NO_RESULTS = "unknown"


def has_task_failed(status: str | None) -> bool:
    """Tell whether a status means failure; an unknown word does."""
    return status != TaskStatus.COMPLETED and status not in UNFINISHED


def has_task_finished(status: str | None) -> bool:
    """Tell whether a status can no longer change."""
    return status not in UNFINISHED
