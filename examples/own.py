"""The demonstration with an algorithm and data of your own: ``make demo IMAGE=... DATA=...``."""

import json
import re
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import docker
import docker.errors
from rich.console import Console

from vantage6.sandbox.federation import IMAGE, Federation

#: Files that make a station, and how a wrapper reads them.
KINDS = {".csv": "csv", ".parquet": "parquet", ".xlsx": "excel"}


def databases_in(folder: Path) -> dict[str, list[dict[str, str]]]:
    """Return the databases of each station: one station for each file of the folder.

    Raises
    ------
    SystemExit
        If no station can be made of the folder; the message says why.
    """
    if not folder.is_dir():
        raise SystemExit(f"DATA={folder} is no folder.")
    files = files_in(folder)
    if not files:
        raise SystemExit(f"{folder} holds no file of these kinds: {', '.join(KINDS)}.")
    stations: dict[str, list[dict[str, str]]] = {}
    for file in files:
        name = re.sub(r"[^A-Za-z0-9-]+", "_", file.stem).strip("_")
        if not name or name in stations or name == "server":
            raise SystemExit(f"{file} cannot name a station ({name!r}). Rename the file.")
        kind = KINDS[file.suffix.lower()]
        stations[name] = [{"label": "default", "uri": str(file.resolve()), "type": kind}]
    return stations


def files_in(folder: Path) -> list[Path]:
    """Return the files of a folder that make a station each."""
    return sorted(file for file in folder.iterdir() if file.suffix.lower() in KINDS)


def check_image(image: str) -> None:
    """Make sure that an engine answers and has the image.

    Raises
    ------
    SystemExit
        If not; the message says what to do.
    """
    try:
        docker.from_env(timeout=5).images.get(image)
    except docker.errors.ImageNotFound:
        raise SystemExit(
            f"The container engine has no image {image}. Build it: docker build --tag {image} ."
        ) from None
    except docker.errors.DockerException:
        raise SystemExit(
            f"IMAGE={image} needs a container engine, and none answers. Start Docker, "
            "or set DOCKER_HOST to its address."
        ) from None


def send(
    federation: Federation, input_: Mapping[str, Any], image: str | None, console: Console
) -> bool:
    """Send an input, print what each organization answers, and return whether all completed.

    A central function goes to the first organization, any other to all of them.
    """
    names = list(federation.ids)[: 1 if input_.get("master") else None]
    with closing(federation.client()) as client:
        task = federation.send(client, names, "", input=dict(input_), image=image or IMAGE)
        found = federation.results(client, task)
    for name, result in sorted(found.items()):
        completed = result["status"] == "completed"
        answer = result["result"] if completed else f"{result['status']}: {_reason(result)}"
        console.print(f"  {name}  {answer}", markup=False)
    console.print()
    return all(result["status"] == "completed" for result in found.values())


def _reason(result: Mapping[str, Any]) -> str:
    reason = result["reason"] or {}
    return "\n".join(part for part in (reason.get("msg"), result["log"]) if part)


def call(federation: Federation, image: str | None) -> str:
    """Return the lines of Python that send a task to all stations."""
    return f"""  task = client.task.create(
      collaboration={federation.collaboration}, organizations={list(federation.ids.values())},
      name="mine", image={json.dumps(image or IMAGE)}, description="",
      input={{"method": "...", "kwargs": {{}}}}, data_format="json")
  client.wait_for_results(task["id"])
  print(client.result.from_task(task["id"]))
"""
