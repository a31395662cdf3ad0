"""What a life of a node consists of, on loopback."""

from pathlib import Path

from tests.node.factories import make_config, write_database
from vantage6.client.node_client import NodeClient
from vantage6.common.config import NodeConfig
from vantage6.common.encryption import DummyCryptor
from vantage6.common.known_keys import KnownKeys
from vantage6.node.databases import Databases
from vantage6.node.proxy.app import PublicKeys
from vantage6.node.proxy.upstream import Upstream
from vantage6.node.release.earlier_answers import EarlierAnswers
from vantage6.node.release.held_outputs import HeldOutputs
from vantage6.node.requests.gate import Gate
from vantage6.node.rules.audit import Audit
from vantage6.node.rules.current_policy import CurrentPolicy
from vantage6.node.rules.encryption import Agreement
from vantage6.node.rules.kept_outputs import KeptOutputs
from vantage6.node.rules.quota import Quotas
from vantage6.node.runtime.base import Runtime
from vantage6.node.runtime.docker import DockerRuntime
from vantage6.node.runtime.process import ProcessRuntime
from vantage6.node.sketch.sketches import Sketches
from vantage6.node.spool import run_disks
from vantage6.node.spool.spool import Spool
from vantage6.node.work.context import NodeContext


def _spool(config: NodeConfig, runtime: Runtime | None, folder: Path) -> Spool:
    """Return what a node would make beside a runtime."""
    plain = Spool(folder)
    if not isinstance(runtime, DockerRuntime):
        return plain
    return Spool(folder, run_disks.open_for(config, folder / "runs"))


def new_context(
    folder: Path, port: int, runtime: Runtime | None = None, **values: object
) -> NodeContext:
    """Return what a life of the node consists of, in a folder, beside a server on a port."""
    path = write_database(folder)
    config = make_config(**{"databases": {"default": str(path)}, **values})
    address = f"http://127.0.0.1:{port}"
    known = KnownKeys(folder / "known.json", advice="Accept {organization} {fingerprint}.")
    server = NodeClient(address, "/api")
    server.authenticate("key")
    upstream = Upstream(f"{address}/api", node=server)
    return NodeContext(
        config=config,
        collaboration_id=1,
        server=server,
        upstream=upstream,
        keys=PublicKeys(upstream, known),
        agreement=Agreement(DummyCryptor(), encrypted=False),
        policies=CurrentPolicy(config),
        databases=Databases(config.databases, folder),
        runtime=runtime or ProcessRuntime(folder / "processes", config.processes, config.limits),
        spool=_spool(config, runtime, folder / "data"),
        audit=Audit(folder / "data"),
        quotas=Quotas(config.limits),
        known_keys=known,
        gate=Gate(folder / "data"),
        kept_outputs=KeptOutputs(config, folder / "data"),
        held_outputs=HeldOutputs(folder / "data"),
        sketches=Sketches(folder / "data"),
        earlier_answers=EarlierAnswers(folder / "data"),
    )
