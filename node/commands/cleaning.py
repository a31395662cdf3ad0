"""``vnode clean`` and ``remove``."""

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vantage6.common.cli import console
from vantage6.common.errors import Conflict
from vantage6.node.commands.base import on_node
from vantage6.node.commands.remains import Remains

if TYPE_CHECKING:
    from vantage6.node.instance import Instance


@click.command()
@on_node
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
def clean(instance: "Instance", yes: bool) -> None:
    """Remove what stopped runs of this node left: containers, volumes and folders."""
    from vantage6.node.spool import run_disks
    from vantage6.node.spool.spool import Spool

    _refuse_running(instance)
    entries = Spool(instance.data).entries()
    runs = {str(entry.record.run_id) for entry in entries}
    folder = instance.data / "runs"
    left = sorted(run_disks.names(folder) - runs)
    with closing(Remains(instance)) as remains:
        remains.find({entry.record.result_id for entry in entries})
        names = [*remains.names, *(str(folder / run) for run in left)]
        if not names:
            console.info("There is nothing to remove: no stopped run left anything.")
            return
        console.say("\n".join(names))
        if not yes:
            click.confirm("Remove these?", abort=True)
        remains.remove()
    for run in left:
        run_disks.remove(folder, run)
    console.info(f"{len(names)} removed.")


@click.command()
@on_node
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
def remove(instance: "Instance", yes: bool) -> None:
    """Remove a node with its configuration, data, logs, containers and volumes."""
    from vantage6.common.config import instances
    from vantage6.node.spool import removal, run_disks

    _refuse_running(instance)
    usual = instances.data_folder("node", instance.name, system=instance.system)
    folders = _folders_of(instance, usual)
    with closing(Remains(instance)) as remains:
        remains.find_all()
        console.warning("This cannot be undone:")
        console.say("\n".join(map(str, [instance.file, *folders, *remains.names])))
        if instance.data != usual:
            console.info(f"The folder {instance.data} was chosen by hand and stays.")
        if not yes:
            click.confirm("Remove these?", abort=True)
        _save_key(instance, usual)
        instance.supervisor.stop()
        remains.remove()
    run_disks.unmount_all(usual / "runs")
    for folder in folders:
        removal.remove(folder)
    instance.file.unlink()
    instances.note_removal("node", instances.Found(instance.file, instance.system))
    console.info(f"Node {instance.name} was removed.")


def _folders_of(instance: "Instance", usual: Path) -> list[Path]:
    """Return the folders that go with a node: what is named after it, and no other's."""
    from vantage6.common.config import instances

    here = instances.Found(instance.file, instance.system)
    others = [one for one in instances.find_all("node") if one.file != instance.file]
    if any((one.name, one.system) == (here.name, here.system) for one in others):
        # A folder of this name may be that of the other node.
        named = [usual] if instance.data == usual else []
    else:
        named = [usual, instances.log_folder("node", instance.name, system=instance.system)]
    return [folder for folder in dict.fromkeys(named) if folder.exists()]


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
