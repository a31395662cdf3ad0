"""All results of this node: which are accepted, which run, which wait for their turn."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from vantage6.broker.messages import Message, ResultKilled
from vantage6.common import logs
from vantage6.common.errors import Invalid, Unauthenticated, Unavailable, V6Error
from vantage6.node.claims import Claim
from vantage6.node.outcomes import Reason
from vantage6.node.requests.gate import HeldExecution
from vantage6.node.spool.spool import Entry
from vantage6.node.work.comparison import find_unwanted
from vantage6.node.work.context import NodeContext
from vantage6.node.work.description import describe
from vantage6.node.work.execution import NOT_WANTED, Execution
from vantage6.node.work.on_hold import OnHold
from vantage6.node.work.retry import InterruptedExecution
from vantage6.node.work.slots import Slots, bounds

log = logs.get(__name__)

#: Results that give up their slots while their images are pulled.
_MOST_ASIDE = 64
#: How often it is said that the disk is nearly full.
_FULL_SECONDS = 60.0
#: Results of which the server refused every report that are remembered.
_MOST_REFUSED = 10_000


class Scheduler:
    """Turns doorbells into delivered results. Safe for threads.

    How many are computed at once is for `Slots` to say.

    Parameters
    ----------
    context
        What all results share.
    """

    def __init__(self, context: NodeContext) -> None:
        self._context = context
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._claiming: set[int] = set()
        #: When it was last said that the disk is nearly full.
        self._said_full = -_FULL_SECONDS
        self._active: dict[int, Execution] = {}
        self._slots = Slots(bounds(context.config))
        #: Results that have given up their slots for a pull.
        self._aside: set[int] = set()
        #: Active results whose thread has failed.
        self._stuck: set[int] = set()
        self._on_hold = OnHold(context)
        self._is_leaving = False
        #: Results of which the server refused every report. It may offer them again for ever.
        self._refused: deque[int] = deque(maxlen=_MOST_REFUSED)

    def handle(self, message: Message) -> None:
        """React to a doorbell.

        Raises
        ------
        Unavailable
            If the server does not answer: the doorbell has to come again.
        """
        if isinstance(message, ResultKilled):
            self.kill(message.result_id)
        else:
            self.accept(message.result_id, message.request_id)

    def accept(self, result_id: int, request_id: str | None = None) -> None:
        """Claim a result and see that it is computed; ignore one that is ours already.

        Parameters
        ----------
        result_id
            The result.
        request_id
            The request that created it, for the log.

        Raises
        ------
        Unavailable
            If the server does not answer.
        """
        with self._lock:
            if result_id in self._active or result_id in self._claiming:
                return
            if result_id in self._refused or not self._has_room(result_id):
                return
            self._claiming.add(result_id)
        try:
            claim = Claim.from_wire(self._context.server.claim(result_id), request_id)
            if claim.collaboration_id != self._context.collaboration_id:
                # SECURITY: what was agreed on encryption holds for one collaboration only.
                log.critical(
                    "not computed: the node was moved, start it again", result_id=result_id
                )
                return
            entry = self._context.spool.create(claim)
            execution = self._execution(entry, claim)
            log.info("result claimed", image=claim.image, **execution.origin)
            self._enqueue(execution)
        except (Unavailable, Unauthenticated):
            raise
        except V6Error as error:
            log.info("result not claimed", result_id=result_id, reason=str(error))
        finally:
            with self._lock:
                self._claiming.discard(result_id)

    def adopt(self) -> None:
        """Take up everything that an earlier life of the node left behind."""
        entries = self._context.spool.entries()
        ids = [entry.record.result_id for entry in entries]
        self._context.runtime.sweep(set(ids))
        self._context.gate.sweep(set(ids))
        unwanted = find_unwanted(self._context.server, ids)
        # Those first that are not wanted: they make room.
        for entry in sorted(entries, key=lambda entry: entry.record.result_id not in unwanted):
            log.info("result adopted", result_id=entry.record.result_id)
            execution = self._execution(entry)
            if execution.result_id in unwanted:
                execution.kill()
            self._enqueue(execution)

    def kill(self, result_id: int) -> None:
        """Drop a result that the server no longer wants, wherever it is."""
        with self._lock:
            execution = self._active.get(result_id)
        if execution is not None:
            log.info("result killed", result_id=result_id)
            self._end(result_id, execution, Execution.kill)

    def _end(self, result_id: int, execution: Execution, end: Callable[[Execution], None]) -> None:
        """End a result, wherever it is."""
        with self._lock:
            waited = self._slots.is_waiting(result_id)
            if waited:
                self._release(result_id)
        try:
            end(execution)
        finally:
            # Else one that waited would be in no queue any more, and in no thread.
            with self._lock:
                self._changed.notify_all()
                is_idle = waited or result_id in self._stuck or self._on_hold.discard(result_id)
                self._stuck.discard(result_id)
            if is_idle:
                self._spawn(execution)

    def describe(self) -> list[dict[str, Any]]:
        """Return what the node has at hand, for people at the station; see `describe`."""
        with self._lock:
            executions = [execution for _, execution in sorted(self._active.items())]
        return describe(executions)

    def result_ids(self) -> list[int]:
        """Return the results that the node has at hand."""
        with self._lock:
            return sorted(self._active)

    def stop_run(self, result_id: int, reason: str, by: str) -> dict[int, bool]:
        """Stop a result, and all others of its run that are here; nothing of them leaves.

        Parameters
        ----------
        result_id
            The result.
        reason
            For the researcher.
        by
            Who stops it, for the audit file.

        Returns
        -------
        dict
            For each result that was stopped, whether the server may have had its outcome before;
            none if the node does not have that result.
        """
        with self._lock:
            named = self._active.get(result_id)
            found = {
                id_: execution
                for id_, execution in self._active.items()
                if named is not None and execution.run_id == named.run_id
            }
        for execution in found.values():
            # All of them, before an engine is asked for one.
            execution.stop(reason)
        stopped = {id_: execution.has_left for id_, execution in sorted(found.items())}
        for id_, has_left in stopped.items():
            try:
                self._context.audit.record(
                    "stopped", result_id=id_, message=reason, by=by, left_before=has_left
                )
            except OSError as error:
                # What leaves is on record; what does not need not wait for room.
                log.warning("not in the audit file", result_id=id_, reason=str(error))
            log.warning("result stopped at the station", result_id=id_, reason=reason, by=by)
            self._end(id_, found[id_], Execution.end_algorithm)
        return stopped

    def is_active(self, result_id: int) -> bool:
        """Tell whether a result is still at this node."""
        with self._lock:
            return result_id in self._active

    def report(self) -> tuple[list[int], list[int]]:
        """Return the results that are worked on, and those that wait for their upload."""
        with self._lock:
            computed = [id_ for id_, execution in self._active.items() if execution.is_computed]
            others = (self._active.keys() | self._claiming) - set(computed)
        return sorted(others), computed

    def run_ids(self) -> set[int]:
        """Return the runs of which this node has results."""
        with self._lock:
            return {execution.run_id for execution in self._active.values()}

    def leave(self) -> None:
        """Stop working; algorithms run on and are adopted at the next start."""
        with self._lock:
            self._is_leaving = True
            self._slots.clear()
            for execution in self._active.values():
                execution.leave()
            self._changed.notify_all()

    def _has_room(self, result_id: int) -> bool:
        """Tell whether the disk has room for one more result, and for what is said about it.

        SECURITY: what cannot be written down must not be computed, and a full disk would stop the
        results that are computed already. The server offers it again at the next comparison.
        """
        context, least = self._context, self._context.config.keep_free_bytes
        free = context.spool.free_bytes()
        if free >= least and context.audit.has_room():
            return True
        now = time.monotonic()
        if now - self._said_full >= _FULL_SECONDS:
            # The log may fill the same disk.
            self._said_full = now
            log.error(
                "not claimed: the disk of the node's data folder is nearly full; make room",
                result_id=result_id,
                free_bytes=free,
                keep_free_bytes=least,
            )
        return False

    def _execution(self, entry: Entry, claim: Claim | None = None) -> Execution:
        id_ = entry.record.result_id
        return Execution(self._context, entry, claim, pulling=lambda: self._without_slot(id_))

    def _enqueue(self, execution: Execution) -> None:
        id_, level = execution.result_id, execution.level
        with self._lock:
            if self._is_leaving:
                return  # it is on disk, for the next start
            self._active[id_] = execution
            if execution.is_computed or execution.was_killed or level is None:
                self._spawn(execution)
            elif execution.was_started or execution.is_too_deep:
                if execution.was_started:
                    # What runs already is not stopped for lack of a slot.
                    self._slots.force(id_, level)
                self._spawn(execution)
            else:
                begun = self._slots.arrive(id_, level)
                if id_ not in begun:
                    execution.put_aside()
                self._fill_slots(begun)

    @contextmanager
    def _without_slot(self, result_id: int) -> Iterator[None]:
        """Let others have the slot of a result while its image is pulled."""
        with self._lock:
            gives = self._slots.holds(result_id) and len(self._aside) < _MOST_ASIDE
            if gives:
                self._aside.add(result_id)
                self._release(result_id)
        try:
            yield
            if gives:
                self._reacquire(result_id)
        finally:
            with self._lock:
                self._aside.discard(result_id)

    def _reacquire(self, result_id: int) -> None:
        """Wait for a slot, before all that never had one; or until it is no longer wanted."""
        with self._lock:
            execution = self._active[result_id]
            self._fill_slots(self._slots.reacquire(result_id, execution.level or 0))
            self._changed.wait_for(lambda: execution.is_interrupted or self._slots.holds(result_id))
            if execution.is_interrupted:
                self._release(result_id)

    def _release(self, result_id: int) -> None:
        """Give up a slot, or the wait for one. The lock is held."""
        self._fill_slots(self._slots.leave(result_id))
        self._changed.notify_all()

    def _fill_slots(self, result_ids: list[int]) -> None:
        """Let those go on whose turn it is. The lock is held."""
        for id_ in result_ids:
            if id_ not in self._aside:
                self._spawn(self._active[id_])
        self._changed.notify_all()

    def _spawn(self, execution: Execution) -> None:
        threading.Thread(
            target=self._work, args=(execution,), name=f"result-{execution.result_id}", daemon=True
        ).start()

    def _work(self, execution: Execution) -> None:
        with logs.bound(**execution.origin):
            self._work_on(execution)

    def _work_on(self, execution: Execution) -> None:
        try:
            try:
                self._compute_and_deliver(execution)
            except InterruptedExecution:
                if not execution.was_stopped or execution.was_killed:
                    raise
                execution.withhold()
                execution.deliver()
        except HeldExecution as hold:
            self._put_on_hold(execution, hold.reason)
            return
        except InterruptedExecution:
            if not execution.was_killed:
                return
            self._drop(execution, "killed")
        except NOT_WANTED as error:
            self._drop(execution, str(error))
        except Invalid as error:
            with self._lock:
                self._refused.append(execution.result_id)
            self._drop(execution, f"The server refuses every report of it: {error}")
        except Exception:
            # It stays on disk and is taken up again when it is ended, or the node starts.
            log.exception("result stuck", result_id=execution.result_id)
            self._put_down(execution)
            return
        try:
            execution.clean_up()
        except Exception:
            log.exception("remains not removed", result_id=execution.result_id)
        with self._lock:
            self._active.pop(execution.result_id, None)

    def _put_down(self, execution: Execution) -> None:
        """Leave a result without a thread, until `_end` gives it one."""
        with self._lock:
            if not execution.is_interrupted:
                self._stuck.add(execution.result_id)
                return
        # It was ended before it could be seen to have failed.
        self._spawn(execution)

    def take_up(self) -> None:
        """Let those results go on that are answered, or that no rule holds any more."""
        self._on_hold.note_changes()
        for execution in self._on_hold.take():
            self._enqueue(execution)
        self._on_hold.tell()

    def _put_on_hold(self, execution: Execution, reason: Reason) -> None:
        """Leave a result without a thread and without a slot, until `take_up` or `_end`."""
        if not self._on_hold.add(execution, reason):
            self._spawn(execution)  # it was ended meanwhile
        elif self._on_hold.take_at_once(execution):
            self._enqueue(execution)

    def _compute_and_deliver(self, execution: Execution) -> None:
        try:
            execution.compute()
        finally:
            with self._lock:
                self._release(execution.result_id)
        execution.deliver()

    def _drop(self, execution: Execution, why: str) -> None:
        log.info("result dropped", result_id=execution.result_id, reason=why)
        try:
            self._context.audit.record("dropped", result_id=execution.result_id, message=why)
        except Exception as error:
            # Nothing left the station; the node's log has to do, and the rest is to be removed.
            log.warning("not in the audit file", result_id=execution.result_id, reason=str(error))
