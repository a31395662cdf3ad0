"""From an outcome on disk to the server that has it."""

from typing import Any

from vantage6.common import logs
from vantage6.common.errors import Invalid
from vantage6.common.task_status import TaskStatus
from vantage6.node.audit import hash_of
from vantage6.node.keys import Agreement
from vantage6.node.outcomes import Outcome, Reason, reason_to_json
from vantage6.node.patience import Patience
from vantage6.node.spool import Entry
from vantage6.node.station import Station

log = logs.get(__name__)

NO_PUBLIC_KEY = Reason(
    "no_public_key",
    "The organization that created the task has no valid public key, so that its result cannot be "
    "encrypted.",
)


def sealed_log(agreement: Agreement, text: str, public_key: str) -> str:
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


def deliver(station: Station, entry: Entry, patience: Patience) -> None:
    """Upload an outcome, until the server has it.

    Raises
    ------
    InterruptedExecution
        If the result was killed, or the node stops.
    V6Error
        If the server does not want the result, or has another outcome of it already.
    """
    outcome = entry.outcome()
    if outcome is None:
        raise RuntimeError("compute first")
    fields, output = _final_fields(station, entry, outcome)
    try:
        _release(station, entry, patience, fields, output)
    except Invalid as error:
        if "result" not in fields:
            raise
        result_id = entry.record.result_id
        log.exception("output refused by the server", result_id=result_id)
        reason = Reason("upload_refused", f"The server refused the output: {error.message}")
        _release(station, entry, patience, _without_output(fields, reason), b"")
    head = str(station.audit.head)
    log.info("result delivered", result_id=entry.record.result_id, audit_head=head)


def _final_fields(station: Station, entry: Entry, outcome: Outcome) -> tuple[dict[str, Any], bytes]:
    """Return what the server gets to know, the output sealed for its receiver; and the output."""
    agreement = station.agreement
    log_ = sealed_log(agreement, entry.log(), entry.record.initiator_public_key)
    fields = {**outcome.to_json(), "log": log_}
    if outcome.status != TaskStatus.COMPLETED:
        return fields, b""
    if agreement.refusal is not None:
        # SECURITY: without an agreement nobody knows whether the output may travel in clear.
        return _without_output(fields, agreement.refusal), b""
    output = entry.read_output(station.config.limits.file_bytes)
    try:
        sealed = agreement.cryptor.encrypt_bytes_to_str(output, entry.record.initiator_public_key)
    except ValueError:
        return _without_output(fields, NO_PUBLIC_KEY), b""
    return fields | {"result": sealed}, output


def _release(
    station: Station, entry: Entry, patience: Patience, fields: dict[str, Any], output: bytes
) -> None:
    """Upload an outcome, after it is written down what leaves."""
    log_ = entry.log().encode("utf-8", "replace") if fields["log"] else b""
    patience.record(
        "released",
        status=fields["status"],
        reason=fields["reason"],
        output_bytes=len(output),
        output_hash=hash_of(output) if output else None,
        log_bytes=len(log_),
        log_hash=hash_of(log_) if log_ else None,
    )
    patience.server(lambda: station.server.patch_result(entry.record.result_id, **fields))


def _without_output(fields: dict[str, Any], reason: Reason) -> dict[str, Any]:
    kept = {name: value for name, value in fields.items() if name != "result"}
    return kept | {"status": str(TaskStatus.FAILED), "reason": reason_to_json(reason)}
