"""A federated average over three encrypted data stations, on this machine, from nothing.

Run it with ``make demo``. Everything it writes is in ``.demo``; it stops what it started, unless it
is told to keep it running (``make demo KEEP=1``, then ``make demo-stop``).
"""

import argparse
import csv
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import docker
import docker.errors
import yaml
from rich.console import Console

from vantage6.client import Client, RSACryptor

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / ".demo"
STATE = FOLDER / "state.json"
BIN = Path(sys.executable).parent
IMAGE = "harbor2.vantage6.ai/demo/average"
PASSWORD = "Demo-password-1"  # noqa: S105  (for an account that lives as long as the demo)
#: The ages at each station.
AGES = {
    "example_org1": [45, 62, 71, 75],
    "example_org2": [28, 39, 47, 59],
    "example_org3": [33, 52, 64, 71, 82],
}

console = Console(highlight=False, soft_wrap=True)


def main() -> None:
    """Run the demonstration."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--keep", action="store_true", help="leave everything running")
    parser.add_argument("--stop", action="store_true", help="stop what was left running")
    arguments = parser.parse_args()
    stop()
    if arguments.stop:
        console.print("Nothing of the demonstration runs any more.")
        return
    kept = False
    try:
        demonstrate()
        kept = arguments.keep
    except KeyboardInterrupt:
        console.print("\nInterrupted.")
    finally:
        if not kept:
            stop()
    if kept:
        explain_how_to_go_on()
    else:
        console.print("Stopped everything. `make demo KEEP=1` leaves it running.")


def demonstrate() -> None:
    """Set three data stations up, and compute over them."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(mode=0o700)
    runtime = choose_runtime()
    with console.status("Starting the server"):
        url, port = start_server()
    with console.status("Registering organizations, an encrypted collaboration and nodes"):
        api_keys = register(port)
    with console.status("Starting three nodes"):
        for name, key in api_keys.items():
            start_node(name, key, port, runtime)
        client = log_in(port)
        wait_for_nodes(client)
    console.print(f"[bold]Server[/] {url}, three nodes online, collaboration encrypted.\n")
    compute(client)


def choose_runtime() -> dict[str, object]:
    """Return the settings that let nodes run the algorithm, in containers where possible."""
    try:
        docker.from_env(timeout=5).ping()
    except docker.errors.DockerException:
        reason = "no Docker engine answers"
    else:
        with console.status("Building the image of the algorithm (once, about a minute)"):
            built = subprocess.run(
                [ROOT / "compose" / "build-images.sh"],
                env=os.environ | {"PYTHON": sys.executable},
                capture_output=True,
                text=True,
                check=False,
                timeout=900,
            )
        if built.returncode == 0:
            console.print("[bold]Algorithm[/] runs in containers.")
            return {"runtime": "docker", "pull_policy": "never"}
        said = (built.stderr.strip() or built.stdout.strip()).splitlines()[-1:]
        reason = f"the image cannot be built ({' '.join(said)})"
    console.print(f"[bold yellow]Algorithm[/] runs as plain processes, not isolated: {reason}.")
    command = [sys.executable, "-m", "vantage6.algorithms.average"]
    return {"runtime": "process", "processes": {IMAGE: command}}


def start_server() -> tuple[str, int]:
    """Start API, workers, Redis and Flower; return address and port of the API."""
    port, flower = free_port(), free_port()
    write_yaml(
        FOLDER / "server.yaml",
        {
            "description": "demonstration",
            "port": port,
            "data_dir": str(FOLDER / "server"),
            "flower": {"port": flower},
        },
    )
    run(BIN / "vserver", "start", "--config", FOLDER / "server.yaml")
    remember(port=port, flower=flower)
    return f"http://127.0.0.1:{port}", port


def register(port: int) -> dict[str, str]:
    """Do what an administrator does once; return the API key of each node."""
    root = Client("http://127.0.0.1", port, "/api")
    root.authenticate("root", "root")
    ids = []
    for name in AGES:
        folder = FOLDER / name
        folder.mkdir()
        RSACryptor.create_new_rsa_key(folder / "private_key.pem")
        organization = root.organization.create(
            name=name,
            address1="",
            address2="",
            zipcode="",
            country="",
            domain=f"{name}.example",
            public_key=RSACryptor(folder / "private_key.pem").public_key_str,
        )
        ids.append(organization["id"])
    collaboration = root.collaboration.create("example_collab1", organizations=ids, encrypted=True)
    researcher = next(
        role["id"] for role in root.role.list(include_metadata=False) if role["name"] == "Researcher"
    )
    root.user.create(
        username="researcher",
        firstname="Re",
        lastname="Searcher",
        password=PASSWORD,
        email="researcher@example.org",
        organization=ids[0],
        roles=[researcher],
    )
    return {
        name: root.node.create(collaboration=collaboration["id"], organization=id_)["api_key"]
        for name, id_ in zip(AGES, ids, strict=True)
    }


