"""From an outcome on disk to the server that has it."""

from dataclasses import replace
from typing import Any

from vantage6.common import logs
from vantage6.common.errors import Invalid, V6Error
from vantage6.common.known_keys import KeyRefused, fingerprint_of
from vantage6.common.task_status import TaskStatus
from vantage6.node.outcomes import Outcome, Reason
from vantage6.node.rules.audit import hash_of
from vantage6.node.rules.encryption import Agreement
from vantage6.node.spool.spool import Entry
from vantage6.node.work.context import NodeContext
from vantage6.node.work.retry import InterruptedExecution, Retry

log = logs.get(__name__)

NODE_ERROR = Reason("node_error", "The node failed; its log says why.")
NO_PUBLIC_KEY = Reason(
    "no_public_key",
    "The organization that created the task has no valid public key, so that its result cannot be "
    "encrypted.",
)
#: SECURITY: nothing of an algorithm or of another party is in it, so that it can be delivered.
_UPLOAD_REFUSED = Reason(
    "upload_refused",
    "The server refused the output, the log or the reason of this result, mostly because it is too "
    "large. The log of the node says why.",
)


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
        it refuses even a constant reason.
    """
    outcome = entry.outcome()
    if outcome is None:
        raise RuntimeError("compute first")
    result_id = entry.record.result_id
    try:
        fields, output = _final_fields(context, entry, outcome, retry)
        _release(context, entry, retry, fields, output)
    except Invalid:
        log.exception("refused by the server", result_id=result_id)
        _release(context, entry, retry, _bare(outcome, _UPLOAD_REFUSED), b"")
    except (InterruptedExecution, V6Error):
        raise
    except Exception:
        # Whatever goes wrong, the researcher gets an answer.
        log.exception("not delivered as it is", result_id=result_id)
        _release(context, entry, retry, _bare(outcome, NODE_ERROR), b"")
    head = str(context.audit.head)
    log.info("result delivered", result_id=result_id, audit_head=head)


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


def _final_fields(
    context: NodeContext, entry: Entry, outcome: Outcome, retry: Retry
) -> tuple[dict[str, Any], bytes]:
    """Return what the server gets to know, the output sealed for its receiver; and the output."""
    agreement, key = context.agreement, entry.record.initiator_public_key
    # SECURITY: without an agreement nobody knows whether anything may travel in clear. The key is
    # looked at again, because another one may have been accepted while the algorithm ran.
    wrong = agreement.refusal or wrong_receiver(context, retry, entry.record.initiator, key)
    is_completed = outcome.status == TaskStatus.COMPLETED
    if wrong:
        return _bare(outcome, wrong if is_completed else outcome.reason), b""
    fields = {**outcome.to_json(), "log": seal_log(agreement, entry.log(), key)}
    if not is_completed:
        return fields, b""
    output = entry.read_output(context.config.limits.file_bytes)
    sealed = agreement.cryptor.encrypt_bytes_to_str(output, key)
    return fields | {"result": sealed}, output


def _release(
    context: NodeContext, entry: Entry, retry: Retry, fields: dict[str, Any], output: bytes
) -> None:
    """Upload an outcome, after it is written down what leaves."""
    log_ = entry.log().encode("utf-8", "replace") if fields["log"] else b""
    retry.check()
    retry.record(
        "released",
        status=fields["status"],
        reason=fields["reason"],
        output_bytes=len(output),
        output_hash=hash_of(output) if output else None,
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


def _bare(outcome: Outcome, reason: Reason | None) -> dict[str, Any]:
    """Return how a result ended with neither output nor log, and with another reason."""
    is_completed = outcome.status == TaskStatus.COMPLETED
    status = TaskStatus.FAILED if is_completed else outcome.status
    return {**replace(outcome, status=status, reason=reason).to_json(), "log": ""}
