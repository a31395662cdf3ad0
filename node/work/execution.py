"""One result, from the claim to the moment when the server has its outcome.

Every step can be repeated after a crash of the node, except that an algorithm is never started
twice: what was started is found again, or reported as lost.
"""

import socket
import threading
from contextlib import ExitStack, closing, nullcontext, suppress
from dataclasses import asdict, replace
from itertools import islice
from typing import Any

from vantage6.common import clock, logs
from vantage6.common.backoff import delays
from vantage6.common.config.services import VPN
from vantage6.common.errors import Conflict, Forbidden, Invalid, NotFound
from vantage6.common.task_status import TaskStatus
from vantage6.node.claims import Claim
from vantage6.node.outcomes import Exit, Outcome, Reason, RefusalError, judge, limits_met
from vantage6.node.proxy.server import ProxyServer
from vantage6.node.proxy.tokens import Tokens
from vantage6.node.rules.audit import hash_of, method_of
from vantage6.node.rules.formats import name_of
from vantage6.node.rules.policy import PolicyRequest
from vantage6.node.rules.result_audit import ResultAudit
from vantage6.node.runtime.base import EngineUnavailable, Handle, Image, Pulling, RunSpec
from vantage6.node.runtime.counters import Counters
from vantage6.node.spool import disk_usage
from vantage6.node.spool.spool import Entry
from vantage6.node.work.context import NodeContext
from vantage6.node.work.delivery import deliver, sealed_for, wrong_receiver
from vantage6.node.work.live_log import LiveLog
from vantage6.node.work.retry import SERVER_AWAY, InterruptedExecution, Retry

log = logs.get(__name__)

