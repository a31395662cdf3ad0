"""A server and data stations on this machine, for the demonstration, the tests and the benchmarks.

Everything is done as people do it: with ``vserver``, ``vnode`` and the client library.
"""

import csv
import json
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import psutil
import yaml

from vantage6.client import Client, RSACryptor
from vantage6.common.cli.log_tail import last_lines
from vantage6.common.secret_files import write_private
from vantage6.sandbox.ports import free_port
from vantage6.sandbox.programs import program

#: The image that the user documentation uses.
IMAGE = "harbor2.vantage6.ai/demo/average"
PASSWORD = "Demo-password-1"  # noqa: S105  (of an account that lives as long as the federation)
#: Settings of a node that runs the algorithm without a container engine.
AS_PROCESSES = {
    "runtime": "process",
    "processes": {IMAGE: [sys.executable, "-m", "vantage6.algorithms.average"]},
}
#: Settings of a node that runs it in containers, from an image that was built on this machine. A
#: run starts only where its whole `disk_bytes` are free: few, so that small machines have them.
IN_CONTAINERS = {
    "runtime": "docker",
    "pull_policy": "never",
    "limits": {"disk_bytes": 512 * 2**20},
}


class FederationError(Exception):
    """A part did not start; the message says where the reason is."""


@dataclass
class Federation:
    """Organizations in one collaboration, each with a node and a file of ages.

    Parameters
    ----------
    folder
        Where everything is written.
    ages
        The rows of each organization's file, by name.
    runtime
        How nodes run algorithms; `AS_PROCESSES` or `IN_CONTAINERS`, and more settings of a node.
    encrypted
        Whether the collaboration is encrypted.
    settings
        More settings of the server.
    node_settings
        More settings of single nodes, by name.
    suffix
        What the names of the nodes end with: two nodes of one name do not run beside one engine.
    """

    folder: Path
    ages: Mapping[str, Sequence[int]]
    runtime: Mapping[str, Any] = field(default_factory=lambda: AS_PROCESSES)
    encrypted: bool = True
    settings: Mapping[str, Any] = field(default_factory=dict)
    node_settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    suffix: str = ""
    #: Ids of the organizations, by name.
    ids: dict[str, int] = field(default_factory=dict)
    api_keys: dict[str, str] = field(default_factory=dict)
    collaboration: int = 0
    port: int = 0
    flower_port: int = 0
    #: Nodes that this process started, for reaping them.
    _started: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """Where the server is."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def variables(self) -> dict[str, str]:
        """The environment from which the examples know address and account."""
        first = next(iter(self.ages))
        return {
            "V6_PORT": str(self.port),
            "V6_PASSWORD": PASSWORD,
            "V6_KNOWN_ORGANIZATIONS": str(self.known_keys_file),
            **({"V6_KEY": str(self.key_file(first))} if self.encrypted else {}),
        }

    @property
    def known_keys_file(self) -> Path:
        """Where clients remember keys; another federation may have the same port later."""
        return self.folder / "known_organizations.json"

    @property
    def flower_password(self) -> str:
        """Password of Flower's user ``flower``."""
        return (self.folder / "server" / "flower.key").read_text()

    # Server

    def start_server(self) -> None:
        """Start API, workers, Redis and Flower; the second time as they were."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not self.port:
            self.port, self.flower_port = free_port(), free_port()
            _write_yaml(
                self.server_file,
                {
                    "description": "on this machine",
                    "port": self.port,
                    "data_dir": str(self.folder / "server"),
                    "flower": {"port": self.flower_port},
                    **self.settings,
                },
            )
        _run(*program("vserver"), "start", "--config", self.server_file)

    def stop_server(self) -> None:
        """Stop it."""
        if self.server_file.exists():
            _run(*program("vserver"), "stop", "--config", self.server_file)

    @property
    def server_file(self) -> Path:
        """The configuration of the server."""
        return self.folder / "server.yaml"

    def process(self, program: str) -> psutil.Process:
        """Return a process of the server: api, worker, beat, redis or flower."""
        pid = int((self.folder / "server" / "supervisord.pid").read_text())
        marks = {
            "api": ["gunicorn"],
            "redis": ["redis-server", "valkey-server"],
            "flower": ["vantage6.workers.flower"],
        }.get(program, [program])
        for child in psutil.Process(pid).children():
            if any(Path(word).name in marks for word in " ".join(child.cmdline()).split()):
                return child
        raise FederationError(f"{program} does not run")

    def kill(self, program: str) -> None:
        """Kill a process of the server and its children, as a power cut would."""
        process = self.process(program)
        for one in [process, *process.children(recursive=True)]:
            one.kill()

    def read_port(self) -> None:
        """Learn the port of a server that another process started."""
        with suppress(OSError, yaml.YAMLError, KeyError, TypeError):
            self.port = yaml.safe_load(self.server_file.read_text())["application"]["port"]

    def is_ready(self) -> bool:
        """Tell whether the server has everything it needs."""
        with suppress(httpx2.HTTPError):
            return bool(
                self.port and httpx2.get(f"{self.address}/api/ready", timeout=2).status_code == 200
            )
        return False

    def wait_until_ready(self, seconds: float = 30) -> None:
        """Wait until the server has everything it needs."""
        deadline = time.monotonic() + seconds
        while True:
            if self.is_ready():
                return
            if time.monotonic() > deadline:
                raise FederationError(f"The server is not ready; see {self.folder}/server/log")
            time.sleep(0.05)

    # Organizations

    def register(self) -> None:
        """Do what an administrator does once: organizations, collaboration, nodes, a researcher."""
        with closing(self.client("root", "root")) as root:
            self._register(root)

    def _register(self, root: Client) -> None:
        for name in self.ages:
            key = self.key_file(name)
            key.parent.mkdir(exist_ok=True)
            if self.encrypted and not key.exists():
                RSACryptor.create_new_rsa_key(key)
            self.ids[name] = root.organization.create(
                name=name,
                address1="",
                address2="",
                zipcode="",
                country="",
                domain=f"{name}.example",
                public_key=RSACryptor(key).public_key_str if self.encrypted else None,
            )["id"]
        self.collaboration = root.collaboration.create(
            "example_collab1", organizations=list(self.ids.values()), encrypted=self.encrypted
        )["id"]
        roles = {role["name"]: role["id"] for role in root.role.list(include_metadata=False)}
        first = next(iter(self.ids.values()))
        root.user.create(
            username="researcher",
            firstname="Re",
            lastname="Searcher",
            password=PASSWORD,
            email="researcher@example.org",
            organization=first,
            roles=[roles["Organization Admin"]],
        )
        for name, id_ in self.ids.items():
            node = root.node.create(collaboration=self.collaboration, organization=id_)
            self.api_keys[name] = node["api_key"]

    def key_file(self, name: str) -> Path:
        """Return the private key of an organization."""
        return self.folder / name / "private_key.pem"

    def client(
        self, username: str = "researcher", password: str = PASSWORD, **options: Any
    ) -> Client:
        """Return a client that is logged in; the researcher's decrypts."""
        options = {"raise_errors": True, "known_keys_file": self.known_keys_file, **options}
        client = Client("http://127.0.0.1", self.port, "/api", **options)
        client.authenticate(username, password)
        if username == "researcher":
            client.setup_encryption(self.key_file(next(iter(self.ids))) if self.encrypted else None)
        return client

    # Nodes

    def node_file(self, name: str) -> Path:
        """Return the configuration of an organization's node, whose name is that of the file."""
        return self.folder / name / f"{name}{self.suffix}.yaml"

    def start_node(self, name: str, **settings: Any) -> psutil.Process:
        """Start the data station of an organization."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        with (folder / "example.csv").open("w", newline="") as file:
            csv.writer(file).writerows([["age"], *([age] for age in self.ages[name])])
        configuration = self.node_file(name)
        encryption: dict[str, Any] = {"enabled": self.encrypted}
        if self.encrypted:
            encryption["private_key"] = str(self.key_file(name))
        _write_yaml(
            configuration,
            {
                "api_key": self.api_keys[name],
                "server_url": "http://127.0.0.1",
                "port": self.port,
                "api_path": "/api",
                "task_dir": str(folder / "node"),
                "databases": {"default": str(folder / "example.csv")},
                "encryption": encryption,
                **self.runtime,
                **self.node_settings.get(name, {}),
                **settings,
            },
        )
        with (folder / "node.log").open("a") as log:
            process = subprocess.Popen(
                [*program("vnode"), "start", "--attach", "--config", configuration],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        (folder / "node.pid").write_text(str(process.pid))
        self._started[name] = process
        return psutil.Process(process.pid)

    def node(self, name: str) -> psutil.Process | None:
        """Return the process of a node if it lives."""
        try:
            process = psutil.Process(int((self.folder / name / "node.pid").read_text()))
            alive = process.status() != psutil.STATUS_ZOMBIE
            if alive and str(self.node_file(name)) in process.cmdline():
                return process
        except (OSError, ValueError, psutil.Error):
            pass
        return None

    def stop_node(self, name: str, number: signal.Signals = signal.SIGTERM) -> None:
        """Stop a node, and wait until it is gone."""
        process = self.node(name)
        if process is not None:
            process.send_signal(number)
            process.wait(30)
        if name in self._started:
            self._started.pop(name).wait(30)

    def wait_until_online(self, *names: str, seconds: float = 60) -> None:
        """Wait until nodes, all of them if none is named, consume their queues.

        Raises
        ------
        FederationError
            If one of them ended, or takes longer.
        """
        deadline = time.monotonic() + seconds
        with closing(self.client("root", "root")) as client:
            while away := self._away(client, names or tuple(self.ids)):
                # A node that has ended does not come up any more.
                if time.monotonic() > deadline or any(map(self._has_ended, away)):
                    raise FederationError(self._why_away(away))
                time.sleep(0.05)

    def _why_away(self, away: Sequence[str]) -> str:
        """Return what the nodes that did not start wrote last."""
        found = []
        for name in away:
            file = self.folder / name / "node.log"
            found.append(
                "\n".join((f"The node {name} did not start; see {file}.", *last_lines(file, 5)))
            )
        return "\n".join(found)

    def _away(self, client: Client, names: Sequence[str]) -> list[str]:
        """Return which nodes do not consume their queues."""
        nodes = client.request(f"collaboration/{self.collaboration}/node")
        there = {node["organization"]["id"] for node in nodes if node["status"] == "online"}
        return [name for name in names if self.ids[name] not in there]

    def _has_ended(self, name: str) -> bool:
        process = self._started.get(name)
        return process is not None and process.poll() is not None

    # All of it

    def start(self) -> None:
        """Start the server, register organizations, start the nodes, and wait for them."""
        self.start_server()
        self.register()
        for name in self.ids:
            self.start_node(name)
        self.wait_until_online()

    def stop(self) -> None:
        """Stop everything, nodes first."""
        for name in self.ages:
            self.stop_node(name)
        self.stop_server()

    def send(self, client: Client, names: Sequence[str], method: str, **more: Any) -> int:
        """Send the task of the user documentation to organizations, and return its id."""
        input_ = {"method": method, "kwargs": {"column_name": "age"}, "master": method == "master"}
        task = client.task.create(
            **{
                "collaboration": self.collaboration,
                "organizations": [self.ids[name] for name in names],
                "name": "an-awesome-task",
                "image": IMAGE,
                "description": "",
                "input": input_,
                "data_format": "json",
                **more,
            }
        )
        id_: int = task["id"]
        return id_

    def results(self, client: Client, task: int, seconds: float = 120) -> dict[str, dict[str, Any]]:
        """Wait for a task, and return the result of each organization by its name."""
        client.wait_for_results(task, timeout=seconds)
        names = {id_: name for name, id_ in self.ids.items()}
        found = client.result.list(task=task)["data"]
        return {names[result["organization"]["id"]]: result for result in found}


def _run(*command: object) -> None:
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=False, timeout=150
    )
    if done.returncode:
        raise FederationError(f"{command[0]} failed:\n{done.stdout}{done.stderr}")


def _write_yaml(path: Path, values: Mapping[str, Any]) -> None:
    """Write a configuration file that only its owner can read."""
    plain = json.loads(json.dumps({"application": values}))
    write_private(path, yaml.safe_dump(plain))
