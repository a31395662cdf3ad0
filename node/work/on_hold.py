"""Results that wait for a person at the station: without a thread, a slot or their input."""

import threading
from collections.abc import Iterator

from vantage6.common import logs
from vantage6.common.task_status import TaskStatus
from vantage6.node.outcomes import Reason, reason_to_json
from vantage6.node.work.context import NodeContext
from vantage6.node.work.execution import Execution

log = logs.get(__name__)


class OnHold:
    """The results of one node that are on hold. Safe for threads.

    Parameters
    ----------
    context
        What all results share.
    """

    def __init__(self, context: NodeContext) -> None:
        self._context = context
        self._lock = threading.Lock()
        #: Each with the version of the rules under which it was looked at last.
        self._executions: dict[int, tuple[Execution, str]] = {}
        #: Those of which the server does not know yet that they wait.
        self._untold: set[int] = set()

    def note_changes(self) -> None:
        """Write changes of the pause and of the grants into the audit."""
        try:
            self._context.gate.note_changes(self._context.audit.record)
        except OSError as error:
            # They are in their own files as well, and the next look tries again.
            log.warning("change not in the audit file", reason=str(error))

    def add(self, execution: Execution, reason: Reason) -> bool:
        """Put a result on hold, and tell the server; return whether it was not ended meanwhile."""
        version = self._context.policies.version
        execution.put_aside()
        execution.waits_for = reason
        log.info("result on hold", result_id=execution.result_id, reason=reason.code)
        is_told = _tell(execution)
        with self._lock:
            if execution.is_interrupted:
                return False
            self._executions[execution.result_id] = execution, version
            if not is_told:
                self._untold.add(execution.result_id)
        return True

    def discard(self, result_id: int) -> bool:
        """Take a result out that is ended; return whether it was on hold."""
        with self._lock:
            self._untold.discard(result_id)
            return self._executions.pop(result_id, None) is not None

    def take(self) -> Iterator[Execution]:
        """Take those out that may go on: they are answered, or no rule holds them any more.

        One after the other, so that none is lost that was taken before another one failed.
        """
        with self._lock:
            found = list(self._executions.values())
        for execution, version in found:
            if self._take(execution, version):
                yield execution

    def take_at_once(self, execution: Execution) -> bool:
        """Take one out that was answered while it was put on hold; return whether it was.

        It goes round like this once: what `check` holds again waits for the next look at all.
        """
        with self._lock:
            version = self._executions.get(execution.result_id, (execution, ""))[1]
        if execution.was_taken_at_once or not self._take(execution, version):
            return False
        execution.was_taken_at_once = True
        return True

    def _take(self, execution: Execution, version: str) -> bool:
        id_ = execution.result_id
        if not self._may_go_on(id_, version) or not self.discard(id_):
            return False
        execution.waits_for = None
        return True

    def tell(self) -> None:
        """Tell the server of those of which it could not be told when they were put on hold."""
        with self._lock:
            untold = [self._executions[id_][0] for id_ in sorted(self._untold)]
        for execution in untold:
            if not _tell(execution):
                return  # the server is away; the next comparison comes soon
            with self._lock:
                self._untold.discard(execution.result_id)

    def _may_go_on(self, result_id: int, version: str) -> bool:
        is_changed = version != self._context.policies.version
        return is_changed or self._context.gate.is_ready(result_id)


def _tell(execution: Execution) -> bool:
    # SECURITY: the server can read the reason; it names nothing of the request.
    reason = reason_to_json(execution.waits_for)
    return reason is None or execution.announce(TaskStatus.PENDING, reason=reason)
