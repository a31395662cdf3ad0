"""What people at the station want to know of the results that the node has at hand."""

import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from vantage6.node.work.execution import Execution

#: How long people wait for the memory of what runs.
_MEMORY_SECONDS = 2.0


def describe(executions: Iterable[Execution]) -> list[dict[str, Any]]:
    """Return what is known of some results.

    The memory of what runs is left out where the engine is slow to tell it.
    """
    found = list(executions)
    memory: dict[int, int | None] = {}
    deadline = time.monotonic() + _MEMORY_SECONDS

    def look() -> None:
        for execution in found:
            if time.monotonic() > deadline:
                return
            # Whatever an engine answers to that, the list is more important.
            with suppress(Exception):
                memory[execution.result_id] = execution.memory_bytes()

    thread = threading.Thread(target=look, name="memory", daemon=True)
    thread.start()
    thread.join(_MEMORY_SECONDS)
    return [
        _describe(execution) | {"memory_bytes": memory.get(execution.result_id)}
        for execution in found
    ]


def _describe(execution: Execution) -> dict[str, Any]:
    record = execution.record
    return {
        "result_id": record.result_id,
        "task_id": record.task_id,
        "run_id": record.run_id,
        "state": _state(execution),
        "image": record.image,
        "method": record.method,
        "organization": record.organization,
        "user": record.user,
        "since": record.started_at or record.claimed_at,
    }


def _state(execution: Execution) -> str:
    if execution.was_stopped:
        return "stopping"
    if execution.is_computed:
        return "to be delivered"
    if execution.record.started_at:
        return "running"
    if execution.waits_for is not None:
        return "paused" if execution.waits_for.code == "station_paused" else "awaits approval"
    return "waiting"
