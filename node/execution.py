"""One result, from the claim to the moment when the server has its outcome.

Every step can be repeated after a crash of the node, except that an algorithm is never started
twice: what was started is found again, or reported as lost.
"""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from itertools import islice
from typing import Any, TypeVar

from vantage6.common import clock, logs
from vantage6.common.errors import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    Unauthenticated,
    Unavailable,
)
from vantage6.common.task_status import TaskStatus
from vantage6.node.backoff import delays
from vantage6.node.claims import Claim
from vantage6.node.gatekeeper import Gatekeeper
from vantage6.node.outcomes import Exit, Outcome, Reason, RefusalError, judge, reason_to_json
from vantage6.node.runtime.base import EngineUnavailable, Handle, RunSpec
from vantage6.node.spool import Entry
from vantage6.node.station import Station

log = logs.get(__name__)

T = TypeVar("T")

#: The server no longer wants the result: finished, killed, deleted, or given to another node.
NOT_WANTED = (Conflict, NotFound, Forbidden)
_PASSING = (Unavailable, Unauthenticated)
_REMOVALS = 5
_NO_PUBLIC_KEY = Reason(
    "no_public_key",
    "The organization that created the task has no valid public key, so that its result cannot be "
    "encrypted.",
)


class InterruptedExecution(Exception):
    """The result was killed, or the node stops."""


