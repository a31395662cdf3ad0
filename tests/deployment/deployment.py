"""A deployment of compose/compose.yaml from images of this machine, with two data stations."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx2
import psutil
import yaml

from tests.acceptance.conftest import AGES, COUNTING
from tests.services import missing
from vantage6.client import Client
from vantage6.common.secret_files import write_private
from vantage6.sandbox.federation import AS_PROCESSES, IN_CONTAINERS, PASSWORD, Federation
from vantage6.sandbox.ports import free_port

COMPOSE = Path(__file__).parents[2] / "compose"
SCRIPTS = Path(__file__).parents[2] / "scripts"
#: The station that runs in a container; the other one runs beside the tests.
CONTAINED = "alpha"
#: Whom its folder belongs to.
STATION_USER = 10002

#: Every process of a server, and the service that it belongs to.
SERVICES = ("api", "worker", "beat", "redis", "postgres", "nginx")


def tool() -> list[str]:
    """Return how the Docker Compose tool is called on this machine."""
    for command in (["docker", "compose"], ["docker-compose"]):
        with suppress(OSError):
            if not subprocess.run(
                [*command, "version"], capture_output=True, timeout=30
            ).returncode:
                return command
    missing("the Docker Compose tool")


def build_images() -> dict[str, str]:
    """Build the images that are not up to date, and return the variables that name them."""
    built = subprocess.run(
        [SCRIPTS / "deployment-images.sh"],
        capture_output=True,
        text=True,
        timeout=900,
        env={**os.environ, "PYTHON": sys.executable},
    )
    assert built.returncode == 0, built.stderr
    return dict(line.split("=", 1) for line in built.stdout.split())


class Deployment(Federation):
    """A server in containers behind nginx, and two data stations."""

    def __init__(self, folder: Path, project: str, images: dict[str, str]) -> None:
        self.count_file = folder / "counts"
        command = [sys.executable, str(Path(__file__).parents[1] / "acceptance" / "counting.py")]
        as_processes: Any = AS_PROCESSES["processes"]
        server = {"server_url": "https://127.0.0.1", "ca_bundle": str(folder / "certificate.pem")}
        counting = {
            "processes": {**as_processes, COUNTING: command},
            "algorithm_env": {"COUNT_FILE": str(self.count_file)},
        }
        super().__init__(folder, AGES, node_settings={"beta": {**server, **counting}})
        self._contained = {**server, **IN_CONTAINERS}
        self.project = project
        self.images = images
        self.port, self.flower_port = free_port(), free_port()

    @property
    def address(self) -> str:
        return f"https://127.0.0.1:{self.port}"

    # The Docker Compose tool

    def compose(self, *words: str, seconds: float = 240, file: str = "compose.yaml") -> str:
        """Run the tool, and return what it prints."""
        done = subprocess.run(
            [*tool(), "-p", self.project, "-f", file, *words],
            cwd=COMPOSE,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=seconds,
        )
        assert done.returncode == 0, f"{words}:\n{done.stdout}{done.stderr}"
        return done.stdout

    @property
    def environment(self) -> dict[str, str]:
        """The variables of compose.yaml and node.yaml."""
        socket = os.environ["DOCKER_HOST"].removeprefix("unix://")
        return {
            **os.environ,
            **self.images,
            "V6_PORT": str(self.port),
            "V6_FLOWER_PORT": str(self.flower_port),
            # A machine of tests may not be allowed more.
            "V6_OPEN_FILES": "1024",
            "V6_NODE_FOLDER": str(self.folder / CONTAINED),
            "V6_NODE_USER": f"{STATION_USER}:{STATION_USER}",
            "V6_ENGINE_SOCKET": socket,
            "V6_ENGINE_GROUP": str(Path(socket).stat().st_gid),
        }

    def containers(self, service: str) -> list[str]:
        """Return the ids of a service's containers."""
        file = "node.yaml" if service == "node" else "compose.yaml"
        return self.compose("--profile", "flower", "ps", "-q", service, file=file).split()

    def execute(self, service: str, *words: str) -> str:
        """Run a command in a container of a service, and return what it prints.

        Older versions of the Compose tool look for the container with the number 1, which a rolling
        restart has replaced.
        """
        return run("docker", "exec", self.containers(service)[0], *words)

    def kill_one(self, service: str) -> None:
        """Kill the main process of one container, as a lack of memory would."""
        container = self.containers(service)[0]
        before = pid_of(container)
        os.kill(before, signal.SIGKILL)
        wait_until(lambda: pid_of(container) not in (0, before), f"{service} does not come back")

    # As vantage6.sandbox.federation.Federation, in containers

    def start_server(self) -> None:
        self.folder.mkdir(exist_ok=True)
        self.count_file.touch()
        self.compose("up", "--detach")
        certificate = self.execute("nginx", "cat", "/run/tls/certificate.pem")
        (self.folder / "certificate.pem").write_text(certificate)
        self.wait_until_ready(60)

    def stop_server(self) -> None:
        """Remove everything."""
        self.compose("--profile", "flower", "down", "--volumes", "--timeout", "5")

    def wait_until_ready(self, seconds: float = 60) -> None:
        wait_until(self._is_ready, f"{self.project} is not ready", seconds)

    def _is_ready(self) -> bool:
        with suppress(httpx2.HTTPError):
            return httpx2.get(f"{self.address}/api/ready", timeout=5).status_code == 200
        return False

    def client(
        self, username: str = "researcher", password: str = PASSWORD, **options: Any
    ) -> Client:
        if username == "root":
            password = self.execute("api", "cat", "/run/vantage6/root_password")
        options = {"raise_errors": True, **options}
        client = Client("https://127.0.0.1", self.port, "/api", **options)
        client.authenticate(username, password)
        if username == "researcher":
            client.setup_encryption(self.key_file(next(iter(self.ids))))
        return client

    def start_node(self, name: str, **settings: Any) -> psutil.Process:
        if name != CONTAINED:
            return super().start_node(name, **settings)
        folder = self.folder / name
        shutil.copy(self.folder / "certificate.pem", folder)
        (folder / "example.csv").write_text("\n".join(["age", *map(str, self.ages[name])]))
        configuration = {
            "api_key": self.api_keys[name],
            **self._contained,
            "ca_bundle": str(folder / "certificate.pem"),
            "port": self.port,
            "task_dir": str(folder / "node"),
            "databases": {"default": str(folder / "example.csv")},
            "encryption": {"enabled": True, "private_key": str(self.key_file(name))},
        }
        write_private(folder / "node.yaml", yaml.safe_dump({"application": configuration}))
        for path in (folder, *folder.rglob("*")):
            os.chown(path, STATION_USER, STATION_USER)
        self.compose("up", "--detach", file="node.yaml")
        return psutil.Process(pid_of(self.containers("node")[0]))

    def stop_node(self, name: str, number: signal.Signals = signal.SIGTERM) -> None:
        if name == CONTAINED:
            self.compose("down", "--timeout", "10", file="node.yaml")
        else:
            super().stop_node(name, number)

    def count(self, client: Client, *, answer: Any = 1) -> int:
        """Send a task whose runs are counted, and return its id."""
        input_ = {"seconds": 0, "answer": answer}
        return self.send(client, ["beta"], "run", image=COUNTING, input=input_)


def pid_of(container: str) -> int:
    """Return the main process of a container as this machine sees it; 0 if it does not run."""
    return int(inspected(container, "{{.State.Pid}}"))


def inspected(container: str, template: str) -> str:
    """Return something that the engine knows of a container."""
    return run("docker", "inspect", "--format", template, container).strip()


def run(*words: str) -> str:
    """Run a command, and return what it prints."""
    done = subprocess.run(words, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, f"{words}:\n{done.stdout}{done.stderr}"
    return done.stdout


def wait_until(holds: Callable[[], bool], complaint: str, seconds: float = 60) -> None:
    """Wait until something holds, and fail if it does not in time."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, complaint
        time.sleep(0.2)