#: The server no longer wants the result: finished, killed, deleted, or given to another node.
NOT_WANTED = (Conflict, NotFound, Forbidden)
_REMOVALS = 5
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
        self._killed = self._disk_exceeded = False
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
        #: It is refused, and takes no turn: its parents may hold all places of the last level.
        self.is_too_deep = self.level is not None and self.level > deepest
        if self.level is not None:
            self.level = min(self.level, deepest)
        self.was_started = entry.record.started_at is not None
        self.is_computed = entry.outcome() is not None

    @property
    def origin(self) -> dict[str, Any]:
        """What every line of the log says about this result."""
        record = self._entry.record
        return {
            "result_id": record.result_id,
            "task_id": record.task_id,
            "request_id": record.request_id,
        }

    def put_aside(self) -> None:
        """Free the memory of the input while the result waits for its turn."""
        self._claim = None

    def kill(self) -> None:
        """End the algorithm and drop the result: the server knows already."""
        self._killed = True
        self._retry.interrupted.set()
        self._context.runtime.kill(self.result_id)

    def leave(self) -> None:
        """Let the algorithm run on without this node."""
        self._retry.interrupted.set()

    def compute(self) -> None:
        """Run the algorithm and keep its outcome on disk.

        Raises
        ------
        InterruptedExecution
            If the result was killed, or the node stops.
        V6Error
            One of `NOT_WANTED` if the server does not want the result.
        """
        if self.is_computed:
            return
        exit_ = Exit(None)
        try:
            exit_ = self._run()
            status, reason = self._judge(exit_)
            self._result_audit.raise_to(limits_met(exit_, reason))
        except RefusalError as refusal:
            status, reason = refusal.status, refusal.reason
            self._retry.record("refused", code=reason.code, message=reason.message)
        except (InterruptedExecution, *NOT_WANTED):
            raise
        except Exception:
            # Whatever goes wrong, the researcher gets an answer.
            log.exception("result failed", result_id=self.result_id)
            status = TaskStatus.FAILED
            reason = Reason("node_error", "The node failed; its log says why.")
        finally:
            self._close_door()
            self._result_audit.conclude()
        self._retry.check()
        outcome = Outcome(status, reason, self._entry.started_at, clock.now())
        # A full disk is waited for as well: someone will make room.
        log_ = exit_.log if self._context.config.share_logs or not exit_.log else _NO_LOG
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
            refuses even the report that its output is refused.
        """
        self._retry.check()
        deliver(self._context, self._entry, self._retry)

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
        self._entry.delete()

    @property
    def is_interrupted(self) -> bool:
        """Whether it was killed, or the node stops."""
        return self._retry.interrupted.is_set()

    @property
    def was_killed(self) -> bool:
        """Whether somebody killed the result."""
        return self._killed

    def _run(self) -> Exit:
        self._retry.check()
        runtime = self._context.runtime
        handle = None if self._is_new else self._find()
        if handle is None and not self.was_started:
            handle = self._start()
        if handle is None:
            return Exit(None)
        if self._killed:  # between the last look and the start
            runtime.kill(self.result_id)
        self._announce()
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
                meanwhile.enter_context(context.logs.every(lambda: live.send(handle)))
            peers = context.peers(self._entry)
            meanwhile.enter_context(context.services.in_vpn(self.result_id, handle.id, peers))
            exit_ = context.runtime.wait(handle)
            self._result_audit.raise_to(counters.read())
        self._disk_exceeded |= self._disk_room() < 0
        self._retry.disk(lambda: context.spool.collect(self._entry, context.config.limits))
        if self._disk_exceeded:
            context.spool.empty_temporary(self.run_id)
        return replace(exit_, disk_exceeded=self._disk_exceeded)

    def _look(self, counters: Counters) -> float:
        """Measure what the algorithm has written, and count what it was kept from.

        Returns after how many seconds to look again.
        """
        self._result_audit.raise_to(counters.read())
        self._result_audit.note_news()
        left = self._disk_room()
        if left < 0:
            self._disk_exceeded = True
            self._context.runtime.kill(self.result_id)
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
        spec = self._prepare()
        self._retry.check()
        created = self._retry.engine(lambda: runtime.create(spec))
        # No way out between the mark and the start: what is marked is never started again.
        self._entry.mark_started(clock.now())
        try:
            return runtime.start(created, self._answer)
        except EngineUnavailable as error:
            log.warning("start not confirmed", result_id=self.result_id, reason=str(error))
        # It may run all the same. To ask again could run it twice; to look for it cannot.
        return self._find()

    def _prepare(self) -> RunSpec:
        """Check that the result may be computed, and make everything ready for it."""
        context = self._context
        claim = self._claim or Claim.from_wire(
            self._retry.server(lambda: context.server.claim(self.result_id))
        )
        input_ = self._received(claim)
        image = self._checked_image(claim, input_)
        database = context.databases.get(claim.database)
        asked = PolicyRequest.by(claim, digests=image.digests)
        grant = context.services.grant(
            database, lambda service: context.policy.may_reach(service, asked)
        )
        self._entry.prepare(input_, Tokens.of(claim, context.me))
        self.put_aside()
        digests = sorted(image.digests - {image.id})
        self._retry.record(
            "started", image_id=image.id, image_digests=digests, services=list(grant.names)
        )
        return RunSpec(
            result_id=self.result_id,
            image=image.id,
            io=self._entry.io,
            output=self._retry.disk(lambda: context.spool.output(self._entry)),
            temporary=context.spool.temporary(self.run_id),
            database=database,
            labels=tuple(context.databases.labels),
            links=grant.links,
            vpn=VPN in grant.names,
            extra={
                **grant.variables,
                **context.config.algorithm_env,
                "SHARE_ERRORS": str(context.config.share_errors).lower(),
            },
        )

    def _received(self, claim: Claim) -> bytes:
        """Return the plain input, after it is written down who asks for what."""
        asked = {
            "task_id": claim.task_id,
            "run_id": claim.run_id,
            "is_subtask": claim.is_subtask,
            "image": claim.image,
            "database": claim.database,
            "organization_id": claim.initiator,
            "organization": claim.initiator_name,
            "user_id": claim.init_user,
            "user": claim.init_username,
            "above": [asdict(requester) for requester in claim.above] if claim.above else None,
            "fingerprint": sealed_for(self._context, claim.initiator_public_key),
        }
        try:
            input_ = self._opened(claim)
        except RefusalError:
            self._retry.record("asked", **asked)
            raise
        self._retry.record(
            "asked",
            **asked,
            method=method_of(input_),
            input_format=name_of(input_),
            input_bytes=len(input_),
            input_hash=hash_of(input_),
        )
        return input_

    def _checked_image(self, claim: Claim, input_: bytes) -> Image:
        """Return the image that runs, if the rules allow what is asked for and what was found."""
        context = self._context
        asked = PolicyRequest.by(claim, input_bytes=len(input_), input_format=name_of(input_))
        # SECURITY: a task is held to the rules that the file has when it is about to start.
        self._retry.disk(context.policies.refresh).check(asked)
        if self.is_too_deep:
            # SECURITY: it has no turn, even where the server says another level by now.
            text = "The task was at another level when the node accepted it."
            raise RefusalError(TaskStatus.NOT_ALLOWED, "too_deep", text)
        context.databases.get(claim.database)  # before anything is pulled for nothing
        cancelled = self._retry.interrupted.is_set
        image = self._retry.engine(
            lambda: context.runtime.fetch(
                claim.image, cancelled, self._pulling, context.policy.registries
            )
        )
        # SECURITY: what was found runs by its id; where the name leads by then does not matter.
        rules = self._retry.disk(context.policies.refresh)
        rules.check(replace(asked, digests=image.digests))
        return image

    def _opened(self, claim: Claim) -> bytes:
        """Return the plain input. It is bytes to the node, whatever they mean."""
        agreement = self._context.agreement
        if agreement.refusal is not None:
            refusal = agreement.refusal
            raise RefusalError(TaskStatus.FAILED, refusal.code, refusal.message)
        # Looked at now: an output that cannot be sent need not be computed.
        if wrong := wrong_receiver(
            self._context, self._retry, claim.initiator, claim.initiator_public_key
        ):
            raise RefusalError(TaskStatus.FAILED, wrong.code, wrong.message)
        try:
            return agreement.cryptor.decrypt_str_to_bytes(claim.sealed_input)
        except ValueError as error:
            raise RefusalError(
                TaskStatus.FAILED,
                "input_unreadable",
                "The node cannot decrypt the input: it was made for another key, or not "
                "encrypted at all.",
            ) from error

    def _announce(self) -> None:
        """Tell the server that the algorithm runs. Nothing depends on it but a progress bar."""
        with suppress(*SERVER_AWAY, Invalid):
            try:
                self._context.server.patch_result(
                    self.result_id,
                    status=str(TaskStatus.ACTIVE),
                    started_at=self._entry.record.started_at,
                )
            except NOT_WANTED as error:
                log.info("result killed meanwhile", result_id=self.result_id, reason=str(error))
                self.kill()

    def _answer(self, listener: socket.socket) -> None:
        self._close_door()
        context, result_audit = self._context, self._result_audit
        proxy = context.proxy(self._entry, result_audit)
        most = context.config.limits.request_bytes
        self._proxy_server = ProxyServer(listener, proxy.app, most, result_audit.count)

    def _close_door(self) -> None:
        if self._proxy_server is not None:
            self._proxy_server.close()
            self._proxy_server = None
