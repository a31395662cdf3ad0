"""Measure an iterative analysis as a ratio to bare runs of the same image, one for each round."""

import base64
import json
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import closing
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console

from benchmarks.job import build, report, timed
from vantage6.client import Client
from vantage6.common.disclosure import FLOORS_FILE, PARTIES_FILE
from vantage6.sandbox.demonstration import write_rows
from vantage6.sandbox.federation import IN_CONTAINERS, Federation
from vantage6.sandbox.patients import HOSPITALS, patients
from vantage6.sandbox.statistics import IMAGE

_INPUT = {
    "method": "glm",
    "master": True,
    "kwargs": {"formula": "died ~ age + arm + stage + pressure", "family": "binomial"},
}
_SECONDS = 300

console = Console(highlight=False, soft_wrap=True)


def measure(rounds: int) -> None:
    """Measure a logistic regression over three stations, and print a line for each number."""
    build()
    with tempfile.TemporaryDirectory(prefix="vantage6-bench-") as name:
        folder = Path(name)
        data = {f"hospital{id_}": folder / f"{id_}.csv" for id_ in HOSPITALS}
        for id_, file in zip(HOSPITALS, data.values(), strict=True):
            write_rows(file, patients(id_))
        federation = Federation(
            folder / "federation",
            dict.fromkeys(data, ()),
            runtime={**IN_CONTAINERS, "policies": {"allowed_algorithms": [IMAGE]}},
            # So that the inputs of the rounds can be read, for the bare runs.
            encrypted=False,
            node_settings={
                key: {"databases": {"default": str(file)}} for key, file in data.items()
            },
        )
        try:
            with console.status(f"Starting a server and {len(data)} stations"):
                federation.start()
            with closing(federation.client()) as client:
                _compare(federation, client, list(data.values()), rounds)
        finally:
            federation.stop()


def _compare(federation: Federation, client: Client, data: Sequence[Path], rounds: int) -> None:
    first = next(iter(federation.ids))
    answers: list[dict[str, Any]] = []
    tasks: list[int] = []

    def fit() -> None:
        task = federation.send(client, [first], "glm", image=IMAGE, input=_INPUT)
        (found,) = federation.results(client, task, _SECONDS).values()
        assert found["status"] == "completed", found
        answers.append(found["result"])
        tasks.append(task)

    fit()
    assert answers[0]["converged"]
    inputs = _inputs_of(client, tasks[0])
    console.print(f"\nLogistic regression, {len(data)} stations, {len(inputs)} rounds, containers")
    folder = federation.folder / "bare"
    folder.mkdir(mode=0o777)
    folder.chmod(0o777)
    organizations = sorted(federation.ids.values())
    one = [_command(folder, data[:1], input_, organizations) for input_ in inputs]
    all_ = [_command(folder, data, input_, organizations) for input_ in inputs]
    alone = timed(lambda: _run(one), rounds)
    together = timed(lambda: _run(all_), rounds)
    ours = timed(fit, rounds)
    report(f"{len(inputs)} x docker run, one station", alone)
    report(f"{len(inputs)} x docker run, {len(data)} stations at once", together)
    report("submitted until converged, to one station", ours, median(ours) / median(alone))
    report("the same, to all stations at once", ours, median(ours) / median(together))


def _inputs_of(client: Client, task: int) -> list[bytes]:
    """Return the input of each round of a task, in order."""
    rows = client.request("task", params={"parent_id": task, "per_page": 100})
    ids = sorted(row["id"] for row in rows)
    return [
        base64.b64decode(client.request("result", params={"task_id": id_})[0]["input"])
        for id_ in ids
    ]


def _command(
    folder: Path, data: Sequence[Path], input_: bytes, organizations: Sequence[int]
) -> list[list[str]]:
    """Return one ``docker run`` for each file of data."""
    number = len(list(folder.iterdir()))
    there = folder / str(number)
    there.mkdir(mode=0o777)
    there.chmod(0o777)
    files: Mapping[str, bytes] = {
        "input": input_,
        "token": b"none",
        "floors": b"{}",
        "parties": json.dumps({"organizations": organizations}).encode(),
    }
    for name, content in files.items():
        (there / name).write_bytes(content)
    commands = []
    for position, file in enumerate(data):
        (there / f"{position}.csv").write_bytes(file.read_bytes())
        variables = {
            "INPUT_FILE": "/mnt/input",
            "OUTPUT_FILE": f"/mnt/output{position}",
            "TOKEN_FILE": "/mnt/token",
            FLOORS_FILE: "/mnt/floors",
            PARTIES_FILE: "/mnt/parties",
            "USER_REQUESTED_DATABASE_LABEL": "default",
            "DEFAULT_DATABASE_URI": f"/mnt/{position}.csv",
            "DEFAULT_DATABASE_TYPE": "csv",
        }
        settings = [f"--env={key}={value}" for key, value in variables.items()]
        commands.append(["docker", "run", "--rm", f"--volume={there}:/mnt", *settings, IMAGE])
    return commands


def _run(rounds: Sequence[Sequence[Sequence[str]]]) -> None:
    """Run one round after the other, and wait for the end of all stations of each."""
    for commands in rounds:
        processes = [
            subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            for command in commands
        ]
        for process in processes:
            said, _ = process.communicate(timeout=_SECONDS)
            assert process.returncode == 0, said
