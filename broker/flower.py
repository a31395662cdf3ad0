"""What Flower is told: each node is a worker of Celery to it, and each result a task.

SECURITY: names come from researchers and data stations and are shown to operators, some of them
as HTML; nothing of an input, an output or a log is told.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from vantage6.broker.telemetry import Telemetry
from vantage6.common.task_status import TaskStatus

#: A node is said to be there this often, and counts as gone after twice this time.
BEAT_SECONDS = 10.0
_STRANGE = re.compile(r"[^\w .:/@+-]")
_LONGEST = 200


@dataclass(frozen=True)
class Work:
    """A result, and the node that has it."""

    result_id: int
    task_id: int
    node_id: int
    node_name: str
    #: Not known where the task was removed.
    image: str | None


class Flower:
    """Tells Flower what becomes of results and nodes; nothing here waits or fails.

    Parameters
    ----------
    telemetry
        What carries the events.
    is_on
        Whether there is a Flower; nothing is told where not.
    """

    def __init__(self, telemetry: Telemetry, *, is_on: bool = True) -> None:
        self._telemetry = telemetry
        self.is_on = is_on

    def received(self, work: Work) -> None:
        """Say that a node was told of a result."""
        self._tell("task-received", work, retries=0)

    def started(self, work: Work) -> None:
        """Say that a node took a result."""
        self._tell("task-started", work)

    def ended(self, work: Work, status: TaskStatus, seconds: float) -> None:
        """Say how a result ended after so many seconds of computing."""
        if status == TaskStatus.COMPLETED:
            self._tell("task-succeeded", work, runtime=seconds, result="")
        elif status == TaskStatus.KILLED:
            self.killed(work)
        else:
            self._tell("task-failed", work, exception=str(status), traceback="")

    def killed(self, work: Work) -> None:
        """Say that a result was killed."""
        self._tell("task-revoked", work, terminated=True, signum=None, expired=False)

    def nodes(self, names: Mapping[int, str], online: Iterable[int]) -> None:
        """Tell Flower which nodes are online; it takes all others for offline."""
        there = set(online)
        for id_, name in names.items():
            kind = "worker-heartbeat" if id_ in there else "worker-offline"
            self._telemetry.tell(kind, hostname(id_, name), freq=BEAT_SECONDS, active=None)

    def _tell(self, kind: str, work: Work, **fields: object) -> None:
        if not self.is_on:
            return
        named = {} if work.image is None else {"name": harmless(work.image)}
        self._telemetry.tell(
            kind,
            hostname(work.node_id, work.node_name),
            uuid=f"result-{work.result_id}",
            args=f"task {work.task_id}",
            kwargs="",
            **named,
            **fields,
        )


def hostname(node_id: int, name: str) -> str:
    """Return what a node is called in Flower; names need not differ, so its id is in it."""
    return f"{harmless(name) or 'node'}@node-{node_id}"


def harmless(text: str) -> str:
    """Return a text of which no page and no log can be made to do anything."""
    return _STRANGE.sub("_", text)[:_LONGEST]
