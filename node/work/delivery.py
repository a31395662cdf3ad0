"""From an outcome on disk to the server that has it."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from vantage6.common import logs
from vantage6.common.errors import Invalid, V6Error
from vantage6.common.known_keys import KeyRefused, fingerprint_of
from vantage6.common.task_status import TaskStatus
from vantage6.node.outcomes import Outcome, Reason, reason_to_json
from vantage6.node.rules.audit import hash_of
from vantage6.node.rules.encryption import Agreement
from vantage6.node.spool.spool import Entry
from vantage6.node.work.context import NodeContext
from vantage6.node.work.judging import find_refusal, judged_hash
from vantage6.node.work.retry import InterruptedExecution, Retry

log = logs.get(__name__)

NODE_ERROR = Reason("node_error", "The node failed; its log says why.")
NO_PUBLIC_KEY = Reason(
    "no_public_key",
    "The organization that created the task has no valid public key, so that its result cannot be "
    "encrypted.",
)


@dataclass(frozen=True, slots=True)
class _Upload:
    """What the server gets to know, and what of it the algorithm made, in clear."""

    fields: dict[str, Any]
    output: bytes = b""
    log: bytes = b""
    output_hash: str | None = None

    def without_output(self, reason: Reason) -> "_Upload":
        """Return the same with another reason in place of the output."""
        kept = {name: value for name, value in self.fields.items() if name != "result"}
        ended = {"status": str(TaskStatus.FAILED), "reason": reason_to_json(reason)}
        return _Upload(kept | ended, log=self.log)


def seal_log(agreement: Agreement, text: str, public_key: str) -> str:
    """Return a log as it travels: encrypted like the output, or empty where it cannot be."""
    # SECURITY: without an agreement nobody knows whether it may travel in clear.
    if not text or agreement.refusal is not None:
        return ""
    if not agreement.encrypted:
        return text
    try:
        return agreement.cryptor.encrypt_bytes_to_str(text.encode("utf-8", "replace"), public_key)
    except ValueError:
        return ""


def deliver(context: NodeContext, entry: Entry, retry: Retry) -> None:
    """Upload an outcome, until the server has it.

    Raises
    ------
    InterruptedExecution
        If the result was killed, or the node stops.
    V6Error
        If the server does not want the result, or has another outcome of it already; `Invalid` if
        it refuses even a constant reason. The server has ended it then, if it knows how.
    """
    outcome = entry.outcome()
    if outcome is None:
        raise RuntimeError("compute first")
    result_id = entry.record.result_id
    try:
        _deliver(context, entry, retry, outcome)
    except Invalid:
        # Else the server would offer it again for ever.
        _give_up(context, retry, result_id)
        raise
    head = str(context.audit.head)
    log.info("result delivered", result_id=result_id, audit_head=head)


def _deliver(context: NodeContext, entry: Entry, retry: Retry, outcome: Outcome) -> None:
    """Upload an outcome, or that the node failed with it."""
    try:
        if outcome.status == TaskStatus.COMPLETED:
            # SECURITY: the verdict is on disk and in the audit before anything leaves.
            reason = find_refusal(context, entry, retry)
            if reason is not None:
                refused = replace(outcome, status=TaskStatus.NOT_ALLOWED, reason=reason)
                return _release(context, entry, retry, _bare(refused, reason))
        upload = retry.station(lambda: _prepare(context, entry, outcome, retry))
        _release_or_less(context, entry, retry, upload, outcome)
    except (InterruptedExecution, V6Error):
        raise
    except Exception:
        # Whatever goes wrong, the researcher gets an answer.
        log.exception("not delivered as it is", result_id=entry.record.result_id)
        _release(context, entry, retry, _bare(outcome, NODE_ERROR))


def _give_up(context: NodeContext, retry: Retry, result_id: int) -> None:
    """Have the server end a result of which it refuses every report."""
    try:
        retry.server(lambda: context.server.give_up(result_id))
        log.error("result given up: the server refuses every report of it", result_id=result_id)
    except V6Error as error:
        # An earlier version of the server does not know how.
        log.error("result not given up", result_id=result_id, reason=str(error))


def fingerprint_for(context: NodeContext, public_key: str) -> str | None:
    """Return the fingerprint of the key for which outputs are encrypted; None if they are not."""
    return fingerprint_of(public_key) if context.agreement.encrypted else None


def wrong_receiver(
    context: NodeContext, retry: Retry, organization_id: int | None, public_key: str
) -> Reason | None:
    """Return why nothing can be encrypted for an organization, if so.

    Parameters
    ----------
    context
        The node.
    retry
        Waits for the disk where the key is met for the first time.
    organization_id
        The organization; None for what a version without known keys left on disk.
    public_key
        Its key, as the server says.
    """
    if not context.agreement.encrypted:
        return None
    if fingerprint_of(public_key) is None:
        return NO_PUBLIC_KEY
    if organization_id is None:
        return None
    try:
        # SECURITY: the server may not choose who reads an output.
        retry.disk(lambda: context.known_keys.check(organization_id, public_key))
    except KeyRefused as error:
        return Reason(error.error_code, error.message)
    return None


def _prepare(context: NodeContext, entry: Entry, outcome: Outcome, retry: Retry) -> _Upload:
    """Return what leaves, output and log sealed for their receiver."""
    agreement, key = context.agreement, entry.record.initiator_public_key
    # SECURITY: without an agreement nobody knows whether anything may travel in clear. The key is
    # looked at again, because another one may have been accepted while the algorithm ran.
    wrong = agreement.refusal or wrong_receiver(context, retry, entry.record.initiator, key)
    is_completed = outcome.status == TaskStatus.COMPLETED
    if wrong:
        return _bare(outcome, wrong if is_completed else outcome.reason)
    text = entry.log()
    fields = {**outcome.to_json(), "log": seal_log(agreement, text, key)}
    log_ = text.encode("utf-8", "replace") if fields["log"] else b""
    if not is_completed:
        return _Upload(fields, log=log_)
    output = entry.read_output(context.config.limits.file_bytes)
    output_hash = hash_of(output)
    if output_hash != judged_hash(entry):
        # SECURITY: other bytes than those that the verdict is about.
        raise RuntimeError("the output is not the one that was judged")
    sealed = agreement.cryptor.encrypt_bytes_to_str(output, key)
    return _Upload(fields | {"result": sealed}, output, log_, output_hash if output else None)


def _release(context: NodeContext, entry: Entry, retry: Retry, upload: _Upload) -> None:
    """Upload an outcome, after it is written down what leaves."""
    fields, output, log_ = upload.fields, upload.output, upload.log
    retry.check()
    retry.record(
        "released",
        status=fields["status"],
        reason=fields["reason"],
        output_bytes=len(output),
        output_hash=upload.output_hash,
        log_bytes=len(log_),
        log_hash=hash_of(log_) if log_ else None,
        # For which key output and log are encrypted.
        fingerprint=fingerprint_for(context, entry.record.initiator_public_key)
        if "result" in fields or log_
        else None,
    )
    context.kept_outputs.keep(entry.record.result_id, output, log_)
    result_id, before_part = entry.record.result_id, retry.before_part
    retry.server(lambda: context.server.patch_result(result_id, before_part, **fields))


def _release_or_less(
    context: NodeContext, entry: Entry, retry: Retry, upload: _Upload, outcome: Outcome
) -> None:
    """Upload an outcome, or as much of it as the server takes.

    Raises
    ------
    Invalid
        If it takes nothing.
    """
    try:
        _release(context, entry, retry, upload)
    except Invalid as error:
        log.exception("refused by the server", result_id=entry.record.result_id)
        for less in _fewer(upload, outcome, _refusal(error)):
            with suppress(Invalid):
                return _release(context, entry, retry, less)
        raise


def _fewer(refused: _Upload, outcome: Outcome, reason: Reason) -> Iterator[_Upload]:
    """Yield what may be taken of a refused outcome: its log alone, then neither of them."""
    if refused.output and refused.log:
        yield refused.without_output(reason)
    yield _bare(outcome, reason)


def _refusal(error: Invalid) -> Reason:
    """Return what a researcher reads of a refusal.

    SECURITY: nothing of an algorithm or of another party is in it, so that it can be delivered.
    """
    return Reason(
        "upload_refused",
        "The server refused the output, the log or the reason of this result, mostly because it is "
        f"too large ({error.error_code}). The log of the node says why.",
    )


def _bare(outcome: Outcome, reason: Reason | None) -> _Upload:
    """Return how a result ended with neither output nor log, and with another reason."""
    is_completed = outcome.status == TaskStatus.COMPLETED
    status = TaskStatus.FAILED if is_completed else outcome.status
    return _Upload({**replace(outcome, status=status, reason=reason).to_json(), "log": ""})
