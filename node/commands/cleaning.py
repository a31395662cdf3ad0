"""``vnode clean`` and ``remove``."""

import re
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vantage6.common import console
from vantage6.common.errors import Conflict
from vantage6.node.commands.base import on_node

if TYPE_CHECKING:
    from vantage6.node.instance import Instance

_ENGINE_SECONDS = 30
_STOPPED = ("created", "exited", "dead")


@click.command()
@on_node
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
def clean(instance: "Instance", yes: bool) -> None:
    """Remove what stopped runs of this node left: containers, volumes and folders."""
    from vantage6.node.spool import Spool

    _refuse_running(instance)
    spool = Spool(instance.data)
    entries = spool.entries()
    engine = _engine(instance)
    containers, volumes = _left_in(engine, instance, {e.record.result_id for e in entries})
    runs = {str(entry.record.run_id) for entry in entries}
    folders = [path for path in (instance.data / "runs").iterdir() if path.name not in runs]
    names = [*containers, *volumes, *map(str, folders)]
    if not names:
        console.info("There is nothing to remove.")
        return
    click.echo("\n".join(names))
    if not yes:
        click.confirm("Remove these?", abort=True)
    for name in containers:
        engine.remove_container(name, force=True, v=True)
    for name in volumes:
        engine.remove_volume(name)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
    console.info(f"{len(names)} removed.")


@click.command()
@on_node
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
def remove(instance: "Instance", yes: bool) -> None:
    """Remove a node from this machine: its configuration, its data and its logs."""
    from vantage6.common.config import instances

    _refuse_running(instance)
    usual = instances.data_folder("node", instance.name, system=instance.system)
    logs = instances.log_folder("node", instance.name, system=instance.system)
    folders = [folder for folder in dict.fromkeys((usual, logs)) if folder.exists()]
    console.warning("This cannot be undone:")
    click.echo("\n".join(map(str, [instance.file, *folders])))
    if instance.data != usual:
        console.info(f"The folder {instance.data} was chosen by hand and stays.")
    if not yes:
        click.confirm("Remove these?", abort=True)
    _save_key(instance, usual)
    instance.supervisor.stop()
    for folder in folders:
        shutil.rmtree(folder)
    instance.file.unlink()
    console.info(f"Node {instance.name} was removed.")


def _save_key(instance: "Instance", folder: Path) -> None:
    """Move the organization's key out of a folder that goes: without it results are lost."""
    key = instance.key_file
    if key.is_file() and key.resolve().is_relative_to(folder.resolve()):
        kept = folder.parent / f"privkey_of_{instance.name}.pem"
        if kept.exists():
            raise Conflict(f"The private key {key} would be lost, and {kept} exists; move it away.")
        key.rename(kept)
        console.warning(f"The private key of the organization is kept as {kept}.")


def _refuse_running(instance: "Instance") -> None:
    if instance.holder() is not None:
        raise Conflict(f"Node {instance.name} runs; stop it first.")


def _engine(instance: "Instance") -> Any:
    """Return a client of the container engine; None for a node that needs none.

    Raises
    ------
    Unavailable
        If it does not answer.
    """
    if instance.config.runtime != "docker":
        return None
    from vantage6.node.engine import connect

    return connect(instance.config, _ENGINE_SECONDS)


def _left_in(engine: Any, instance: "Instance", promised: set[int]) -> tuple[list[str], list[str]]:
    """Return containers and volumes of this node that no result on disk needs."""
    if engine is None:
        return [], []
    labels = ["vantage6-type=algorithm", f"node={instance.name}"]
    filters = {"label": labels, "status": list(_STOPPED)}
    found = engine.containers(all=True, filters=filters)
    containers = [
        one["Names"][0].lstrip("/")
        for one in found
        if int(one["Labels"].get("result_id", 0)) not in promised
    ]
    # Those of 3.11; the engine itself would also match parts of names, and so other nodes.
    scope = "system" if instance.system else "user"
    ours = re.compile(rf"vantage6-{re.escape(instance.name)}-{scope}-\d+-tmpvol")
    volumes = engine.volumes()["Volumes"] or []
    return containers, [one["Name"] for one in volumes if ours.fullmatch(one["Name"])]