def start_node(name: str, api_key: str, port: int, runtime: dict[str, object]) -> None:
    """Start the data station of an organization."""
    folder = FOLDER / name
    with (folder / "example.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["age"], *([age] for age in AGES[name])])
    write_yaml(
        folder / f"{name}.yaml",
        {
            "api_key": api_key,
            "server_url": "http://127.0.0.1",
            "port": port,
            "api_path": "/api",
            "task_dir": str(folder / "node"),
            "databases": {"default": str(folder / "example.csv")},
            "encryption": {"enabled": True, "private_key": str(folder / "private_key.pem")},
            "policies": {"allowed_algorithms": IMAGE.replace(".", r"\.")},
            **runtime,
        },
    )
    with (folder / "node.log").open("w") as log:
        process = subprocess.Popen(
            [BIN / "vnode", "start", "--config", folder / f"{name}.yaml"],
            stdout=log,
            stderr=log,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    remember(**{name: process.pid})


def log_in(port: int) -> Client:
    """Return a client as a researcher of the first organization has it."""
    client = Client("http://127.0.0.1", port, "/api", raise_errors=True)
    client.authenticate("researcher", PASSWORD)
    client.setup_encryption(FOLDER / "example_org1" / "private_key.pem")
    return client


def wait_for_nodes(client: Client) -> None:
    """Wait until every node consumes its queue."""
    deadline = time.monotonic() + 60
    while True:
        collaboration = client.request("collaboration/1/node")
        if all(node["status"] == "online" for node in collaboration):
            return
        if time.monotonic() > deadline:
            raise SystemExit(f"A node did not start; see {FOLDER}/*/node.log")
        time.sleep(0.1)


def compute(client: Client) -> None:
    """Show what the seed document shows: each node's part, and the average."""
    numbers = {row["name"]: row["id"] for row in client.organization.list(fields=["id", "name"])}
    names = {number: name for name, number in numbers.items()}
    for chosen in (list(AGES)[:2], list(AGES)):
        ids = [numbers[name] for name in chosen]
        pooled = [age for name in chosen for age in AGES[name]]
        parts, seconds = send(client, ids, "average_partial", master=False)
        console.print(f"[bold]Each of {len(ids)} nodes[/] ({seconds:.2f} s from submit to result)")
        for organization, result in sorted(parts.items()):
            console.print(f"  {names[organization]}: {result}")
        # One node coordinates, the others get sub-tasks from it.
        averages, seconds = send(client, ids, "master", master=True)
        average = averages[ids[0]]
        console.print(f"[bold]Federated average[/] {average} ({seconds:.2f} s)")
        console.print(f"[bold]Pooled average of the same files[/] {sum(pooled) / len(pooled)}\n")


def send(
    client: Client, ids: list[int], method: str, *, master: bool
) -> tuple[dict[int, object], float]:
    """Send a task, wait for it, and return the result of each organization and the time it took."""
    started = time.monotonic()
    task = client.task.create(
        collaboration=1,
        organizations=ids,
        name="an-awesome-task",
        image=IMAGE,
        description="",
        input={"method": method, "kwargs": {"column_name": "age"}, "master": master},
        data_format="json",
    )
    client.wait_for_results(task["id"], timeout=300)
    seconds = time.monotonic() - started
    results = client.result.list(task=task["id"])["data"]
    for result in results:
        if result["status"] != "completed":
            raise SystemExit(f"A node failed: {result['status']}\n{result['log']}")
    return {result["organization"]["id"]: result["result"] for result in results}, seconds


def explain_how_to_go_on() -> None:
    """Print how to reach what is left running, and how to stop it."""
    state = json.loads(STATE.read_text())
    password = (FOLDER / "server" / "flower.key").read_text()
    console.print(
        f"""[bold]Everything is left running.[/]
API documentation  http://127.0.0.1:{state["port"]}/apidocs
Celery Flower      http://127.0.0.1:{state["flower"]}  (user flower, password {password})
Connect            {BIN}/python
  from vantage6.client import Client
  client = Client("http://127.0.0.1", {state["port"]}, "/api")
  client.authenticate("researcher", "{PASSWORD}")
  client.setup_encryption("{FOLDER}/example_org1/private_key.pem")
Stop               make demo-stop"""
    )


def stop() -> None:
    """Stop what this or an earlier run started, nodes first."""
    if not STATE.exists():
        return
    for name, pid in json.loads(STATE.read_text()).items():
        if name in AGES and is_node(pid):
            os.kill(pid, signal.SIGTERM)
    for name, pid in json.loads(STATE.read_text()).items():
        deadline = time.monotonic() + 15
        while name in AGES and is_node(pid) and time.monotonic() < deadline:
            time.sleep(0.05)
    run(BIN / "vserver", "stop", "--config", FOLDER / "server.yaml")
    STATE.unlink()


def is_node(pid: int) -> bool:
    """Tell whether a process is a node of this demonstration; pids are used again."""
    try:
        return str(FOLDER).encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def run(*command: object) -> None:
    """Run a command; show what it said if it fails."""
    done = subprocess.run(
        [str(part) for part in command], capture_output=True, text=True, check=False, timeout=120
    )
    if done.returncode:
        raise SystemExit(f"{command[0]} failed:\n{done.stdout}{done.stderr}")


def remember(**values: int) -> None:
    """Note what runs, for the one who stops it."""
    state = json.loads(STATE.read_text()) if STATE.exists() else {}
    STATE.write_text(json.dumps(state | values))


def write_yaml(path: Path, values: dict[str, object]) -> None:
    """Write a configuration file that nobody else can read."""
    with open(path, "w", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        yaml.safe_dump({"application": values}, file)


def free_port() -> int:
    """Return a port on which nobody listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


if __name__ == "__main__":
    main()
