"""One result, from the claim to the moment when the server has its outcome.

Every step can be repeated after a crash of the node, except that an algorithm is never started
twice: what was started is found again, or reported as lost.
"""

import socket
import threading
from contextlib import ExitStack, closing, nullcontext, suppress
from dataclasses import replace
from itertools import islice
from typing import Any

from vantage6.common import clock, logs
from vantage6.common.backoff import delays
from vantage6.common.errors import Conflict, Forbidden, Invalid, NotFound
from vantage6.common.task_status import TaskStatus
from vantage6.node.claims import Claim
from vantage6.node.outcomes import Exit, Outcome, Reason, RefusalError, judge, limits_met
from vantage6.node.proxy.server import ProxyServer
from vantage6.node.requests.gate import HeldExecution
from vantage6.node.rules.result_audit import ResultAudit
from vantage6.node.runtime.base import EngineUnavailable, Handle, Pulling
from vantage6.node.runtime.counters import Counters
from vantage6.node.spool import disk_usage
from vantage6.node.spool.record import Record
from vantage6.node.spool.spool import Entry
from vantage6.node.work.context import NodeContext
from vantage6.node.work.delivery import NODE_ERROR, deliver
from vantage6.node.work.live_log import LiveLog
from vantage6.node.work.preparation import Preparation
from vantage6.node.work.retry import SERVER_AWAY, InterruptedExecution, Retry

log = logs.get(__name__)

#: The server no longer wants the result: finished, killed, deleted, or given to another node.
NOT_WANTED = (Conflict, NotFound, Forbidden)
_REMOVALS = 5
#: A disk with less room is full.
_FULL_BYTES = 2**20
_NO_LOG = "This node keeps what algorithms print to itself (its setting `share_logs`)."