class Execution:
    """One result of this node.

    Parameters
    ----------
    station
        What all results share.
    entry
        The result on disk.
    claim
        The work order if it is fresh; for what an earlier life of the node left, it is asked for
        again where it is needed.
    """

    def __init__(self, station: Station, entry: Entry, claim: Claim | None = None) -> None:
        self._station = station
        self._entry = entry
        self._claim = claim
        self._is_new = claim is not None
        self._gatekeeper: Gatekeeper | None = None
        self._interrupted = threading.Event()
        self._killed = False
        self.result_id = entry.record.result_id
        self.run_id = entry.record.run_id
        self.is_subtask = entry.record.is_subtask
        self.was_started = entry.record.started_at is not None
        self.is_computed = entry.outcome() is not None

    def put_aside(self) -> None:
        """Free the memory of the input while the result waits for its turn."""
        self._claim = None

    def kill(self) -> None:
        """End the algorithm and drop the result: the server knows already."""
        self._killed = True
        self._interrupted.set()
        self._station.runtime.kill(self.result_id)

    def leave(self) -> None:
        """Let the algorithm run on without this node."""
        self._interrupted.set()

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
            status, reason = judge(exit_, self._entry.output_bytes(), self._station.config.limits)
        except RefusalError as refusal:
            status, reason = refusal.status, refusal.reason
        except (InterruptedExecution, *NOT_WANTED):
            raise
        except Exception:
            # Whatever goes wrong, the researcher gets an answer.
            log.exception("result failed", result_id=self.result_id)
            status = TaskStatus.FAILED
            reason = Reason("node_error", "The node failed; its log says why.")
        finally:
            self._close_door()
        self._check()
        outcome = Outcome(status, reason, self._entry.started_at, clock.now())
        # A full disk is waited for as well: someone will make room.
        self._patiently(lambda: self._entry.finish(outcome, exit_.log), (OSError,))
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
            One of `NOT_WANTED`, or `Invalid` if the result is final at the server.
        """
        self._check()
        outcome = self._entry.outcome()
        if outcome is None:
            raise RuntimeError("compute first")
        fields = self._final_fields(outcome)
        try:
            self._report(fields)
        except Invalid as error:
            if error.error_code == "result_finished" or "result" not in fields:
                raise
            log.exception("output refused by the server", result_id=self.result_id)
            message = f"The server refused the output: {error.message}"
            self._report(_without_output(fields, Reason("upload_refused", message)))
        log.info("result delivered", result_id=self.result_id)

    def clean_up(self) -> None:
        """Remove container and files."""
        for pause in islice(delays(), _REMOVALS):
            try:
                self._station.runtime.remove(self.result_id)
            except EngineUnavailable as error:
                log.warning("container not removed", result_id=self.result_id, reason=str(error))
                threading.Event().wait(pause)
            else:
                break
        # A container that could not be removed is swept up at the next start: no entry wants it.
        self._entry.delete()

    @property
    def was_killed(self) -> bool:
        """Whether somebody killed the result."""
        return self._killed

    def _run(self) -> Exit:
        self._check()
        runtime = self._station.runtime
        handle = None if self._is_new else self._find()
        if handle is None and not self.was_started:
            handle = self._start()
        if handle is None:
            return Exit(None)
        if self._killed:  # between the last look and the start
            runtime.kill(self.result_id)
        self._announce()
        exit_ = runtime.wait(handle)
        self._check()
        return exit_

    def _find(self) -> Handle | None:
        return self._engine(lambda: self._station.runtime.find(self.result_id, self._answer))

    def _start(self) -> Handle | None:
        """Start the algorithm, once in the life of the result; None if it vanished at once."""
        runtime = self._station.runtime
        spec = self._prepare()
        self._check()
        created = self._engine(lambda: runtime.create(spec))
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
        station = self._station
        if station.agreement.refusal is not None:
            refusal = station.agreement.refusal
            raise RefusalError(TaskStatus.FAILED, refusal.code, refusal.message)
        claim = self._claim or Claim.from_wire(
            self._patiently(lambda: station.server.claim(self.result_id))
        )
        self._patiently(lambda: station.policy.check(claim))
        database = station.databases.get(claim.database)
        input_ = self._opened(claim)
        image = self._engine(lambda: station.runtime.fetch(claim.image, self._interrupted.is_set))
        self._entry.prepare(input_, claim.token)
        self.put_aside()
        return RunSpec(
            result_id=self.result_id,
            image=image,
            io=self._entry.io,
            temporary=station.spool.temporary(self.run_id),
            database=database,
            labels=tuple(station.databases.labels),
            extra=station.config.algorithm_env,
        )

    def _opened(self, claim: Claim) -> bytes:
        """Return the plain input. It is bytes to the node, whatever they mean."""
        agreement = self._station.agreement
        try:
            if agreement.encrypted:
                # Tried now: an output that cannot be sent need not be computed.
                agreement.cryptor.encrypt_bytes_to_str(b"", claim.initiator_public_key)
        except ValueError as error:
            raise RefusalError(
                TaskStatus.FAILED, _NO_PUBLIC_KEY.code, _NO_PUBLIC_KEY.message
            ) from error
        try:
            return agreement.cryptor.decrypt_str_to_bytes(claim.sealed_input)
        except ValueError as error:
            raise RefusalError(
                TaskStatus.FAILED,
                "input_unreadable",
                "The node cannot decrypt the input: it was made for another key, or not "
                "encrypted at all.",
            ) from error

    def _final_fields(self, outcome: Outcome) -> dict[str, Any]:
        """Return what the server gets to know, with the output encrypted for its receiver."""
        agreement, record = self._station.agreement, self._entry.record
        fields = {**outcome.to_json(), "log": self._entry.log()}
        if outcome.status != TaskStatus.COMPLETED:
            return fields
        if agreement.refusal is not None:
            # SECURITY: without an agreement nobody knows whether the output may travel in clear.
            return _without_output(fields, agreement.refusal)
        output = self._entry.read_output(self._station.config.limits.file_bytes)
        try:
            sealed = agreement.cryptor.encrypt_bytes_to_str(output, record.initiator_public_key)
        except ValueError:
            return _without_output(fields, _NO_PUBLIC_KEY)
        return fields | {"result": sealed}

    def _announce(self) -> None:
        """Tell the server that the algorithm runs. Nothing depends on it but a progress bar."""
        with suppress(Unavailable, Unauthenticated):
            try:
                self._station.server.patch_result(
                    self.result_id,
                    status=str(TaskStatus.ACTIVE),
                    started_at=self._entry.record.started_at,
                )
            except (*NOT_WANTED, Invalid) as error:
                log.info("result killed meanwhile", result_id=self.result_id, reason=str(error))
                self.kill()

    def _report(self, fields: dict[str, Any]) -> None:
        self._patiently(lambda: self._station.server.patch_result(self.result_id, **fields))

    def _answer(self, listener: socket.socket) -> None:
        self._close_door()
        limits = self._station.config.limits
        proxy = self._station.proxy(self._entry.token())
        self._gatekeeper = Gatekeeper(listener, proxy.app, limits.request_bytes)

    def _close_door(self) -> None:
        if self._gatekeeper is not None:
            self._gatekeeper.close()
            self._gatekeeper = None

    def _engine(self, call: Callable[[], T]) -> T:
        return self._patiently(call, (EngineUnavailable,))

    def _patiently(
        self, call: Callable[[], T], passing: tuple[type[Exception], ...] = _PASSING
    ) -> T:
        """Call until it succeeds, through failures that pass; give up when interrupted."""
        for pause in delays():
            try:
                return call()
            except passing as error:
                log.warning("trying again", result_id=self.result_id, reason=str(error))
                self._interrupted.wait(pause)
                self._check()
        raise AssertionError("delays never end")

    def _check(self) -> None:
        if self._interrupted.is_set():
            raise InterruptedExecution


def _without_output(fields: dict[str, Any], reason: Reason) -> dict[str, Any]:
    kept = {name: value for name, value in fields.items() if name != "result"}
    return kept | {"status": str(TaskStatus.FAILED), "reason": reason_to_json(reason)}
