"""``vantage6 sandbox``: a whole federation on this computer, for trying things out."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from vantage6.client.commands.endings import INTERRUPTED, TASK_FAILED, said_plainly
from vantage6.common.cli import console
from vantage6.common.cli.program import examples
from vantage6.common.errors import Conflict, Unavailable

if TYPE_CHECKING:
    from vantage6.sandbox.federation import Federation

#: The profile with which the other commands reach the sandbox.
PROFILE = "sandbox"
#: Keeps the names of its nodes apart from those of `make demo`.
_SUFFIX = "_sandbox"
_USER = "researcher"
_TABLE_1 = "vantage6 run summary --database patients --arg columns=age,arm,stage"

folder_option = click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where everything is written.  [default: a folder of your own data]",
)


@click.group()
def sandbox() -> None:
    """Run a whole federation on this computer, to try things out."""


@sandbox.command(
    epilog=examples(
        "vantage6 sandbox start",
        "vantage6 run master --arg column_name=age",
        "vantage6 sandbox stop",
    )
)
@folder_option
@click.option(
    "--runtime",
    type=click.Choice(["auto", "containers", "processes"]),
    default="auto",
    show_default=True,
    help="How algorithms run; auto takes containers where an engine has the image.",
)
def start(folder: Path | None, runtime: str) -> None:
    """Start a server and three stations with small data, and log in.

    The collaboration is encrypted, and everything is real, only local. The login is the profile
    'sandbox', which the other commands use by themselves unless there is another one.
    """
    with said_plainly():
        from vantage6.sandbox import demonstration, statistics
        from vantage6.sandbox.federation import IMAGE
        from vantage6.sandbox.own_folder import make_empty, refusal
        from vantage6.sandbox.runtimes import choose, with_statistics

        place = _place(folder)
        if said := refusal(place):
            raise Conflict(said)
        if _state(place)["running"]:
            raise Conflict(f"The sandbox in {place} runs. `vantage6 sandbox stop` ends it.")
        chosen = choose(runtime)
        if chosen.remark:
            console.say(f"vantage6: {chosen.remark}", err=True)
        _end_everything(place)
        make_empty(place)
        federation = demonstration.make_federation(place, _SUFFIX)
        more = with_statistics(chosen.settings)
        images = (IMAGE,) if more is None else (IMAGE, statistics.IMAGE)
        federation.runtime = (more or chosen.settings) | demonstration.policies(images)
        _start(federation)
        _explain(federation, has_statistics=more is not None)


@sandbox.command(epilog=examples("vantage6 sandbox stop", "vantage6 sandbox stop --remove"))
@folder_option
@click.option("--remove", is_flag=True, help="Remove its folder, too.")
def stop(folder: Path | None, remove: bool) -> None:
    """Stop the sandbox, and end its login."""
    with said_plainly():
        place = _place(folder)
        _end_everything(place)
        _forget_login(place)
        if remove:
            from vantage6.sandbox.own_folder import remove as remove_folder

            remove_folder(place)
        console.say("Nothing of the sandbox runs.")


@sandbox.command(epilog=examples("vantage6 sandbox status", "vantage6 sandbox status --json"))
@folder_option
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document, for programs.")
def status(folder: Path | None, as_json: bool) -> None:
    """Tell whether the sandbox runs; the exit code is 1 if a part does not."""
    with said_plainly(as_json):
        found = _state(_place(folder))
        if as_json:
            console.say(json.dumps(found))
        else:
            console.say(f"Server        {found['server'] or 'does not run'}")
            for name, runs in found["stations"].items():
                console.say(f"{name:<12}  {'runs' if runs else 'does not run'}")
            console.say(f"Folder        {found['folder']}")
        if not found["complete"]:
            sys.exit(TASK_FAILED)


def _place(folder: Path | None) -> Path:
    from vantage6.common.config.instances import sandbox_folder

    return (folder or sandbox_folder()).absolute()


def _start(federation: "Federation") -> None:
    """Start everything, or nothing.

    Raises
    ------
    Unavailable
        If a part does not come up.
    """
    from vantage6.client.commands.login import open_session
    from vantage6.client.commands.profiles import ProfileFile
    from vantage6.sandbox.demonstration import write_databases
    from vantage6.sandbox.federation import PASSWORD, FederationError

    first = next(iter(federation.ages))
    try:
        _say("Starting the server ...")
        federation.start_server()
        _say("Starting three stations ...")
        federation.register()
        for name in federation.ids:
            write_databases(federation, name)
            federation.start_node(name)
        federation.wait_until_online()
        open_session(
            ProfileFile(PROFILE),
            f"{federation.address}/api",
            _USER,
            PASSWORD,
            key=federation.key_file(first),
            known_keys=str(federation.known_keys_file),
        )
    except FederationError as error:
        _end_everything(federation.folder)
        raise Unavailable(f"The sandbox did not come up. {error}") from error
    except KeyboardInterrupt:
        _end_everything(federation.folder)
        _say("vantage6: interrupted; nothing of the sandbox runs.")
        sys.exit(INTERRUPTED)
    except BaseException:
        _end_everything(federation.folder)
        raise


def _explain(federation: "Federation", *, has_statistics: bool) -> None:
    from vantage6.client.commands import profiles
    from vantage6.sandbox.federation import PASSWORD
    from vantage6.sandbox.statistics import INSTALL
    from vantage6.web import built

    # Without a profile the commands take the default login, where there is one.
    is_alone = profiles.names() == [PROFILE]
    option = "" if is_alone else f" --profile {PROFILE}"
    console.say(f"Server    {federation.address}  (API: {federation.address}/apidocs)")
    if built():
        console.say(f"Pages     {federation.address}/app/  (user {_USER}, password {PASSWORD})")
    console.say(f"Stations  {', '.join(federation.ids)}")
    console.say(f"Folder    {federation.folder}")
    how = "containers" if federation.runtime["runtime"] == "docker" else "plain processes"
    console.say(f"Functions run in {how}.")
    console.say("Try it:")
    console.say(f"  vantage6 stations{option}")
    for function in ("average_partial", "master"):
        console.say(f"  vantage6 run {function} --arg column_name=age{option}")
    if has_statistics:
        console.say(f"  {_TABLE_1}{option}")
    console.say("Stop it:")
    console.say("  vantage6 sandbox stop")
    if not has_statistics:
        console.say(f"The stations have no statistics: {INSTALL}, and start again.")


def _state(place: Path) -> dict[str, Any]:
    """Return what runs of the sandbox in a folder."""
    from vantage6.sandbox import demonstration

    federation = demonstration.make_federation(place, _SUFFIX)
    federation.read_port()
    stations = {name: federation.node(name) is not None for name in federation.ages}
    is_ready = federation.is_ready()
    return {
        "folder": str(place),
        "server": f"{federation.address}/api" if is_ready else None,
        "stations": stations,
        "running": is_ready or any(stations.values()),
        "complete": is_ready and all(stations.values()),
    }


def _end_everything(place: Path) -> None:
    from vantage6.sandbox import demonstration
    from vantage6.sandbox.federation import FederationError
    from vantage6.sandbox.leftovers import end_users_of
    from vantage6.sandbox.own_folder import is_own

    # SECURITY: below any other folder there can be nodes and servers that are in use.
    if not is_own(place):
        return
    try:
        demonstration.make_federation(place, _SUFFIX).stop()
    except FederationError as error:
        console.say(f"vantage6: {error}", err=True)
    end_users_of(place)


def _forget_login(place: Path) -> None:
    """Forget the login, if it is at the sandbox of this folder."""
    from vantage6.client.commands.profiles import ProfileFile

    file = ProfileFile(PROFILE)
    found = file.read()
    if found is not None and found.known_keys and Path(found.known_keys).parent == place:
        file.remove()


def _say(text: str) -> None:
    console.say(text, err=True)