class Execution:
    """One result of this node.

    Parameters
    ----------
    context
        What all results share.
    entry
        The result on disk.
    claim
        The work order if it is fresh; for what an earlier life of the node left, it is asked for
        again where it is needed.
    pulling
        Entered while an image is pulled.
    """

    def __init__(
        self,
        context: NodeContext,
        entry: Entry,
        claim: Claim | None = None,
        pulling: Pulling = nullcontext,
    ) -> None:
        self._context = context
        self._entry = entry
        self._claim = claim
        self._pulling = pulling
        self._is_new = claim is not None
        self._proxy_server: ProxyServer | None = None
        self._killed = self._disk_exceeded = self._is_left = False
        #: The server has the outcome.
        self.is_delivered = False
        #: Why it is on hold, if it is.
        self.waits_for: Reason | None = None
        self.was_taken_at_once = False
        self.result_id = entry.record.result_id
        self._retry = Retry(self.result_id, context.audit)
        self._result_audit = ResultAudit(
            context.audit, self.result_id, context.quotas.of(entry.record.run_id)
        )
        self.run_id = entry.record.run_id
        #: How many tasks are above; None for a sub-task of which the server does not say it.
        self.level = entry.record.level
        if self.level is None and not entry.record.is_subtask:
            self.level = 0
        deepest = context.config.subtask_levels
        #: It is refused, and takes no turn: its parents may hold all slots of the last level.
        self.is_too_deep = self.level is not None and self.level > deepest
        if self.level is not None:
            self.level = min(self.level, deepest)
        self.was_started = entry.record.started_at is not None
        self.is_computed = entry.outcome() is not None
        #: Why the station stopped it, if it did; nothing of it leaves then but that.
        self._stopped = entry.stop_reason()
        #: The reason of the station is in the place of what was computed.
        self._is_withheld = False
        #: The server may have had the outcome before the station stopped it.
        self.has_left = False
        if self._stopped is not None:
            self._retry.interrupt()

    @property
    def record(self) -> Record:
        """What is on disk about this result."""
        return self._entry.record

    @property
    def origin(self) -> dict[str, Any]:
        """What every line of the log says about this result."""
        names = ("result_id", "task_id", "request_id")
        return {name: getattr(self.record, name) for name in names}

    def put_aside(self) -> None:
        """Free the memory of the input while the result waits for its turn."""
        self._claim = None

    def kill(self) -> None:
        """End the algorithm and drop the result: the server knows already."""
        self._killed = True
        self._retry.interrupt()
        self.end_algorithm()

    def stop(self, reason: str) -> None:
        """Let nothing more of the result leave but a reason of the station.

        It stays so when the node is killed meanwhile. `end_algorithm` ends what runs of it.
        """
        if self._stopped is not None:
            return  # the first reason is on its way
        self._stopped = reason
        self._retry.interrupt()
        self.has_left = self._retry.has_sent_all
        self._close_proxy()
        try:
            self._entry.mark_stopped(reason)
        except OSError as error:
            # A full disk must not keep it running.
            log.warning("stop not on disk yet", result_id=self.result_id, reason=str(error))

    def end_algorithm(self) -> None:
        """End the algorithm, if the engine answers; `_look` tries it again while it runs."""
        self._close_proxy()
        try:
            self._context.runtime.kill(self.result_id)
        except Exception as error:
            # Whatever the engine says of one, the others are ended too.
            log.warning("not ended yet", result_id=self.result_id, reason=str(error))

    def withhold(self) -> None:
        """Put the reason of the station in the place of everything that was computed.

        Raises
        ------
        InterruptedExecution
            If the result was killed meanwhile, or the node stops.
        """
        self._retry = Retry(self.result_id, self._context.audit)
        # They may have interrupted the one before.
        if self._killed or self._is_left:
            raise InterruptedExecution
        if self._entry.started_at:
            # It is not stopped before it is: a stop of an earlier life may have found no engine.
            self._retry.engine(lambda: self._context.runtime.kill(self.result_id))
        reason = Reason("stopped_by_station", f"Stopped by the data station: {self._stopped}")
        outcome = Outcome(TaskStatus.KILLED, reason, self._entry.started_at, clock.now())
        self._retry.disk(lambda: self._entry.withhold(outcome))
        self._is_withheld = self.is_computed = True
        log.info("result stopped by the station", result_id=self.result_id)

    def leave(self) -> None:
        """Let the algorithm run on without this node."""
        self._is_left = True
        self._retry.interrupt()

    def compute(self) -> None:
        """Run the algorithm and keep its outcome on disk.

        Raises
        ------
        HeldExecution
            If a person at the station has to be asked before it may start.
        InterruptedExecution
            If the result was killed, or the node stops.
        V6Error
            One of `NOT_WANTED` if the server does not want the result.
        """
        self._check()
        if self.is_computed:
            return
        exit_, said = Exit(None), ""
        try:
            exit_ = self._run()
            status, reason = self._judge(exit_)
            self._result_audit.raise_to(limits_met(exit_, reason))
        except RefusalError as refusal:
            status, reason, said = refusal.status, refusal.reason, refusal.log
            self._retry.record("refused", code=reason.code, message=said or reason.message)
        except (HeldExecution, InterruptedExecution, *NOT_WANTED):
            raise
        except Exception:
            # Whatever goes wrong, the researcher gets an answer.
            log.exception("result failed", result_id=self.result_id)
            status, reason = TaskStatus.FAILED, NODE_ERROR
        finally:
            self._close_proxy()
            self._result_audit.conclude()
        self._retry.check()
        outcome = Outcome(status, reason, self._entry.started_at, clock.now())
        # A full disk is waited for as well: someone will make room.
        log_ = said or (exit_.log if self._context.config.share_logs or not exit_.log else _NO_LOG)
        self._retry.disk(lambda: self._entry.finish(outcome, log_))
        self.is_computed = True
        code = reason.code if reason else None
        log.info("result computed", result_id=self.result_id, status=str(status), reason=code)

    def deliver(self) -> None:
        """Upload the outcome, until the server has it.

        Raises
        ------
        InterruptedExecution
            If the result was killed, or the node stops.
        V6Error
            One of `NOT_WANTED` if the result is final at the server; `Invalid` if the server
            refuses every report of it.
        """
        self._check()
        deliver(self._context, self._entry, self._retry)
        self.is_delivered = True

    def _check(self) -> None:
        """Raise `InterruptedExecution` if nothing that was computed may leave any more."""
        self._retry.check()
        # SECURITY: `withhold` may have failed, after it took a new `_retry` for itself.
        if self._stopped is not None and not self._is_withheld:
            raise InterruptedExecution

    def clean_up(self) -> None:
        """Remove container and files."""
        for pause in islice(delays(), _REMOVALS):
            try:
                self._context.runtime.remove(self.result_id)
            except EngineUnavailable as error:
                log.warning("container not removed", result_id=self.result_id, reason=str(error))
                threading.Event().wait(pause)
            else:
                break
        # A container that could not be removed is swept up at the next start: no entry wants it.
        # Before the entry: without that, nothing would remove a request that a crash left.
        self._context.gate.forget(self.result_id)
        self._entry.delete()

    @property
    def is_interrupted(self) -> bool:
        """Whether it was killed, or the node stops."""
        return self._retry.interrupted.is_set()

    @property
    def was_stopped(self) -> bool:
        """Whether the station stopped it."""
        return self._stopped is not None

    def memory_bytes(self) -> int | None:
        """Return how much memory the algorithm uses; None where that is not known."""
        if self.is_computed or not self._entry.record.started_at:
            return None
        return self._context.runtime.memory_bytes(self.result_id)

    @property
    def was_killed(self) -> bool:
        """Whether the result was killed."""
        return self._killed

    def _run(self) -> Exit:
        self._retry.check()
        handle = None if self._is_new else self._find()
        if handle is None and not self.was_started:
            handle = self._start()
        if handle is None:
            return Exit(None)
        if self._killed or self.was_stopped:  # between the last look and the start
            self.end_algorithm()
        self.announce(TaskStatus.ACTIVE, started_at=self.record.started_at)
        exit_ = self._observe(handle)
        self._retry.check()
        return exit_

    def _observe(self, handle: Handle) -> Exit:
        """Wait for the algorithm; meanwhile measure what it writes and send what it prints."""
        context = self._context
        with ExitStack() as meanwhile:
            counters = meanwhile.enter_context(closing(Counters(handle.id, handle.pid)))
            meanwhile.enter_context(
                context.disk.every(lambda: self._look(counters), disk_usage.SHORTEST_SECONDS)
            )
            if context.config.share_logs:
                live = LiveLog(context, self._entry, self._retry)
                meanwhile.callback(live.conclude)
                meanwhile.enter_context(context.logs.every(live.send))
            peers = context.peers(self._entry)
            meanwhile.enter_context(context.services.in_vpn(self.result_id, handle.id, peers))
            exit_ = context.runtime.wait(handle)
            self._result_audit.raise_to(counters.read())
        self._disk_exceeded |= self._disk_room() < 0
        disk_full = exit_.code != 0 and context.spool.free_bytes() < _FULL_BYTES
        if disk_full:
            # Before anything waits for room: what fills the disk may be this.
            context.spool.drop_output(self._entry)
        self._retry.disk(lambda: context.spool.collect(self._entry, context.config.limits))
        if self._disk_exceeded or disk_full:
            context.spool.empty_temporary(self.run_id)
        return replace(exit_, disk_exceeded=self._disk_exceeded, disk_full=disk_full)

    def _look(self, counters: Counters) -> float:
        """Measure what the algorithm has written, and count what it was kept from.

        Returns after how many seconds to look again.
        """
        self._result_audit.raise_to(counters.read())
        self._result_audit.note_news()
        left = self._disk_room()
        self._disk_exceeded |= left < 0
        if self._disk_exceeded or self._killed or self.was_stopped:
            self.end_algorithm()
        return disk_usage.pause(left)

    def _disk_room(self) -> int:
        return self._context.spool.room(self._entry, self._context.config.limits)

    def _judge(self, exit_: Exit) -> tuple[TaskStatus, Reason | None]:
        config, output_bytes = self._context.config, self._entry.output_bytes()
        # SECURITY: the reason is readable for the server, and a quotation is a piece of the log.
        agreement = self._context.agreement
        is_plain = not agreement.encrypted and agreement.refusal is None
        quote = config.share_logs and is_plain
        status, reason = judge(
            exit_, output_bytes, config.limits, quote=quote, share_errors=config.share_errors
        )
        if status == TaskStatus.COMPLETED:
            reason = self._context.policy.may_leave(output_bytes or 0)
            status = TaskStatus.NOT_ALLOWED if reason else status
        return status, reason

    def _find(self) -> Handle | None:
        return self._retry.engine(lambda: self._context.runtime.find(self.result_id, self._answer))

    def _start(self) -> Handle | None:
        """Start the algorithm, once in the life of the result; None if it vanished at once."""
        runtime = self._context.runtime
        claim = self._claim or Claim.from_wire(
            self._retry.server(lambda: self._context.server.claim(self.result_id))
        )
        preparation = Preparation(
            self._context, self._entry, self._retry, self._pulling, is_too_deep=self.is_too_deep
        )
        spec, known = preparation.prepare(claim)
        self.put_aside()
        self._retry.check()
        created = self._retry.engine(lambda: runtime.create(spec))
        # No way out between the mark and the start: what is marked is never started again.
        self._entry.mark_started(clock.now(), **known)
        try:
            return runtime.start(created, self._answer)
        except EngineUnavailable as error:
            log.warning("start not confirmed", result_id=self.result_id, reason=str(error))
        # It may run all the same. To ask again could run it twice; to look for it cannot.
        return self._find()

    def announce(self, status: TaskStatus, **fields: Any) -> bool:
        """Tell the server how far the result is; return whether it knows.

        Nothing depends on it but what the researcher sees meanwhile.
        """
        with suppress(*SERVER_AWAY, Invalid):
            try:
                self._context.server.patch_result(self.result_id, status=str(status), **fields)
            except NOT_WANTED as error:
                log.info("result killed meanwhile", result_id=self.result_id, reason=str(error))
                self.kill()
            return True
        return False

    def _answer(self, listener: socket.socket) -> None:
        self._close_proxy()
        context, result_audit = self._context, self._result_audit
        proxy = context.proxy(self._entry, result_audit)
        most = context.config.limits.request_bytes
        self._proxy_server = ProxyServer(listener, proxy.app, most, result_audit.count)
        if self._killed or self.was_stopped:  # while it was opened
            self._close_proxy()

    def _close_proxy(self) -> None:
        opened, self._proxy_server = self._proxy_server, None
        if opened is not None:
            opened.close()
