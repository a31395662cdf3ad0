"""Things that the tests of the node are made of."""

import json
import os
from pathlib import Path
from typing import Any

import docker
import pytest

from tests.waiting import eventually
from vantage6.common.config import NodeConfig
from vantage6.common.config.services import VPN
from vantage6.node.claims import Claim
from vantage6.node.databases import Databases
from vantage6.node.outcomes import Exit
from vantage6.node.proxy.tokens import Tokens
from vantage6.node.rules.findings import PolicyRequest
from vantage6.node.rules.policy import Policy
from vantage6.node.runtime.base import EngineUnavailable, Handle, RunSpec, Runtime
from vantage6.node.runtime.docker import DockerRuntime
from vantage6.node.services.services import Services
from vantage6.node.spool import run_disks
from vantage6.node.spool.spool import Entry, Spool

#: The test algorithm: its input is the Python program that it runs.
COMMAND = ("python3", "-c", "import os; exec(open(os.environ['INPUT_FILE']).read())")
#: What the test algorithm is built on.
BASE = os.environ.get("V6_TEST_IMAGE", "vantage6/base:latest")
#: A name of its own, so that test runs side by side do not take it from each other.
IMAGE = f"vantage6-test/program-{os.getpid()}:latest"

MIB = 2**20


def make_config(**values: Any) -> NodeConfig:
    """Return a valid configuration."""
    return NodeConfig.model_validate(
        {
            "api_key": "key",
            "server_url": "http://127.0.0.1",
            "encryption": {"enabled": False},
            "processes": {IMAGE: COMMAND},
            "pull_policy": "never",
            **values,
        }
    )


def make_program_image(engine: docker.APIClient, base: str, name: str = IMAGE) -> str:
    """Make the image of the test algorithm, and return its name."""
    container = engine.create_container(base, command=["true"])["Id"]
    repository, tag = name.split(":")
    try:
        engine.commit(container, repository, tag, changes=[f"CMD {json.dumps(COMMAND)}"])
    finally:
        engine.remove_container(container)
    return name


def make_claim(result_id: int = 5, **values: Any) -> Claim:
    """Return a work order."""
    standard: dict[str, Any] = {
        "result_id": result_id,
        "task_id": 3,
        "collaboration_id": 1,
        "run_id": 1,
        "image": IMAGE,
        "database": "default",
        "initiator": 1,
        "initiator_public_key": "",
        "initiator_name": "org 1",
        "init_user": 7,
        "init_username": "alice",
        "is_subtask": False,
        "sealed_input": "",
        "token": "own-token",
    }
    return Claim(**{**standard, **values})


def write_database(folder: Path) -> Path:
    """Write the file behind the database `default`."""
    path = folder / "patients.csv"
    path.write_text("age\n40\n50\n")
    return path


class Bench:
    """A runtime with everything that it needs to run a program."""

    def __init__(
        self,
        folder: Path,
        runtime: Runtime,
        config: NodeConfig,
        services: Services | None = None,
        *,
        with_disks: bool = False,
    ) -> None:
        self.folder = folder
        self.runtime = runtime
        self.config = config
        self.services = services or Services()
        self._runs = folder / "data/runs"
        self._runs.mkdir(parents=True, exist_ok=True)
        #: File systems of the runs; None for plain folders.
        self.disks = run_disks.open_for(config, self._runs) if with_disks else None
        self.spool = Spool(folder / "data", self.disks)
        self.listeners: list[Any] = []

    def prepare(self, program: str, claim: Claim | None = None) -> tuple[Entry, RunSpec]:
        """Put a result on disk whose algorithm is a program."""
        claim = claim or make_claim()
        entry = self.spool.create(claim)
        entry.prepare(program.encode(), Tokens(server="of-the-server", proxy=claim.token))
        write_database(self.folder)
        databases = Databases(self.config.databases, self.folder)
        database = databases.get(claim.database)
        policy, asked = Policy(self.config), PolicyRequest.by(claim)
        grant = self.services.grant(database, lambda name: policy.may_reach(name, asked))
        spec = RunSpec(
            result_id=claim.result_id,
            image=self.runtime.fetch(claim.image, lambda: False).id,
            io=entry.io,
            output=self.spool.output(entry),
            temporary=self.spool.temporary(claim.run_id),
            database=database,
            labels=tuple(databases.labels),
            links=grant.links,
            vpn=VPN in grant.names,
            extra={**grant.variables, **self.config.algorithm_env},
        )
        return entry, spec

    def needs_bound(self, name: str) -> None:
        """Skip the test if the engine cannot bound the memory or the processes of containers."""
        if isinstance(self.runtime, DockerRuntime) and name in self.runtime.facts.unbounded:
            pytest.skip(self.runtime.facts.remedy)

    def begin(self, program: str, claim: Claim | None = None) -> tuple[Entry, Handle]:
        """Start a program."""
        entry, spec = self.prepare(program, claim)
        return entry, self.runtime.start(self.runtime.create(spec), self.listeners.append)

    def run(self, program: str, claim: Claim | None = None) -> tuple[Entry, Exit]:
        """Run a program to its end."""
        entry, handle = self.begin(program, claim)
        exit_ = self.runtime.wait(handle)
        self.spool.collect(entry, self.config.limits)
        return entry, exit_

    def close(self) -> None:
        """Forget everything that ran."""
        for listener in self.listeners:
            listener.close()
        eventually(self._sweep)
        self.services.close()
        self.runtime.close()
        run_disks.unmount_all(self._runs)

    def _sweep(self) -> None:
        try:
            self.runtime.sweep(set())
        except EngineUnavailable as error:
            # Podman finds the memory of a container in use for a moment after its end.
            raise AssertionError(str(error)) from error
