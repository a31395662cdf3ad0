"""What the server's documents look like, for those who let mypy read their scripts.

The methods of the client return plain dictionaries and lists, whose keys depend on ``fields=`` and
the like, so that they are typed as Any. To have the keys checked, name the type:

>>> task: Task = client.task.create(...)
>>> results: list[Result] = client.result.from_task(task["id"])

A refusal of the server has ``msg`` and ``code`` instead, unless the client was made with
``raise_errors=True``.

The server builds its answers as the same types; a task and a result differ in what the client
decrypts and puts in.
"""

from typing import Any

from vantage6.common.documents import (
    Collaboration,
    Link,
    Node,
    NodeConfigItem,
    Organization,
    PortReply,
    ReasonReply,
    ResultFacts,
    TaskBase,
)

__all__ = [
    "Collaboration",
    "Link",
    "Node",
    "NodeConfigItem",
    "Organization",
    "Port",
    "Reason",
    "Result",
    "Task",
]

Port = PortReply
Reason = ReasonReply


class Task(TaskBase):
    """A task; its ``status`` is a word of `vantage6.common.task_status.TaskStatus`."""

    #: Links; with ``include_results=True`` the results, as they travel.
    results: list[Any]


class Result(ResultFacts):
    """What one organization answered to a task."""

    #: Decrypted bytes, or the text of somebody else's input.
    input: bytes | str | None
    #: What the algorithm returned; bytes where it could not be decoded.
    result: Any
    log: str | None
    organization: Link
    #: A link; with ``include_task=True`` the task.
    task: Any
    node: dict[str, Any]
