"""A federated average over three encrypted data stations, on this machine, from nothing.

Run it with ``make demo``. Everything it writes is in ``.demo``; it stops what it started, unless it
is told to keep it running (``make demo KEEP=1``, then ``make demo-stop``).
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import docker
import docker.errors
from rich.console import Console

from examples.federation import AS_PROCESSES, BIN, IN_CONTAINERS, PASSWORD, Federation
from vantage6.client import Client

ROOT = Path(__file__).resolve().parent.parent
#: The ages at each station.
AGES = {
    "example_org1": [45, 62, 71, 75],
    "example_org2": [28, 39, 47, 59],
    "example_org3": [33, 52, 64, 71, 82],
}

console = Console(highlight=False, soft_wrap=True)


def main() -> None:
    """Run the demonstration."""
    parser = argparse.ArgumentParser(description="A federated average on this machine.")
    parser.add_argument("--keep", action="store_true", help="leave everything running")
    parser.add_argument("--stop", action="store_true", help="stop what was left running")
    parser.add_argument("--folder", type=Path, default=ROOT / ".demo", help="where to write")
    arguments = parser.parse_args()
    federation = Federation(arguments.folder.absolute(), AGES)
    federation.stop()  # what an earlier run left
    if arguments.stop:
        console.print("Nothing of the demonstration runs any more.")
        return
    kept = False
    try:
        demonstrate(federation)
        kept = arguments.keep
    except KeyboardInterrupt:
        console.print("\nInterrupted.")
    finally:
        if not kept:
            with console.status("Stopping nodes and server"):
                federation.stop()
    explain_how_to_go_on(federation, kept=kept)


def demonstrate(federation: Federation) -> None:
    """Set three data stations up, and compute over them."""
    shutil.rmtree(federation.folder, ignore_errors=True)
    federation.runtime = choose_runtime() | {
        "policies": {"allowed_algorithms": r"harbor2\.vantage6\.ai/demo/average"}
    }
    with console.status("Starting the server"):
        federation.start_server()
    with console.status("Registering three organizations with keys, a collaboration and nodes"):
        federation.register()
    with console.status("Starting three nodes"):
        for name in federation.ids:
            federation.start_node(name)
        federation.wait_until_online()
    console.print(
        f"[bold]Server[/] at {federation.address}; three nodes are online; "
        "inputs and results are encrypted.\n"
    )
    compute(federation)
    console.print(
        f"API documentation  {federation.address}/apidocs\n"
        f"Celery Flower      http://127.0.0.1:{federation.flower_port}  "
        f"(user flower, password {federation.flower_password})\n"
    )


def choose_runtime() -> dict[str, Any]:
    """Return the settings that let nodes run the algorithm, in containers where possible."""
    try:
        docker.from_env(timeout=5).ping()
    except docker.errors.DockerException:
        reason = "no Docker engine answers"
    else:
        with console.status("Building the image of the algorithm (once, about a minute)"):
            built = subprocess.run(
                [ROOT / "scripts" / "build-images.sh"],
                env=os.environ | {"PYTHON": sys.executable},
                capture_output=True,
                text=True,
                check=False,
                timeout=900,
            )
        if built.returncode == 0:
            console.print("[bold]Algorithm[/] runs in containers.")
            return dict(IN_CONTAINERS)
        reason = "the image cannot be built: " + (built.stderr.strip() or "?").splitlines()[-1]
    console.print(f"[bold yellow]Algorithm[/] runs as plain processes, not isolated; {reason}.")
    return dict(AS_PROCESSES)


def compute(federation: Federation) -> None:
    """Show what the user documentation shows: each node's part, and the average."""
    with closing(federation.client()) as client:
        compute_with(federation, client)


def compute_with(federation: Federation, client: Client) -> None:
    """Send both methods to two stations, then to three."""
    for names in (list(AGES)[:2], list(AGES)):
        pooled = [age for name in names for age in AGES[name]]
        parts, seconds = answers(federation, client, names, "average_partial")
        console.print(
            f"[bold]What {len(names)} nodes return[/] ({seconds:.2f} s from submit to result)"
        )
        for name in names:
            console.print(f"  {name}  {parts[name]}")
        averages, seconds = answers(federation, client, names, "master")
        console.print(f"[bold]Federated average[/]  {averages[names[0]]} ({seconds:.2f} s)")
        console.print(f"[bold]Pooled average of the same files[/]  {sum(pooled) / len(pooled)}\n")


def answers(
    federation: Federation, client: Client, names: list[str], method: str
) -> tuple[dict[str, Any], float]:
    """Send a task, and return what each organization answers and how long that took."""
    started = time.monotonic()
    found = federation.results(client, federation.send(client, names, method))
    seconds = time.monotonic() - started
    for result in found.values():
        if result["status"] != "completed":
            raise SystemExit(f"A node failed: {result['status']}\n{result['log']}")
    return {name: result["result"] for name, result in found.items()}, seconds


def explain_how_to_go_on(federation: Federation, *, kept: bool) -> None:
    """Print how to reach what is left running, and how to stop it."""
    if not kept:
        console.print("Everything was stopped. `make demo KEEP=1` leaves it running.")
        return
    variables = federation.variables.items()
    exports = "\n".join(f"  export {name}={value}" for name, value in variables)
    console.print(
        f"""[bold]Everything is left running.[/] To connect, start {BIN}/python and type
  from vantage6.client import Client
  client = Client("http://127.0.0.1", {federation.port}, "/api")
  client.authenticate("researcher", "{PASSWORD}")
  client.setup_encryption("{federation.key_file("example_org1")}")
For the other examples (see examples/README.md) type in a shell
{exports}
To stop: make demo-stop"""
    )


if __name__ == "__main__":
    main()
