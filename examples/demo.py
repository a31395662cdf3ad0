"""A federated average over three encrypted data stations, on this machine, from nothing.

Run it with ``make demo``. Everything it writes is in ``.demo``; it stops what it started, unless it
is told to keep it running (``make demo KEEP=1``, then ``make demo-stop``).
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import docker
import docker.errors
from rich.console import Console

from examples import own
from vantage6.client import Client
from vantage6.sandbox import demonstration, statistics
from vantage6.sandbox.demonstration import AGES
from vantage6.sandbox.federation import AS_PROCESSES, IMAGE, IN_CONTAINERS, PASSWORD, Federation
from vantage6.sandbox.leftovers import end_users_of
from vantage6.sandbox.own_folder import make_empty, refusal
from vantage6.sandbox.programs import BIN
from vantage6.sandbox.runtimes import with_statistics
from vantage6.web import built

ROOT = Path(__file__).resolve().parent.parent

console = Console(highlight=False, soft_wrap=True)


def main() -> None:
    """Run the demonstration."""
    arguments = _read_arguments()
    federation = make_federation(arguments.folder.resolve(), arguments.data)
    used = [arguments.data, *own.files_in(arguments.data)] if arguments.data else ()
    if said := refusal(federation.folder, used):
        raise SystemExit(said)
    stop(federation)  # the processes that an earlier run left
    if arguments.stop:
        console.print("Nothing of the demonstration runs any more.")
        return
    if arguments.image:
        own.check_image(arguments.image)
    is_own = bool(arguments.image or arguments.data or arguments.input)
    # Without an input, an own algorithm is sent by hand: everything has to stay.
    keep = arguments.keep or (is_own and arguments.input is None)
    kept, completed = False, True
    try:
        set_up(federation, arguments.image, used)
        if not is_own:
            compute(federation)
        elif arguments.input is not None:
            completed = own.send(federation, arguments.input, arguments.image, console)
        kept = keep
    except KeyboardInterrupt:
        console.print("\nInterrupted.")
    finally:
        if not kept:
            with console.status("Stopping nodes and server"):
                stop(federation)
    explain_how_to_go_on(
        federation, kept=kept, call=own.call(federation, arguments.image) if is_own else ""
    )
    if not completed:
        raise SystemExit(1)


def _read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="A federated average on this machine.")
    parser.add_argument("--keep", action="store_true", help="leave everything running")
    parser.add_argument("--stop", action="store_true", help="stop what was left running")
    parser.add_argument("--folder", type=Path, default=ROOT / ".demo", help="where to write")
    parser.add_argument("--image", help="an image of your own, which the stations will allow")
    parser.add_argument("--data", type=Path, help="a folder with a file of data for each station")
    parser.add_argument(
        "--input", type=json.loads, help="an input in JSON, to send to the image at once"
    )
    return parser.parse_args()


def make_federation(folder: Path, data: Path | None = None) -> Federation:
    """Return the federation of the demonstration, or one with a station for each file of data."""
    if data is not None:
        stations = own.databases_in(data)
        return Federation(
            folder,
            dict.fromkeys(stations, ()),
            node_settings={name: {"databases": found} for name, found in stations.items()},
        )
    return demonstration.make_federation(folder)


def stop(federation: Federation) -> None:
    """Stop the federation, and each other program that uses its folder."""
    federation.stop()
    for name in end_users_of(federation.folder):
        console.print(f"Ended {name}.", markup=False)


def set_up(federation: Federation, image: str | None = None, used: Iterable[Path] = ()) -> None:
    """Set the data stations up.

    They allow the image of the demonstration, that of the statistics if it can run, and one more.
    """
    make_empty(federation.folder, used)
    runtime = dict(IN_CONTAINERS) if image else choose_runtime()
    allowed = [name for name in (IMAGE, image) if name]
    if more := with_statistics(runtime):
        runtime = more
        allowed.append(statistics.IMAGE)
    federation.runtime = runtime | demonstration.policies(allowed)
    with console.status("Starting the server"):
        federation.start_server()
    with console.status("Registering the organizations with keys, a collaboration and nodes"):
        federation.register()
    with console.status("Starting the nodes"):
        for name in federation.ids:
            demonstration.write_databases(federation, name)
            federation.start_node(name)
        federation.wait_until_online()
    console.print(
        f"[bold]Server[/] at {federation.address}; {_count(len(federation.ids))} online; "
        "inputs and results are encrypted.\n"
    )


def _count(number: int) -> str:
    words = {1: "one node is", 2: "two nodes are", 3: "three nodes are"}
    return words.get(number, f"{number} nodes are")


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


def explain_how_to_go_on(federation: Federation, *, kept: bool, call: str = "") -> None:
    """Print how to reach what is left running, and how to stop it."""
    if not kept:
        console.print("Everything was stopped. `make demo KEEP=1` leaves it running.")
        return
    first = next(iter(federation.ids))
    exports = "\n".join(f"  export {name}={value}" for name, value in federation.variables.items())
    if built():
        console.print(
            f"""[bold]Web pages[/]          {federation.address}/app/
                   (user researcher, password {PASSWORD}, key {federation.key_file(first)})"""
        )
    console.print(
        f"""API documentation  {federation.address}/apidocs
Celery Flower      http://127.0.0.1:{federation.flower_port}  (user flower, password in
                   {federation.folder}/server/flower.key)

[bold]Everything is left running.[/] To connect, start {BIN}/python and type
  from vantage6.client import Client
  client = Client("http://127.0.0.1", {federation.port}, "/api")
  client.authenticate("researcher", "{PASSWORD}")
  client.setup_encryption("{federation.key_file(first)}")"""
    )
    console.print(
        f"{call}For the other examples (see examples/README.md) type in a shell", markup=False
    )
    console.print(f"{exports}\nTo stop: make demo-stop")


if __name__ == "__main__":
    main()
