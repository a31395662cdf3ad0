"""The first entry of each life of a node in its audit file: what it was told to do."""

from pathlib import Path

from vantage6.common import __version__, logs
from vantage6.common.config import NodeConfig
from vantage6.common.errors import ConfigurationError
from vantage6.common.identity import WhoAmI
from vantage6.node.rules.audit import Audit

log = logs.get(__name__)


def open_audit(folder: Path) -> Audit:
    """Open the audit file of a node.

    Raises
    ------
    ConfigurationError
        If it cannot be written, so that nothing may be computed.
    """
    try:
        audit = Audit(folder)
    except OSError as error:
        raise ConfigurationError(f"Cannot write the audit file in {folder}: {error}.") from error
    log.info("audit file open", audit_head=str(audit.head))
    return audit


def record_start(audit: Audit, config: NodeConfig, me: WhoAmI, collaboration_id: int) -> None:
    """Write down what the configuration says, without anything secret.

    Raises
    ------
    ConfigurationError
        If it cannot be written.
    """
    kept = config.model_dump(
        mode="json",
        include={
            "server_url",
            "port",
            "policies",
            "allowed_images",
            "limits",
            "encryption",
            "organization_keys",
            "pins",
            "runtime",
            "pull_policy",
            "algorithm_user",
            "parallel",
            "parallel_subtasks",
            "parallel_memory_bytes",
            "subtask_levels",
            "keep_free_bytes",
            "share_logs",
            "share_errors",
        },
    )
    try:
        audit.record_whole(
            "node_started",
            version=__version__,
            node_id=me.id_,
            organization=me.organization_name,
            collaboration_id=collaboration_id,
            databases={database.label: database.type for database in config.databases},
            configuration=kept,
        )
    except OSError as error:
        raise ConfigurationError(f"Cannot write the audit file: {error}.") from error
